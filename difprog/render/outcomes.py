"""What is stated about the outcome, and what it did to the beliefs: plain data and sentences.

The drawings are `difprog.render.shifted`'s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from difprog.beliefs import published
from difprog.forecast.believed import most_moved
from difprog.forecast.forecast import ModelForecast
from difprog.forecast.sampling import Draws
from difprog.forecast.setup import Setup
from difprog.forecast.tilting import Tilt
from difprog.render.format import significant

#: Relative entropy in nats → what it is called: up to 0.05 a fair coin would have to be shifted to 66%.
SHIFTS = (
    (0.05, "a small shift"), (0.3, "a clear shift"), (1.0, "a large shift"), (math.inf, "a very large shift"),
)  # fmt: skip

#: Beliefs that are named in a sentence.
NAMED = 2


def data(tilt: Tilt | None) -> dict[str, Any]:
    """Return what was stated of one model, before and after; empty for nothing."""
    if tilt is None:
        return {}
    rows = zip(tilt.statements, tilt.stated, tilt.before, tilt.before_se, tilt.after, strict=True)
    return {
        "outcomes": [
            {"statement": name, "stated": stated, "before": before, "before_se": error, "after": after}
            for name, stated, before, error, after in rows
        ],
        "relative_entropy": tilt.relative_entropy,
        "effective_draws": tilt.effective_draws,
    }


def moving(answer: ModelForecast) -> dict[str, Any]:
    """Return which beliefs of one model had to move most; empty where nothing was stated."""
    return _moving(answer.draws, answer.place, answer.tilt)


def of_the_world(draws: Draws | None) -> list[dict[str, Any]]:
    """Return, per model, what was stated and which beliefs about the world had to move most.

    So it is for every project on these worlds: what is stated is about the race without the project.
    Nothing where nothing was stated.
    """
    if draws is None or not draws.tilts:
        return []
    return [
        {"model": name, **data(tilt), **_moving(draws, place, tilt, world=True)}
        for place, (name, tilt) in enumerate(zip(draws.question.readings, draws.tilts, strict=True))
    ]


def _moving(draws: Draws, place: int, tilt: Tilt | None, world: bool = False) -> dict[str, Any]:
    if tilt is None:
        return {}
    found = most_moved(draws, place, tilt, world=world)
    return {
        "moved": [
            {
                "belief": m.belief, "distance": m.distance, "distance_se": m.distance_se,
                "before": list(m.before), "after": list(m.after),
            }
            for m in found
        ]
    }  # fmt: skip


def believed(setup: Setup) -> dict[str, float]:
    """Return what is stated about the outcome for every proposal, by layers and over them: name → chance."""
    found = {n: o.chance for stack in setup.stacks.values() for n, o in stack.outcomes.items()}
    return found | {outcome.name: outcome.chance for outcome in setup.believe}


def shift(nats: float) -> str:
    """Return a relative entropy in plain words."""
    return next(name for most, name in SHIFTS if nats <= most)


def spelled(statement: str, chance: float) -> str:
    """Return a statement in words: "it goes well with 80%", "AGI by the end of 2035 with 50%"."""
    what = "it goes well" if statement == "p_success" else f"AGI comes by the end of {statement[-4:]}"
    return f"{what} with {_percent(chance)}"


def _percent(chance: float) -> str:
    return f"{100 * chance:.3g}%"


def spread(values: Sequence[float]) -> str:
    """Return the ends of some chances in percent: "22 to 34%"."""
    # What is not certain is not said to be: 99.6% has a third digit.
    low, high = (significant(100 * v, 2 if v < 0.99 else 3) for v in (min(values), max(values)))
    return f"{low}%" if low == high else f"{low} to {high}%"


def sentences(content: Mapping[str, Any]) -> list[str]:
    """Return what was stated, what the models said before, and how far they had to be moved."""
    models = content.get("models", ())
    tilted = [m for m in models if m.get("outcomes")]
    if not tilted:
        return []
    said = []
    names = dict.fromkeys(o["statement"] for m in tilted for o in m["outcomes"])
    for name in names:
        found = [o for m in tilted for o in m["outcomes"] if o["statement"] == name]
        before = spread([o["before"] for o in found])
        whose = "the models" if len(models) > 1 else "the model"
        said.append(f"As you state it, {spelled(name, found[0]['stated'])}; before, {whose} said {before}.")
    worst = max(tilted, key=lambda m: float(m["relative_entropy"]))
    nats = float(worst["relative_entropy"])
    under = f" under {worst['model']}" if len(models) > 1 else ""
    most = " at the most" if len(tilted) > 1 else ""
    first = ", ".join(f"{m['belief']} ({_arrow(m)})" for m in worst["moved"][:NAMED])
    said.append(
        f"To meet that, beliefs are moved no further than needed: {shift(nats)}{most} "
        f"({significant(nats)} nats{under}, {content['draws']:,} draws being worth "
        f"{worst['effective_draws']:,.0f})" + (f", {first} most." if first else ".")
    )
    return said


def _arrow(moved: Mapping[str, Any]) -> str:
    return f"median {significant(moved['before'][1])} → {significant(moved['after'][1])}"


def beside_surveys(content: Mapping[str, Any]) -> list[str]:
    """Return a sentence where nothing is stated and what surveys find lies elsewhere."""
    if any(m.get("outcomes") for m in content["models"]):
        return []
    chances = {
        name: entry["p_success"] for name, entry in published.outcomes().items() if "p_success" in entry
    }
    low, high = min(chances.values()), max(chances.values())
    means = [float(m["p_success_without"]["mean"]) for m in content["models"]]
    if max(means) >= low and min(means) <= high:
        return []
    where = "These models give" if len(means) > 1 else "This model gives"
    name = content.get("adoptable")
    one = f"To start from one: --believe {name}; from" if name else "To start from"
    return [
        f"{where} alignment a chance of {spread(means)}; surveys put a good outcome at "
        f"{spread([low, high])}. {one} your own: --believe p_success=60%."
    ]
