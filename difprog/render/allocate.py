"""What to fund: as JSON, and on the terminal with the decision first. The memo is `difprog.render.budget`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog import __version__
from difprog.choose.decision import Decision, picked
from difprog.choose.rows import Choice
from difprog.choose.rules import RULES
from difprog.forecast.summary import MICRODOOM, sign
from difprog.render import data, words
from difprog.render.format import microdooms, percent, significant, supported
from difprog.render.screen import DIM, HEAD, MARGIN, Column, fitted, indented, section, sentences, text

SCHEMA = "difprog.allocate/1"
MILLION = 1e6

#: How the rules are called, and what each looks at.
RULE_WORDS = {
    "expected": ("expected", "the largest effect, averaged over models by credence"),
    "worst": ("worst-model", "the largest effect under the model under which it is least"),
    "regret": ("regret", "the smallest shortfall from what is best under any model"),
}

#: What the ways to put reviews together are.
REVIEW_WORDS = {
    "consensus": "as bad as the reviewer who thinks least of it says",
    "champion": "as good as the reviewer who is keenest on it says",
    "pool": "the mean of what its reviewers say",
}

#: Rows of a table on the screen: of those funded, and of those below the line.
MOST_ROWS, MOST_BELOW = 30, 10

#: Columns of the frontier's bars, and how many of them.
BAR, STEPS = 40, 12

#: Columns that all of a table but the names takes, and what it would need takes beside that; names are set in
#: what is left, wrapped.
NUMBERS, NEEDS, LEAST_NAME, WIDEST_NAME = 46, 12, 20, 60


def as_data(found: Decision) -> dict[str, Any]:
    """Return a decision as plain data."""
    stack = found.stack
    models = [model.name for model in stack.setup.models]
    rules = [RULE_WORDS[rule][0] for rule in RULES]
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
        "rule": RULE_WORDS[found.rule][0],
        "max_harm": found.max_harm,
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


def _price(found: Decision, place: int) -> float:
    one = found.stack.rows[place]
    return one.net.mean / max(one.cost, 1e-300)


def money(amount: float) -> str:
    """Return an amount of dollars as people write it: "$2.5M", "$180k", "$2M"."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, "")):
        # What rounds to a thousand of one unit is one of the next.
        if amount >= size * (1 - 5e-4) or size == 1.0:
            digits = significant(amount / size, 3)
            return f"${digits.rstrip('0').rstrip('.') if '.' in digits else digits}{unit}"
    raise AssertionError


def verdict(content: Mapping[str, Any]) -> list[str]:
    """Return the decision in sentences, what to fund first."""
    chosen, out = content["chosen"], content["left_out"]
    many = len(chosen) + len(out)
    if not chosen:
        budget = money(content["budget"])
        return [f"Fund none of the {many} with {budget}: nothing in reach is expected to help."]
    both = words.summary(content["together"])
    said = [
        f"Fund {len(chosen)} of {many} for {money(content['cost'])} of {money(content['budget'])}: "
        f"together {microdooms(both.mean, both.mcse)} microdooms averted, "
        f"{percent(content['harmed'], content['draws'])} of worlds harmed.",
    ]
    between = words.summary(content["interaction"])
    parts = microdooms(content["sum_of_parts"], both.mcse)
    if abs(between.mean) > 2 * between.mcse:
        how = "get in each other's way" if between.mean < 0 else "help each other"
        said.append(f"One by one they would add up to {parts}: they {how}.")
    elif len(chosen) > 1:
        said.append(f"One by one they add up to {parts}: what they do to each other does not show.")
    said.append(_margin(content))
    models = len(content["credences"])
    if models > 1:
        sure = sum(len(row["models_in"]) == models for row in chosen)
        said.append(f"Each model on its own would fund {_of(sure, len(chosen))} too.")
    gap, error = content["disappointment"]["estimated"], content["disappointment"]["honest_se"]
    honest = content["disappointment"]["honest"]
    if gap - honest > 2 * error:
        said.append(
            f"The draws that choose flatter the choice: chosen by other draws it comes to "
            f"{microdooms(honest, error)}. More --draws would tell rows apart better."
        )
    return said


def _of(some: int, every: int) -> str:
    """Return "all 10", "none", "6 of the 10"."""
    return f"all {every}" if some == every else f"{some} of the {every}" if some else "none of them"


def _margin(content: Mapping[str, Any]) -> str:
    """Return what the last dollar buys: the bar for the next proposal."""
    bar = content["bar"]
    if not bar > 0:
        if any(row["net_effect"]["mean"] > 0 for row in content["left_out"]):
            return (
                "Money is left, and nothing more that is expected to help fits: it costs more than the "
                "budget, harms more than the cap allows, or is another level of what is in."
            )
        return "Money is left: everything that is expected to help is in."
    said = f"The bar at the margin is {significant(bar)} microdooms per million dollars"
    if any(row["per_million"] < bar for row in content["chosen"]):
        return f"{said}; grants below it that are in fill up what the larger ones leave."
    return f"{said}: what the next proposal has to bring."


def against(content: Mapping[str, Any]) -> list[str]:
    """Return in sentences what rules, scenarios and reviewers would change."""
    many, said = len(content["chosen"]), []

    def other(found: Mapping[str, Any]) -> str:
        more = found["chosen"] - found["kept"]
        return f"{_of(found['kept'], many)}{f', and {more} other{"s" * (more > 1)}' if more else ''}"

    rules = {rule: found for rule, found in content["rules"].items() if rule != content["rule"]}
    if rules and many:
        told = [f"{rule} {other(found)}" for rule, found in rules.items()]
        said.append(f"Of what is funded here other rules would fund: {'; '.join(told)}.")
    if content["scenarios"] and many:
        told = [f"under {name} {other(found)}" for name, found in content["scenarios"].items()]
        said.append(f"Of what is funded here scenarios would have: {'; '.join(told)}.")
    if content["reviews"]:
        rows = [*content["chosen"], *content["left_out"]]
        reviewed = sum("reviews" in row for row in rows)
        told = [f"{how} {other(found)}" for how, found in content["reviews"].items()]
        said.append(
            f"By the reviews of {reviewed} of the {len(rows)}, of what is funded here would be in: "
            f"{'; '.join(told)}."
        )
    return said


def knowing(content: Mapping[str, Any]) -> list[str]:
    """Return in sentences what it would be worth to know before choosing."""
    known = content["information"]
    every, model = known["everything"], known["which_model"]
    lines = []
    if every["value"] > 2 * every["se"]:
        worth = microdooms(every["value"], every["se"], sign=False)
        lines.append(f"Knowing everything before choosing would be worth {worth} microdooms.")
    if len(content["credences"]) > 1:
        worth = significant(model["value"] / MICRODOOM) if model["value"] > 0 else "nothing"
        lines.append(f"Knowing which model is right would be worth {worth}.")
    worthy = {name: g for name, g in known["beliefs"].items() if g["value"] > 2 * g["se"]}
    if worthy:
        name, gain = next(iter(worthy.items()))
        worth = microdooms(gain["value"], gain["se"], sign=False)
        lines.append(f"Of single beliefs {name} is worth most to know: {worth}.")
    elif known["beliefs"]:
        listed = words.listed(list(known["beliefs"]))
        lines.append(f"Knowing one of {listed} would not change the set by an amount that shows.")
    return lines


def show(content: Mapping[str, Any], screen: Console) -> None:
    """Print a decision: what to fund, the line, what would change it."""
    screen.print(text(f"What to fund with {money(content['budget'])}", HEAD))
    for line in basis(content):
        screen.print(text(line, DIM))
    screen.print()
    sentences(screen, [((line, ""),) for line in verdict(content)])
    _table(content, content["chosen"], "Fund", MOST_ROWS, screen)
    _table(content, content["left_out"], "Below the line", MOST_BELOW, screen)
    _frontier(content, screen)
    _robust(content, screen)


def basis(content: Mapping[str, Any]) -> list[str]:
    """Return by which rule and under what was chosen, in lines."""
    rule = next(said for said in RULE_WORDS.values() if said[0] == content["rule"])
    cap = "" if content["max_harm"] is None else f", at most {content['max_harm']:.0%} harm per dollar"
    models = len(content["credences"])
    return [
        f"rule {rule[0]}: {rule[1]}{cap}",
        f"{models} model{'s' * (models > 1)} · {content['draws']:,} draws · seed {content['seed']}",
    ]


def _table(
    content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], title: str, most: int, screen: Console
) -> None:
    if not rows:
        return
    told = any("needed" in row for row in rows[:most])
    note = "best per dollar first; effects in microdooms averted"
    section(screen, title, f"{note}; what is needed, by expectation" if told and _regret(content) else note)
    shown = rows[:most]
    models, rules = len(content["credences"]), len(RULES)
    room = screen.width - MARGIN - NUMBERS - (NEEDS if told else 0)
    room = min(max(room, LEAST_NAME), WIDEST_NAME)
    columns = [
        Column("row", [str(row["row"]) for row in shown], drop=4),
        Column("name", [_wrapped(row["name"], room) for row in shown], left=True, wrap=True),
        Column("cost", [money(row["cost"]) for row in shown]),
        Column("effect", [effect(row) for row in shown]),
        Column("per $1M", [per_million(row) for row in shown]),
    ]
    if told:
        wants = [needs(row) for row in shown]
        columns.append(Column("in at a cost", [cost for cost, _ in wants], drop=1))
        columns.append(Column("or effect", [gain for _, gain in wants], drop=2))
    columns += [
        Column("models", [f"{len(row['models_in'])} of {models}" for row in shown], drop=3),
        Column("rules", [f"{len(row['rules_in'])} of {rules}" for row in shown], drop=4),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))
    if len(rows) > len(shown):
        indented(screen, Text(f"and {len(rows) - len(shown)} more: --json", style=DIM))


def _wrapped(name: object, width: int) -> Text:
    """Return a name in lines of at most some columns."""
    return Text("\n").join(Text(line) for line in textwrap.wrap(text(name, limit=80).plain, width) or [""])


def effect(row: Mapping[str, Any]) -> str:
    """Return a row's mean net effect in microdooms."""
    net = row["net_effect"]
    return microdooms(net["mean"], net["mcse"])


def per_million(row: Mapping[str, Any]) -> str:
    """Return a row's microdooms per million dollars."""
    return supported(row["per_million"], row["per_million_se"], sign=True, digits=2)


def needs(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return at what cost, or with what effect, a row that is left out would be in; "" where not asked."""
    if "needed" not in row:
        return "", ""
    cost, gain = row["needed"]["cost"], row["needed"]["effect"]
    return (
        "never" if cost is None else f"≤ {money(cost)}",
        "never" if gain is None else f"≥ {significant(gain / MICRODOOM, 3, sign=True)}",
    )


def _regret(content: Mapping[str, Any]) -> bool:
    """Whether the rule is least regret, under which what a row needs is told by expectation."""
    return bool(content["rule"] == RULE_WORDS["regret"][0])


def near(row: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """Return in a sentence what a row just below the line would have to cost, or to show, to be in."""
    cost, gain = row["needed"]["cost"], row["needed"]["effect"]
    net, ways = row["net_effect"], []
    if cost is not None:
        ways.append(f"at a cost ≤ {money(cost)}")
    if gain is not None:
        close = gain - net["mean"] <= 2 * net["mcse"]
        said = f"with an effect {needs(row)[1]}"
        ways.append(f"{said}, which is within the error of its own" if close else said)
    said = ", or ".join(ways) or "on no terms"
    dear = row["cost"] > content["budget"]
    over = "costs more than the budget" if dear else "harms more than the cap allows"
    more = "" if gain is not None else f"; as it is, it {over}"
    by = " by expectation" if _regret(content) else ""
    return f"{row['name']} ({money(row['cost'])}, {effect(row)}) would be in{by} {said}{more}."


def _frontier(content: Mapping[str, Any], screen: Console) -> None:
    steps = content["frontier"]
    if len(steps) < 2:
        return
    section(screen, "What more or less money buys", "the best set at each budget")
    top = max(step["effect"] for step in steps) or 1.0
    shown = steps_shown(steps, content["budget"])
    width = max(10, min(BAR, screen.width - 40))
    bars = ["█" * max(round(width * step["effect"] / top), 0) for step in shown]
    marks = ["◂ yours" if step["budget"] == content["budget"] else "" for step in shown]
    columns = [
        Column("budget", [money(step["budget"]) for step in shown]),
        Column("rows", [str(step["chosen"]) for step in shown]),
        Column("effect", [significant(step["effect"] / MICRODOOM, 3) for step in shown]),
        Column("", [f"{bar} {mark}".rstrip() for bar, mark in zip(bars, marks, strict=True)], left=True),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))


def steps_shown(steps: Sequence[Mapping[str, Any]], budget: float) -> list[Mapping[str, Any]]:
    """Return at most `STEPS` points of the frontier, the ends and one's own budget among them."""
    last = min(len(steps), STEPS - 1) - 1
    places = {round(at * (len(steps) - 1) / max(last, 1)) for at in range(last + 1)}
    own = {at for at, step in enumerate(steps) if step["budget"] == budget}
    return [steps[at] for at in sorted(places | own)]


def _robust(content: Mapping[str, Any], screen: Console) -> None:
    section(screen, "What would change it")
    spans = content["credences"]
    if len(spans) > 1 and content["chosen"]:
        note = "The set stays the best while the credence in a model is from … to …"
        indented(screen, Text(note, style=DIM))
        columns = [
            Column("model", [text(span["model"]) for span in spans], left=True),
            Column("now", [f"{span['credence']:.0%}" for span in spans]),
            Column("from", [f"{span['low']:.0%}" for span in spans]),
            Column("to", [f"{span['high']:.0%}" for span in spans]),
            Column("the set's effect", [significant(s["effect"] / MICRODOOM, sign=True) for s in spans]),
            Column("it would keep", [f"{s['kept']} of {len(content['chosen'])}" for s in spans], drop=1),
        ]
        indented(screen, fitted(columns, screen.width - MARGIN))
    sentences(screen, [((line, ""),) for line in [*against(content), *knowing(content)]])
    if content["unread"]:
        section(screen, "Left out, as they cannot be read or state no cost")
        for row in content["unread"]:
            indented(screen, text(f"row {row['row']}: {row['problems'][0]}"))
