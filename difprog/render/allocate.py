"""What to fund: as JSON, and on the terminal with the decision first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog import __version__
from difprog.choose.allocate import RULES
from difprog.choose.fund import Decision, picked
from difprog.forecast.summary import MICRODOOM
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

#: Rows of a table on the screen, columns of the frontier's bars, and how many of them.
MOST_ROWS, BAR, STEPS = 30, 40, 12


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
            "models_in": picked(found.by_model, models, place),
            "rules_in": picked(by_rule, rules, place),
            "scenarios_in": picked(found.scenarios, list(found.scenarios), place),
        }
        if one.group is not None:
            entry["group"] = one.group
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
    return {
        "schema": SCHEMA,
        "version": __version__,
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
            {"model": models[span.model], "low": span.low, "credence": span.credence, "high": span.high}
            for span in found.spans
        ],
        "scenarios": {
            name: {"kept": len(set(choice.rows) & set(found.choice.rows)), "chosen": len(choice.rows)}
            for name, choice in found.scenarios.items()
        },
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
    """Return an amount of dollars as people write it: "$2.5M", "$180k"."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if amount >= size:
            return f"${significant(amount / size, 3)}{unit}"
    return f"${significant(amount, 3)}"


def verdict(content: Mapping[str, Any]) -> list[str]:
    """Return the decision in sentences."""
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
    else:
        said.append(f"One by one they add up to {parts}: that they meet makes no difference that shows.")
    if content["bar"] > 0:
        said.append(
            f"The bar at the margin: {significant(content['bar'])} microdooms per million dollars. "
            "What does less is not worth its cost here."
        )
    else:
        said.append("Money is left: everything that is expected to help is in.")
    sure = [c for c in chosen if len(c["models_in"]) == len(content["credences"])]
    said.append(
        f"Every model alone would fund {len(sure)} of the {len(chosen)}."
        if content["credences"] and len(content["credences"]) > 1 else "One model was asked."
    )  # fmt: skip
    gap, error = content["disappointment"]["estimated"], content["disappointment"]["honest_se"]
    honest = content["disappointment"]["honest"]
    if gap - honest > 2 * error:
        said.append(
            f"The draws that choose flatter the choice: chosen by other draws it comes to "
            f"{microdooms(honest, error)}. More --draws would tell rows apart better."
        )
    return said


def show(content: Mapping[str, Any], screen: Console) -> None:
    """Print a decision: what to fund, the line, what would change it."""
    screen.print(text(f"What to fund with {money(content['budget'])}", HEAD))
    rule = next(said for said in RULE_WORDS.values() if said[0] == content["rule"])
    cap = "" if content["max_harm"] is None else f" · at most {content['max_harm']:.0%} harm per dollar"
    note = f"rule {rule[0]}: {rule[1]}{cap} · {content['draws']:,} draws · seed {content['seed']}"
    screen.print(text(note, DIM))
    screen.print()
    sentences(screen, [((line, ""),) for line in verdict(content)])
    _table(content, content["chosen"], "Fund", screen)
    if content["left_out"]:
        _table(content, content["left_out"], "Below the line", screen)
    _frontier(content, screen)
    _robust(content, screen)


def _table(
    content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], title: str, screen: Console
) -> None:
    if not rows:
        return
    section(screen, title, "best per dollar first; effects in microdooms averted")
    shown = rows[:MOST_ROWS]
    models, rules = len(content["credences"]), len(RULES)
    net = [words.summary(row["net_effect"]) for row in shown]
    columns = [
        Column("row", [str(row["row"]) for row in shown], drop=3),
        Column("name", [text(row["name"], limit=60) for row in shown], left=True, wrap=True),
        Column("cost", [money(row["cost"]) for row in shown]),
        Column("effect", [f"{microdooms(each.mean, each.mcse)}" for each in net]),
        Column(
            "per $1M",
            [supported(row["per_million"], row["per_million_se"], sign=True, digits=2) for row in shown],
        ),
        Column("models", [f"{len(row['models_in'])} of {models}" for row in shown], drop=2),
        Column("rules", [f"{len(row['rules_in'])} of {rules}" for row in shown], drop=1),
    ]
    if any("needed" in row for row in shown):
        columns.append(Column("in at a cost of", [_needs(row) for row in shown], drop=4))
    indented(screen, fitted(columns, screen.width - MARGIN))
    if len(rows) > len(shown):
        indented(screen, Text(f"and {len(rows) - len(shown)} more: --json", style=DIM))


def _needs(row: Mapping[str, Any]) -> str:
    if "needed" not in row:
        return ""
    cost = row["needed"]["cost"]
    return "no cost" if cost is None else f"≤ {money(cost)}"


def _frontier(content: Mapping[str, Any], screen: Console) -> None:
    steps = content["frontier"]
    if len(steps) < 2:
        return
    section(screen, "What more or less money buys", "the best set at each budget")
    top = max(step["effect"] for step in steps) or 1.0
    last = min(len(steps), STEPS) - 1
    shown = [steps[round(at * (len(steps) - 1) / last)] for at in range(last + 1)]
    width = max(10, min(BAR, screen.width - 40))
    bars = ["█" * max(round(width * step["effect"] / top), 0) for step in shown]
    marks = ["◂ yours" if _is_nearest(step, shown, content["budget"]) else "" for step in shown]
    columns = [
        Column("budget", [money(step["budget"]) for step in shown]),
        Column("rows", [str(step["chosen"]) for step in shown]),
        Column("effect", [significant(step["effect"] / MICRODOOM, 3) for step in shown]),
        Column("", [f"{bar} {mark}".rstrip() for bar, mark in zip(bars, marks, strict=True)], left=True),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))


def _is_nearest(step: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], budget: float) -> bool:
    return step is min(steps, key=lambda each: abs(each["budget"] - budget))


def _robust(content: Mapping[str, Any], screen: Console) -> None:
    section(screen, "What would change it")
    lines = [
        f"The set stays the best while the credence in {span['model']} is {span['low']:.0%} to "
        f"{span['high']:.0%} (now {span['credence']:.0%})."
        for span in content["credences"]
        if span["high"] - span["low"] < 1.0
    ]
    if not lines and len(content["credences"]) > 1:
        lines.append("No credence in any one model changes the set.")
    for name, found in content["scenarios"].items():
        lines.append(
            f"Under the scenario {name} {found['kept']} of the {len(content['chosen'])} stay, "
            f"of {found['chosen']} that it would fund."
        )
    known = content["information"]
    every, model = known["everything"], known["which_model"]
    lines.append(
        f"Knowing everything before choosing would be worth {microdooms(every['value'], every['se'])} "
        f"microdooms; which model is right, {microdooms(model['value'], 0.0)}."
    )
    worth = {name: g for name, g in known["beliefs"].items() if g["value"] > 2 * g["se"]}
    if worth:
        name, gain = next(iter(worth.items()))
        worth_of = microdooms(gain["value"], gain["se"])
        lines.append(f"Of single beliefs {name} is worth most to know: {worth_of}.")
    elif known["beliefs"]:
        listed = words.listed(list(known["beliefs"]))
        lines.append(f"Knowing one of {listed} would not change the set by an amount that shows.")
    sentences(screen, [((line, ""),) for line in lines])
    if content["unread"]:
        section(screen, "Left out, as they cannot be read or state no cost")
        for row in content["unread"]:
            indented(screen, text(f"row {row['row']}: {row['problems'][0]}"))
