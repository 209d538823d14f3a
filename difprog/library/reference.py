"""What is generated from the files that ship: the page of every parameter, tables and names within others.

Reads the shipped belief files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import lru_cache

from difprog.base import files
from difprog.base.errors import Problems
from difprog.beliefs.beliefs import Belief, Layer
from difprog.beliefs.distributions import Point
from difprog.beliefs.parse import read_layer
from difprog.evidence import DATASETS, likelihood
from difprog.library import edit
from difprog.models.model import load, shipped_models, vocabulary
from difprog.race.parameters import FACTS, Group, Parameter

_WORDS = {
    Group.WORLD: "What a draw of the race is made of. A model that does not open a mechanism holds it at its "
    "neutral value.",
    Group.PROJECT: "How the facts of a proposal become effects on the race.",
    Group.GRID: "Relevance and coupling by focus and approach, unless the proposal states them.",
    Group.FACT: "Stated in the proposal's `[project]` table.",
    Group.EFFECT: "Derived, unless a file states one outright: it then replaces what would be derived.",
}


@lru_cache
def shipped_layers() -> dict[str, Layer]:
    """Return the shipped belief files by name, `world` first."""
    found = {}
    names = ["world", *shipped_models()]
    for name in names:
        path = files.shipped("priors", f"{name}.toml")
        if path.is_file():
            found[name] = read_layer(path, vocabulary())
    return found


def defaults(name: str) -> Iterator[tuple[str, str, Belief]]:
    """Yield what ships about a parameter: the file's name, the value of a fact or "", the belief."""
    for layer, content in shipped_layers().items():
        for case, belief in content.beliefs.get(name, {}).items():
            yield layer, case, belief


def number(value: float) -> str:
    """Return a value to three significant digits, large and small ones as powers of ten."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{float(f'{value:.3g}'):,.10g}".replace("-", "−")
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}".replace("-", "−")


def range_of(belief: Belief) -> str:
    """Return a belief's 10th, 50th and 90th percentile, or its value."""
    if isinstance(belief.shape, Point):
        return number(belief.shape.value)
    return " / ".join(number(belief.shape.percentile(p)) for p in (0.1, 0.5, 0.9))


def with_models(page: str) -> str:
    """Return a page with the table of the models that ship between its marks.

    Raises
    ------
    ValueError
        Where the page has no marks ``<!-- models -->`` and ``<!-- end -->``.
    """
    before, _, rest = page.partition("<!-- models -->")
    _, mark, after = rest.partition("<!-- end -->")
    if not mark:
        raise ValueError("the page has no place for the table of models")
    # From the base race to everything at once, as `score` shows them; an essay by its author and year.
    found = sorted(map(load, shipped_models()), key=lambda model: (len(model.opens), model.name))
    rows = [f"| `{m.name}` | {m.title} ({m.cites.partition(',')[0]}) |" for m in found]
    table = "\n".join(["| model | reads into the race |", "|---|---|", *rows])
    return f"{before}<!-- models -->\n{table}\n<!-- end -->{after}"


def with_datasets(text: str) -> str:
    """Return the world's belief file with every dataset's name at the beliefs that it conditions.

    Raises
    ------
    BadInput
        Where a dataset is about a belief that the file does not state, or that is another's too.
    """
    stated = tomllib.loads(text)["beliefs"]
    problems = Problems("difprog/evidence")
    whose: dict[str, str] = {}
    for dataset in DATASETS:
        for name in likelihood(dataset).BELIEFS:
            if name not in stated:
                problems.unknown(f"{dataset}.BELIEFS", name, stated, "no belief of world.toml")
            elif name in whose:
                problems.add(f"{dataset}.BELIEFS", f"has a belief of {whose[name]}", name)
            elif stated[name].get("evidence") != dataset:
                text = edit.put(text, ("beliefs", name), {**edit.read(stated[name]), "evidence": dataset})
            whose[name] = dataset
    problems.check()
    return text


def markdown() -> str:
    """Return the page."""
    lines = [
        "# Vocabulary",
        "",
        "Every parameter of difprog. Generated from the program and the belief files that ship",
        "(`difprog priors list --markdown`); a test holds it current. Defaults are the 10th, 50th and 90th",
        "percentile of the shipped belief, or its value where it is a point, before any conditioning on",
        "evidence; beliefs marked † are conditioned on the dataset named, those marked ‡ are judgements.",
        "Where a belief depends on a fact of the proposal, the default is given per value of the fact.",
        "",
    ]
    for group in (Group.WORLD, Group.PROJECT, Group.GRID, Group.FACT, Group.EFFECT):
        entries = [p for p in vocabulary().values() if p.group is group]
        lines += [f"## {group.value[0].upper()}{group.value[1:]}", "", _WORDS[group], ""]
        if group in (Group.EFFECT, Group.FACT):
            lines += ["| name | symbol | unit | support | neutral | meaning |", "|---|---|---|---|---|---|"]
            lines += [_row(p, short=True) for p in entries]
        else:
            lines += [
                "| name | symbol | unit | support | neutral | meaning | default 10 / 50 / 90 | source |",
                "|---|---|---|---|---|---|---|---|",
                *(_row(p) for p in entries),
            ]
        lines.append("")
    lines += ["## Facts that select among beliefs", "", "| fact | values |", "|---|---|"]
    lines += [f"| `{fact}` | {', '.join(f'`{v}`' for v in values)} |" for fact, values in FACTS.items()]
    return "\n".join(lines) + "\n"


def _row(parameter: Parameter, short: bool = False) -> str:
    value = parameter.neutral
    neutral = "" if value is None else "∞" if value > 1e300 else number(value)
    opened = "" if parameter.base or short else " *Only in models that open it.*"
    cells = [
        f"`{parameter.name}`", parameter.symbol, parameter.unit, str(parameter.support), neutral,
        f"{parameter.meaning}.{opened}",
    ]  # fmt: skip
    if not short:
        shipped = list(defaults(parameter.name))
        stated, sources = [], [parameter.source]
        for layer, case, belief in shipped:
            mark = f" † {belief.evidence}" if belief.evidence else ""
            mark += " ‡" if belief.judgement else ""
            case_words = f"{case}: " if case else ""
            where = f" ({layer})" if layer != "world" else ""
            stated.append(f"{case_words}{range_of(belief)}{mark}{where}")
            if belief.source and belief.source not in sources:
                sources.append(belief.source)
        default = "the grid's" if parameter.name in ("relevance", "coupling") else "neutral"
        cells += ["<br>".join(stated) or default, "; ".join(sources)]
    return "| " + " | ".join(_cell(c) for c in cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
