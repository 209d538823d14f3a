"""One proposal under several scenarios: plain data, and a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from rich.console import Console

from difprog import __version__
from difprog.choose.scenarios import Scenario
from difprog.forecast.summary import sign
from difprog.render import data, outcomes, shifted, words
from difprog.render.format import probability, significant
from difprog.render.screen import DIM, HEAD, MARGIN, Column, fitted, indented, section, sentences, text
from difprog.render.terminal import old

SCHEMA = "difprog.scenarios/1"
STANDING = "as beliefs stand"
SIGNS = {1: "helps", -1: "harms", 0: "cannot be told"}


def as_data(found: Sequence[Scenario]) -> dict[str, Any]:
    """Return scenarios as plain data; the first is beliefs as they stand."""
    first = found[0].forecast
    return {
        "schema": SCHEMA,
        "version": __version__,
        "draws": first.count,
        "seed": first.seed,
        "prob": first.prob,
        "project": {"name": first.project.name, "path": first.project.source.label},
        "scenarios": [
            {
                "scenario": one.name or None,
                "sign": one.sign,
                "net_effect": data.summary(one.forecast.ensemble["net_effect"]),
                "p_success_without": data.summary(one.forecast.ensemble["p_success_without"]),
                "models": [
                    {
                        "model": m.model.name, "net_effect": data.summary(m.net),
                        **outcomes.data(m.tilt), **outcomes.moving(m),
                    }
                    for m in one.forecast.models
                ],
            }
            for one in found
        ],
    }


def kept(found: Sequence[Scenario], left_out: Sequence[str]) -> dict[str, Any]:
    """Return what a memo shows of scenarios, as plain data; the first is beliefs as they stand."""
    return {
        "draws": min(one.forecast.count for one in found),
        "scenarios": [
            {
                "scenario": one.name, "sign": one.sign,
                "net_effect": data.summary(one.forecast.ensemble["net_effect"]),
            }
            for one in found
        ],
        "left_out": list(left_out),
    }  # fmt: skip


def verdict(found: Sequence[tuple[str, int]]) -> str:
    """Return in a sentence whether the decision changes with the worldview.

    Parameters
    ----------
    found : sequence of (str, int)
        Each scenario's name and the sign of the mean effect; the first is beliefs as they stand.
    """
    (_, standing), *others = found
    if standing == 0:
        told = sum(1 for _, sign in others if sign)
        return f"As beliefs stand the sign cannot be told; it can in {told} of {len(others)} scenarios."
    same = sum(1 for _, sign in others if sign == standing)
    against = [name for name, sign in others if sign == -standing]
    unclear = [name for name, sign in others if sign == 0]
    said = f"The sign holds in {same} of {len(others)} scenarios"
    if against:
        said += f"; it turns under {words.listed(against)}"
    if unclear:
        said += f"; it cannot be told under {words.listed(unclear)}"
    return f"{said}."


def show(found: Sequence[Scenario], screen: Console, today: date | None = None) -> None:
    """Print a table with a row per scenario; a note where years are counted from long before today."""
    first = found[0].forecast
    screen.print(text(f"{first.project.name} under {len(found) - 1} scenarios", HEAD))
    screen.print(text(f"{len(first.models)} models · {first.count:,} draws · seed {first.seed}", DIM))
    old({"as_of": first.as_of.isoformat()}, screen, today)
    screen.print()
    sentences(screen, [((verdict([(one.name, one.sign) for one in found]), ""),)])
    section(screen, "Net effect", words.MICRODOOMS_NOTE)
    nets = [data.summary(one.forecast.ensemble["net_effect"]) for one in found]
    chances = [one.forecast.ensemble["p_success_without"] for one in found]
    cells = [words.net_cells(net, first.count) for net in nets]
    columns = [
        Column("scenario", [text(one.name or STANDING) for one in found], left=True, wrap=True),
        Column("goes well", [probability(one) for one in chances], drop=2),
        Column("mean ± error", [cell[0] for cell in cells]),
        Column(f"{first.prob:.0%} of worlds", [cell[1] for cell in cells], drop=1),
        Column("so it", [SIGNS[one.sign] for one in found], left=True),
        Column("models for, against", [_models(one) for one in found], drop=3),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))
    _stated(as_data(found), screen)


def _stated(content: dict[str, Any], screen: Console) -> None:
    """Print what was stated of the outcome under each scenario, and what had to move most for it."""
    under = [one for one in content["scenarios"] if any(m.get("outcomes") for m in one["models"])]
    if not under:
        return
    section(screen, "What you state, under each", "under the model that it moves furthest")
    rows = []
    for one in under:
        worst = max(one["models"], key=lambda m: float(m.get("relative_entropy", -1.0)))
        before = "; ".join(
            f"{outcomes.spelled(o['statement'], o['stated'])}, before "
            + outcomes.spread([m["outcomes"][at]["before"] for m in one["models"] if m.get("outcomes")])
            for at, o in enumerate(worst["outcomes"])
        )
        nats = float(worst["relative_entropy"])
        moved = "\n".join(
            f"{m['belief']} {significant(m['before'][1])} → {significant(m['after'][1])}"
            for m in shifted.most(one["models"])
        )
        took = f"{outcomes.shift(nats)}: {significant(nats)} nats, {worst['effective_draws']:,.0f} draws"
        rows.append((one["scenario"] or STANDING, before, took, moved))
    columns = [
        Column("scenario", [text(row[0]) for row in rows], left=True, wrap=True),
        Column("stated", [row[1] for row in rows], left=True, wrap=True, least=24),
        Column("it took", [row[2] for row in rows], left=True, wrap=True, least=18),
        Column("medians that moved most", [row[3] for row in rows], left=True, drop=1),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))


def _models(one: Scenario) -> str:
    signs = [sign(m.net) for m in one.forecast.models]
    return f"{signs.count(1)}, {signs.count(-1)}"
