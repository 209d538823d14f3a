"""What to fund, as plain data: the JSON of ``difprog allocate``, of which screen and memo are made."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from difprog import __version__
from difprog.choose.decision import Decision, picked
from difprog.choose.rows import Choice
from difprog.choose.rules import RULES
from difprog.forecast.summary import MICRODOOM, sign
from difprog.forecast.tails import KHAT_LIMIT, tail_index
from difprog.render import data, outcomes
from difprog.render.content import standing
from difprog.render.data import MILLION

SCHEMA = "difprog.allocate/1"

#: What the rules are called.
RULE_NAMES = {"expected": "expected", "worst": "worst-model", "regret": "regret"}


def as_data(found: Decision) -> dict[str, Any]:
    """Return a decision as plain data."""
    stack = found.stack
    models = [model.name for model in stack.setup.models]
    rules = [RULE_NAMES[rule] for rule in RULES]
    by_rule = [found.by_rule[rule] for rule in RULES]
    needed = {each.row: each for each in found.needed}

    def row(place: int) -> dict[str, Any]:
        one = stack.rows[place]
        entry = {
            "row": one.row.number,
            "name": one.name,
            "cost": one.cost,
            "net_effect": data.summary(one.net),
            "per_million": one.net.mean / MICRODOOM / one.cost * MILLION,
            "per_million_se": one.net.mcse / MICRODOOM / one.cost * MILLION,
            "signs": [sign(own) for own in one.by_model],
            "models_in": picked(found.by_model, models, place),
            "rules_in": picked(by_rule, rules, place),
            "scenarios_in": picked(found.scenarios, list(found.scenarios), place),
        }
        if one.group is not None:
            entry["group"] = one.group
        if one.reviews:
            entry["reviews"] = dict(one.reviews)
        if place in needed:
            want = needed[place]
            entry["needed"] = {
                "cost": data.number(want.cost),
                "effect": data.number(want.effect),
            }
        return entry

    inside = sorted(found.choice.rows, key=lambda place: -_price(found, place))
    outside = sorted(set(range(len(stack.rows))) - set(inside), key=lambda place: -_price(found, place))
    both = found.together
    alone = found.by_model
    stated = outcomes.of_the_world(stack.worlds)

    def beside(other: Choice) -> dict[str, int]:
        """Return how many of the rows chosen another choice has too, and how many it has."""
        return {"kept": len(set(other.rows) & set(found.choice.rows)), "chosen": len(other.rows)}

    return {
        "schema": SCHEMA,
        "version": __version__,
        "as_of": stack.setup.stacks[models[0]].as_of.isoformat(),
        "draws": stack.request.draws,
        "seed": stack.request.seed,
        "prob": stack.request.prob,
        "budget": found.budget,
        "rule": RULE_NAMES[found.rule],
        "max_harm": found.max_harm,
        **({"believe": outcomes.believed(stack.setup), "models": stated} if stated else {}),
        **({"short": found.choice.short} if found.choice.short else {}),
        "cost": found.choice.cost,
        "together": None if both is None else data.summary(both.summary),
        "sum_of_parts": 0.0 if both is None else both.sum_of_parts.mean,
        "interaction": None if both is None else data.summary(both.interaction),
        "harmed": found.harmed,
        "bar": found.bar / MICRODOOM * MILLION,
        "chosen": [row(place) for place in inside],
        "left_out": [row(place) for place in outside],
        "unread": [
            {"row": unread.number, "name": unread.name, "problems": [str(p) for p in error.problems]}
            for unread, error in stack.left
        ],
        "frontier": [
            {"budget": step.budget, "effect": step.expected, "chosen": len(step.rows)}
            for step in found.frontier
        ],
        "credences": [
            {
                "model": models[span.model], "low": span.low, "credence": span.credence, "high": span.high,
                "effect": found.choice.by_model[span.model], **beside(alone[span.model]),
            }
            for span in found.spans
        ],
        "rules": {said: beside(choice) for said, choice in zip(rules, by_rule, strict=True)},
        "scenarios": {name: beside(choice) for name, choice in found.scenarios.items()},
        "reviews": {
            how: {
                **beside(choice), "cost": choice.cost,
                "rows": [stack.rows[place].row.number for place in choice.rows],
            }
            for how, choice in found.reviews.items()
        },
        "hangs_on": [asdict(turn) for turn in found.turns],
        "disappointment": {
            "estimated": found.disappointment.estimated,
            "honest": found.disappointment.honest,
            "honest_se": found.disappointment.honest_se,
        },
        "information": {
            "everything": {"value": found.evpi.value, "se": found.evpi.se},
            "which_model": {"value": found.which_model.value},
            "beliefs": {name: {"value": gain.value, "se": gain.se} for name, gain in found.beliefs.items()},
        },
    }


def rests_on(found: Decision) -> dict[str, Any]:
    """Return what screen and memo say beside the JSON: whose beliefs stand, which means few draws carry."""
    stack = found.stack
    heavy = [
        one.name
        for place, one in enumerate(stack.rows)
        if any(
            (tail_index(nets[place], weights) or 0.0) > KHAT_LIMIT
            for nets, weights in zip(stack.nets, stack.weights, strict=True)
        )
    ]
    return {"standing": standing(stack.setup), "heavy": heavy}


def _price(found: Decision, place: int) -> float:
    one = found.stack.rows[place]
    return one.net.mean / max(one.cost, 1e-300)
