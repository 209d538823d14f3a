"""The report of ``difprog score`` on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from difprog.base.errors import plain
from difprog.beliefs.beliefs import Belief
from difprog.beliefs.families import Point
from difprog.forecast.forecast import Forecast, ModelForecast
from difprog.forecast.summary import MICRODOOM, Summary, sign
from difprog.race.parameters import PARAMETERS
from difprog.race.parameters import Group as ParameterGroup
from difprog.render.axis import common_axis, dots, rule, strip
from difprog.render.format import (
    interval,
    microdooms,
    one_in,
    percent,
    probability,
    significant,
    supported,
    with_error,
)
from difprog.render.screen import BAD, DIM, GOOD, HEAD, section, text

MARGIN = 2


def score(forecast: Forecast, screen: Console, beliefs: bool = True) -> None:
    """Print the report of one forecast.

    Parameters
    ----------
    forecast : Forecast
        What was found.
    screen : Console
        Where to print.
    beliefs : bool
        Whether to end with where every belief came from.
    """
    _title(forecast, screen)
    screen.print()
    for line in headline(forecast):
        screen.print(Padding(line, (0, 0, 0, MARGIN), expand=False))
    _net_effects(forecast, screen)
    _distribution(forecast, screen)
    _success(forecast, screen)
    _project_effects(forecast, screen)
    _notes(forecast, screen)
    if beliefs:
        _sources(forecast, screen)


def _title(forecast: Forecast, screen: Console) -> None:
    project = forecast.project
    screen.print(text(project.name, HEAD))
    facts = " · ".join(project.facts.values())
    many = len(forecast.models)
    screen.print(
        Text(
            f"{facts}\n{many} model{'s' if many > 1 else ''} · {forecast.count:,} draws · "
            f"seed {forecast.seed} · years from {forecast.as_of}",
            style=DIM,
        )
    )
    if project.summary:
        screen.print(Padding(text(project.summary), (1, 2, 0, MARGIN), expand=False))


def verdict(net: Summary) -> tuple[str, str]:
    """Return what a mean effect says in a word, and the colour that goes with the word."""
    return {1: ("helps", GOOD), -1: ("harms", BAD), 0: ("makes no difference that shows", "")}[
        sign(net)
    ]


def headline(forecast: Forecast) -> list[Text]:
    """Return the answer in sentences a busy person can act on; disagreement comes first."""
    lines: list[Text] = []
    net = forecast.ensemble["net_effect"]
    if forecast.sign_disagreement:
        for_it = [m.model.name for m in forecast.models if sign(m.net) > 0]
        against = [m.model.name for m in forecast.models if sign(m.net) < 0]
        lines.append(
            Text.assemble(
                ("The models disagree about the sign. ", HEAD),
                ("It helps", GOOD), f" by {_listed(for_it)}; ",
                ("it harms", BAD), f" by {_listed(against)}.",
            )
        )  # fmt: skip
    word, colour = verdict(net)
    many = len(forecast.models) > 1
    whose = "Mixed by credence, doing this project " if many else "Doing this project "
    size = Text.assemble(whose, (word, f"{HEAD} {colour}".strip()))
    if sign(net) and net.sd == 0:
        size.append(
            f": {microdooms(net.mean)} microdooms averted, exactly, in every world drawn. "
            f"The chance that alignment succeeds before AGI moves by {significant(net.mean, 3, sign=True)}."
        )
    elif sign(net):
        size.append(f": {microdooms(net.mean, net.mcse)} microdooms averted on average")
        size.append(
            f" ({forecast.prob:.0%} interval {interval(net.lower, net.upper, MICRODOOM, sign=True)}), "
        )
        adds = "adds" if net.mean > 0 else "takes away"
        chance = one_in(net.mean).replace("1 in", "1 chance in")
        size.append(f"which {adds} {chance} that alignment succeeds before AGI.")
    else:
        error = microdooms(2 * net.mcse, sign=False)
        size.append(f": the mean effect is within {error} microdooms of zero.")
    lines.append(size)
    n = forecast.count
    lines.append(
        Text(
            f"It helps in {percent(net.p_positive, n)} of the worlds drawn, harms in "
            f"{percent(net.p_negative, n)}, and changes nothing in {percent(net.p_zero, n)}."
        )
    )
    return lines


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _net_effects(forecast: Forecast, screen: Console) -> None:
    section(screen, "Net effect", "microdooms averted: millionths of the chance of success")
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style=DIM)
    table.add_column("model", no_wrap=True)
    table.add_column("credence", justify="right")
    table.add_column("mean ± error", justify="right", no_wrap=True)
    table.add_column(f"{forecast.prob:.0%} interval", justify="right", no_wrap=True)
    table.add_column("helps", justify="right")
    table.add_column("harms", justify="right")
    rows: list[tuple[str, str, Summary]] = [
        (answer.model.name, f"{weight:.0%}", answer.net)
        for answer, weight in zip(forecast.models, forecast.weights, strict=True)
    ]
    if len(rows) > 1:
        rows.append(("all, by credence", "", forecast.ensemble["net_effect"]))
    for index, (name, credence, net) in enumerate(rows):
        colour = verdict(net)[1]
        table.add_row(
            text(name),
            credence,
            Text(with_error(net.mean, net.mcse, MICRODOOM, sign=True), style=colour),
            interval(net.lower, net.upper, MICRODOOM, sign=True),
            percent(net.p_positive, forecast.count),
            percent(net.p_negative, forecast.count),
            style=HEAD if index and index == len(rows) - 1 else "",
        )
    screen.print(Padding(table, (0, 0, 0, MARGIN), expand=False))


def _distribution(forecast: Forecast, screen: Console) -> None:
    """Density strips of all models on one axis, and the quantile dot plot of their mixture."""
    samples = [
        m.drawn("net_effect") / MICRODOOM for m in forecast.models
    ]
    if all((s == s[0]).all() and s[0] == samples[0][0] for s in samples):
        return
    names = [m.model.name for m in forecast.models]
    left = min(max(len(n) for n in names), 24) + 2
    axis = common_axis(samples, max(20, min(screen.width, 120) - left - 2 * MARGIN))
    section(screen, "Where the worlds lie", "microdooms; darker: more worlds; the bar is zero")
    lines = [_beside(plain_name, strip(s, axis), left) for plain_name, s in zip(names, samples, strict=True)]
    mixed = _mixture_sample(samples, forecast.weights)
    pile = dots(mixed, axis)
    for index, row in enumerate(pile):
        caption = {len(pile) - 2: "50 dots, each", len(pile) - 1: "1 world in 50"}.get(index, "")
        lines.append(_beside(caption, row, left, DIM))
    lines.append(_beside("", rule(axis), left))
    lines.append(_beside("", axis.labels(), left, DIM))
    harm, help_ = "◂ harms", "helps ▸"
    gap = max(1, axis.width - len(harm) - len(help_))
    ends = Text(" " * left)
    ends.append(harm, BAD).append(" " * gap).append(help_, GOOD)
    lines.append(ends)
    screen.print(Padding(Group(*lines), (0, 0, 0, MARGIN), expand=False))


def _beside(name: str, drawn: str, left: int, style: str = "") -> Text:
    return Text.assemble((name[: left - 2].ljust(left), style), (drawn, style))


def _mixture_sample(
    samples: Sequence[np.ndarray[Any, Any]], weights: Sequence[float]
) -> np.ndarray[Any, Any]:
    """Return a sample of the mixture: from each model's sorted draws, as many as its weight."""
    size = 4000
    parts = [
        np.quantile(s, (np.arange(k) + 0.5) / k)
        for s, w in zip(samples, weights, strict=True)
        if (k := round(size * w)) > 0
    ]
    return np.concatenate(parts)


def _success(forecast: Forecast, screen: Console) -> None:
    section(screen, "Chance that alignment succeeds before AGI")
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style=DIM)
    table.add_column("model", no_wrap=True)
    table.add_column("without", justify="right")
    table.add_column("with", justify="right")
    table.add_column("change", justify="right", no_wrap=True)
    table.add_column("AGI in, median", justify="right", no_wrap=True)
    table.add_column("if it succeeds", justify="right", no_wrap=True)
    for answer in forecast.models:
        summaries = answer.summaries
        net = answer.net
        given = answer.arrival_given_success
        table.add_row(
            text(answer.model.name),
            probability(summaries["p_success_without"]),
            probability(summaries["p_success_with"]),
            supported(net.mean, net.mcse, sign=True),
            years(answer.arrival.median),
            "never" if given is None else years(given.median),
        )
    screen.print(Padding(table, (0, 0, 0, MARGIN), expand=False))


def years(value: float, error: float = 0.0, digits: int = 2) -> str:
    """Return a time in the unit that people would say it in."""
    size = abs(value)
    for unit, length in (("y", 1.0), ("d", 1 / 365.25), ("h", 1 / 8766), ("min", 1 / 525960)):
        if size >= length:
            return f"{supported(value / length, error / length, digits=digits)} {unit}"
    return "0" if value == 0 else f"{supported(value * 525960 * 60, error * 525960 * 60, digits=digits)} s"


def _project_effects(forecast: Forecast, screen: Console) -> None:
    prob = forecast.prob
    section(screen, "Speedups that the project brings", f"mean, and {prob:.0%} interval below it")
    table = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style=DIM)
    table.add_column("model", no_wrap=True)
    for title in ("parallel", "serial", "capability", "AGI sooner"):
        table.add_column(title, justify="right", no_wrap=True)
    for answer in forecast.models:
        cells = [text(answer.model.name, limit=24)]
        parallel = answer.summaries["parallel_speedup"]
        mean = supported(parallel.mean, parallel.mcse, digits=2)
        cells.append(Text(_stacked(f"{mean} p-y", parallel, significant)))
        for name in ("serial_speedup", "capability_speedup", "timeline_shortening"):
            values = answer.summaries[name]
            mean = years(values.mean, values.mcse)
            cells.append(Text(_stacked(mean, values, years)))
        table.add_row(*cells)
    screen.print(Padding(table, (0, 0, 0, MARGIN), expand=False))
    screen.print(
        Padding(
            Text("p-y: quality-adjusted person-years of work; y, d, h, min, s: of calendar time", style=DIM),
            (0, 0, 0, MARGIN),
            expand=False,
        )
    )


def _stacked(mean: str, values: Summary, spell: Any) -> str:
    if values.lower == values.upper:
        return mean
    return f"{mean}\n{spell(values.lower)} – {spell(values.upper)}"


def _notes(forecast: Forecast, screen: Console) -> None:
    worst = max(forecast.models, key=lambda m: m.net.mcse / (abs(m.net.mean) or math.inf))
    lines: list[Text] = []
    ensemble = forecast.ensemble["net_effect"]
    if ensemble.mcse > 0:
        share = ensemble.mcse / abs(ensemble.mean) if ensemble.mean else math.inf
        said = f"Monte Carlo error of the mean: {_part(share)} of it"
        if len(forecast.models) > 1 and worst.net.mean:
            rate = worst.net.mcse / abs(worst.net.mean)
            said += f" ({_part(rate)} under {worst.model.name}, the least certain)"
        lines.append(Text(said + "."))
    lines.extend(text(f"Note: {warning}.") for warning in forecast.warnings)
    if lines:
        section(screen, "How far to trust the numbers")
        for line in lines:
            screen.print(Padding(line, (0, 0, 0, MARGIN), expand=False))


def _part(share: float) -> str:
    return f"{significant(100 * share, 2)}%" if share < 1 else "more than all"


def spell_belief(belief: Belief) -> str:
    """Return a belief as "5% to 95%" values, or as its point."""
    if isinstance(belief.shape, Point):
        return f"{significant(belief.shape.value, 3)}"
    low, high = belief.shape.percentile(0.05), belief.shape.percentile(0.95)
    return f"{significant(low)} to {significant(high)}"


def _sources(forecast: Forecast, screen: Console) -> None:
    """Print where every belief came from, file by file: each that any model reads, once."""
    note = "5% to 95%"
    every = _every_belief(forecast.models)
    if any(answer.view.conditioned(belief.name) for belief, answer in every):
        note += "; * conditioned on evidence"
    section(screen, "Where every belief came from", note)
    rows = [(b.layer, b.name, _says(b, answer), b.source or _unsourced(b.name)) for b, answer in every]
    name_room = max(len(name) for _, name, _, _ in rows)
    says_room = min(max(len(says) for _, _, says, _ in rows), 34)
    for file in dict.fromkeys(layer for layer, _, _, _ in rows):
        screen.print(Padding(text(file, HEAD), (0, 0, 0, MARGIN), expand=False))
        for layer, name, says, source in rows:
            if layer == file:
                room = max(12, screen.width - MARGIN - name_room - says_room - 4)
                line = Text(" " * MARGIN + f"{plain(name):{name_room}}  {says:{says_room}}  ")
                line.append_text(text(source, DIM, limit=room))
                screen.print(line, no_wrap=True, overflow="ellipsis")


def _unsourced(name: str) -> str:
    """Return what stands where a file names no source: a fact's is the proposal itself."""
    parameter = PARAMETERS.get(name)
    fact = parameter is not None and parameter.group is ParameterGroup.FACT
    return "the proposal" if fact else "no source is given"


def _says(belief: Belief, answer: ModelForecast) -> str:
    """Return what is believed, of the draws where those come from the evidence."""
    shown, mark = spell_belief(belief), ""
    if answer.view.conditioned(belief.name):
        low, high = np.quantile(answer.value(belief.name), [0.05, 0.95])
        shown, mark = f"{significant(low)} to {significant(high)}", " *"
    unit = answer.model.vocabulary[belief.name].unit
    return f"{shown} {unit}".strip() + mark


def _every_belief(models: Sequence[ModelForecast]) -> list[tuple[Belief, ModelForecast]]:
    """Return each distinct belief once, with the first model that reads it; neutrals left out."""
    found: dict[tuple[str, str, str, str], tuple[Belief, ModelForecast]] = {}
    for answer in models:
        for name, belief in answer.beliefs.items():
            if belief.layer != "neutral":
                key = (name, belief.layer, belief.source, str(belief.shape))
                found.setdefault(key, (belief, answer))
    order = list(PARAMETERS)
    return sorted(
        found.values(), key=lambda item: order.index(item[0].name) if item[0].name in order else -1
    )
