"""What to fund in sentences, made of the plain data of `difprog.render.allocation`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from difprog.forecast.summary import MICRODOOM, Summary
from difprog.render import words
from difprog.render.format import microdooms, money, percent, significant, supported
from difprog.render.verdict import basis as drawn

#: What each rule looks at, by what it is called.
RULE_WORDS = {
    "expected": "the largest effect, averaged over models by credence",
    "worst-model": "the largest effect under the model under which it is least",
    "regret": "the smallest shortfall from what is best under any model",
}

#: What the ways to put reviews together are.
REVIEW_WORDS = {
    "consensus": "as bad as the reviewer who thinks least of it says",
    "champion": "as good as the reviewer who is keenest on it says",
    "pool": "the mean of what its reviewers say",
}


def basis(content: Mapping[str, Any]) -> list[str]:
    """Return by which rule and under what was chosen, in lines."""
    share = content["max_harm"]
    cap = "" if share is None else f", the average dollar harming at most {100 * share:g}% of worlds"
    short = content.get("short")
    proved = (
        f", as far as is proved: none is better by more than {significant(short / MICRODOOM)} microdooms"
        if short else ""
    )  # fmt: skip
    return [
        f"rule {content['rule']}: {RULE_WORDS[content['rule']]}{cap}{proved}",
        drawn({**content, "models": content["credences"]}),
    ]


def verdict(content: Mapping[str, Any]) -> list[str]:
    """Return the decision in sentences, what to fund first."""
    chosen, out = content["chosen"], content["left_out"]
    many = len(chosen) + len(out)
    if not chosen:
        return [f"Fund none of the {many} with {money(content['budget'])}: {_nothing(content)}."]
    both = words.summary(content["together"])
    said = [
        f"Fund {len(chosen)} of {many} for {money(content['cost'])} of {money(content['budget'])}: "
        f"together {microdooms(both.mean, both.mcse)} microdooms averted, "
        f"{percent(content['harmed'], content['draws'])} of worlds harmed.",
    ]
    if len(chosen) > 1:
        said.append(by_parts(both, content["sum_of_parts"], words.summary(content["interaction"])))
    said.append(_margin(content))
    models = len(content["credences"])
    if models > 1:
        sure = sum(len(row["models_in"]) == models for row in chosen)
        said.append(_agreed(sure, len(chosen)))
    gap, error = content["disappointment"]["estimated"], content["disappointment"]["honest_se"]
    honest = content["disappointment"]["honest"]
    if gap - honest > 2 * error:
        said.append(
            f"The draws that choose flatter the choice: chosen by other draws it comes to "
            f"{microdooms(honest, error)}. More --draws would tell rows apart better."
        )
    return said


def _nothing(content: Mapping[str, Any]) -> str:
    """Return why nothing is funded."""
    rows = content["left_out"]
    within = [row for row in rows if row["cost"] <= content["budget"]]
    if rows and not within:
        return f"the cheapest costs {money(min(row['cost'] for row in rows))}"
    if not any(row["net_effect"]["mean"] > 0 for row in within):
        return "nothing in reach is expected to help"
    if content["max_harm"] is not None:
        return "what is expected to help harms more than the cap allows"
    return "by this rule no set is better than none"


def by_parts(both: Summary, parts: float, between: Summary) -> str:
    """Return in a sentence what a set's rows come to one by one, beside what they come to together."""
    total = microdooms(parts, both.mcse)
    if abs(between.mean) <= 2 * between.mcse:
        return f"One by one they add up to {total}: what they do to each other does not show."
    less = between.mean < 0
    if total == microdooms(both.mean, both.mcse):
        total = f"{microdooms(abs(between.mean), between.mcse, sign=False)} {'more' if less else 'less'}"
    how = "get in each other's way" if less else "help each other"
    return f"One by one they would add up to {total}: they {how}."


def _agreed(sure: int, many: int) -> str:
    """Return in a sentence how many of the rows that are funded every model on its own would fund."""
    if sure == many:
        return f"Each model on its own would fund {f'all {many}' if many > 1 else 'it'} too."
    if many == 1:
        return "Not every model on its own would fund it."
    return f"{f'{sure} of the {many}' if sure else 'None of them'} would be funded by every model on its own."


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
        left = "The money is just enough" if content["cost"] >= content["budget"] else "Money is left"
        return f"{left}: everything that is expected to help is in."
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


def by_regret(content: Mapping[str, Any]) -> bool:
    """Whether the rule is least regret, under which what a row needs is told by expectation."""
    return bool(content["rule"] == "regret")


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
    by = " by expectation" if by_regret(content) else ""
    return f"{row['name']} ({money(row['cost'])}, {effect(row)}) would be in{by} {said}{more}."
