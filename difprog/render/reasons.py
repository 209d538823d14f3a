"""Why the answer is what it is, in sentences: channels, beliefs, prices, policies, what is worth knowing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from difprog.render.format import MINUS, microdooms, significant, supported, with_error
from difprog.render.trust import mark
from difprog.render.words import (
    BAD,
    GOOD,
    NAME,
    STRONG,
    WHICH_MODEL,
    Sentence,
    Span,
    amount,
    channel_title,
    leading,
    listed,
    meaning,
    said,
    sign_of,
    summary,
)

CHANNELS_NOTE = "Shapley values: each channel's share of the mean, averaged over every order of opening them"
RATIOS_NOTE = (
    "Breaks even at: the ratio at which alignment work of that kind alone makes up for the "
    "capability speedup, at the margin."
)
DRIVERS_NOTE = (
    "Distance: how far the distribution of the effect moves, from 0 to 1, when the belief is known "
    "(Kolmogorov–Smirnov, Pianosi & Wagener 2015). EVPPI: microdooms gained by knowing the belief before "
    "choosing, by regression on the draws (Strong, Oakley & Brennan 2014)."
)


#: Microdooms below which a value of knowing is what rounding leaves.
NOTHING = 1e-9


def main_channel(content: Mapping[str, Any]) -> Sentence:
    """Return through which channels it mostly helps and harms, in a sentence."""
    found = leading(content)
    if not found.get("channels"):
        return ()
    errors = found["channels_mcse"]
    resolved = {c: v for c, v in found["channels"].items() if v and sign_of(v, errors[c] or 0.0)}
    if not resolved:
        return ()
    parts: list[str | Span] = []
    for verb, which, colour in (("helps", 1, GOOD), ("harms", -1, BAD)):
        own = {c: v for c, v in resolved.items() if v * which > 0}
        if own:
            top = max(own, key=lambda c: abs(own[c]))
            parts += [
                " and " if parts else "It ", (verb, colour), " mostly through ",
                (channel_title(top), STRONG),
                f" ({microdooms(own[top], errors[top] or 0.0)})",
            ]  # fmt: skip
    return said(*parts, ".")


def arguments(content: Mapping[str, Any]) -> list[Sentence]:
    """Return which argument helps it most and which least: the models at the two ends."""
    models = sorted(content["models"], key=lambda m: float(m["net_effect"]["mean"]))
    if len(models) < 2:
        return []
    sentences = []
    for model, how in ((models[-1], "most"), (models[0], "least")):
        net = summary(model["net_effect"])
        sentences.append(
            said(
                f"The argument that favours it {how} is ", (str(model["model"]), NAME),
                f" ({model['title']}): {microdooms(net.mean, net.mcse)}.",
            )
        )  # fmt: skip
    return sentences


def hinge(content: Mapping[str, Any]) -> list[Sentence]:
    """Return what the answer hangs on, in sentences: the first drivers, and whose belief each is."""
    drivers = list(leading(content)["drivers"])
    if not drivers:
        return []
    sentences: list[Sentence] = []
    first = "It hangs on "
    if drivers[0]["belief"] == WHICH_MODEL:
        low, high = _ends(drivers[0])
        model = f": {low} under the least favourable, {high} under the most."
        sentences.append(said(first, (WHICH_MODEL, STRONG), model))
        first = "Then on "
    driver = named(content)
    if driver is not None:
        name, (low, high) = str(driver["belief"]), _ends(driver)
        about = meaning(content, name)
        turns = between(driver, leading(content)) + ("; the sign turns on it" if turns_sign(driver) else "")
        ends = f": {low} in its lowest tenth, {high} in its highest{turns}{whose(content, name)}."
        sentences.append(said(first, (name, NAME), about and f" {about}", ends))
    return sentences


def named(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the driver that is the first belief, which `hinge` names; None where there is none."""
    found: Sequence[Mapping[str, Any]] = leading(content)["drivers"][:2]
    return next((driver for driver in found if driver["belief"] != WHICH_MODEL), None)


def _ends(driver: Mapping[str, Any]) -> tuple[str, str]:
    """Return the mean effect in a driver's lowest and highest tenth, in words."""
    low, high = (microdooms(driver[end], driver[f"{end}_se"] or 0.0) for end in ("low", "high"))
    return low, high


def turning(content: Mapping[str, Any], most: int) -> Sentence:
    """Return the first beliefs on which the sign of the mean turns, at most some; () where none does."""
    drivers = [d for d in leading(content).get("drivers") or () if d["belief"] != WHICH_MODEL]
    parts: list[str | Span] = []
    for driver in [d for d in drivers if turns_sign(d)][:most]:
        name, (low, high) = str(driver["belief"]), _ends(driver)
        about = meaning(content, name)
        judged = " (a judgement)" if mark(content, name) else ""
        parts += [
            "; on " if parts else "The sign of the mean turns on ", (name, NAME), about and f" {about}",
            f": {low} in its lowest tenth, {high} in its highest{judged}",
        ]  # fmt: skip
    return said(*parts, ".") if parts else ()


def between(driver: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """Return that the effect is higher, or lower, between a belief's ends than at both, where it is."""
    net = entry.get("net_effect")
    if not net:
        return ""
    slack = 2 * max(net["mcse"] or 0.0, driver["low_se"] or 0.0, driver["high_se"] or 0.0)
    if net["mean"] > max(driver["low"], driver["high"]) + slack:
        return ", and higher in between"
    if net["mean"] < min(driver["low"], driver["high"]) - slack:
        return ", and lower in between"
    return ""


def turns_sign(driver: Mapping[str, Any]) -> bool:
    """Whether the lowest and the highest tenth of a belief have opposite signs, both resolved."""
    ends = [
        sign_of(driver[end], driver[f"{end}_se"] or 0.0) for end in ("low", "high")
    ]
    return ends[0] * ends[1] < 0


def whose(content: Mapping[str, Any], name: str) -> str:
    """Return whether a belief is a judgement, measured, one's own."""
    rows = [row for row in content["provenance"] if row["name"] == name]
    if not rows:
        return ""
    judged = mark(content, name)
    if rows[0]["conditioned_on"]:
        start = "a judgement, " if judged else ""
        return f"; that belief is {start}conditioned on evidence ({rows[0]['conditioned_on']})"
    own = " of your own" if rows[0]["kind"] == "yours" else ""
    if judged:
        return f"; that belief is a judgement{own}"
    return f"; that belief is{own}" if own else ""


def break_even(entry: Mapping[str, Any]) -> str:
    """Return what the break-even factors of one model mean."""
    found = entry["break_even"]
    sign = found["sign"]
    if not sign:
        return "The mean effect is exactly zero as it stands."
    other = "harm" if sign > 0 else "help"
    ways, never = [], []
    for key, error, what in (
        ("capability_multiplier", "capability_mcse", "its capability speedup"),
        ("alignment_multiplier", "alignment_mcse", "its alignment speedup"),
    ):
        value = found[key]
        if value is None:
            never.append(what)
        elif value == 0:
            ways.append(f"without {what} altogether")
        else:
            ways.append(f"at {amount(value, found[error], 3)} times {what}")
    said = f"Breaks even {', or '.join(ways)}." if ways else ""
    if never:
        said += f"{' ' if said else ''}No factor on {' or '.join(never)} turns it to {other}."
    return said


def exchange(entry: Mapping[str, Any]) -> str:
    """Return the trade of one model in words: what one month of capability speedup costs."""
    found = entry["exchange"]
    parts, gains = [], set()
    for key, error, unit, what in (
        ("parallel_person_years_per_month", "parallel_mcse", "person-years", "parallel work"),
        ("serial_months_per_month", "serial_mcse", "months", "serial progress"),
    ):
        value = found[key]
        if value is not None:
            gains.add(value < 0)
            parts.append(f"{amount(abs(value), found[error])} {unit} of {what}")
    if not parts:
        return "Neither kind of alignment work moves the chance of success here, so nothing has a price."
    if gains == {True}:
        return f"One month of capability speedup gains as much as {', or '.join(parts)}."
    if gains == {True, False}:
        return "The two kinds of alignment work differ in sign, so one month of speedup has no one price."
    return f"One month of capability speedup costs as much as {', or '.join(parts)}."


def ratio(value: float | None, error: float | None = None) -> str:
    """Return a differential ratio, "none" where there is no capability speedup to divide by."""
    if value is None:
        return "none"
    return (MINUS if value < 0 else "") + amount(abs(value), error)


def needed(value: float | None, error: float | None) -> str:
    """Return a break-even ratio; a negative one asks for no alignment work at all."""
    return "any" if value is not None and value < 0 else ratio(value, error)


#: The columns of `ratios`.
RATIO_HEADS = ("parallel", "breaks even at", "serial", "breaks even at")


def ratios(entry: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return one model's differential ratios, each followed by the one at which it breaks even."""
    found, rates = entry["ratios"], entry["exchange"]
    return (
        ratio(found["parallel"], found["parallel_mcse"]),
        needed(found["parallel_break_even"], rates["years_mcse"]),
        ratio(found["serial"], found["serial_mcse"]),
        needed(found["serial_break_even"], rates["serial_mcse"]),
    )


def choice(content: Mapping[str, Any]) -> str:
    """Return which publication policy has the best mean, and what it gains over the stated one.

    Means are told apart by twice the larger of their errors. The policies share their worlds, so
    that this is on the safe side.
    """
    options, own = content["ensemble"]["options"], content["project"]["facts"]["publication"]
    best = max(options, key=lambda name: options[name]["mean"])

    def amount_of(name: str) -> str:
        return microdooms(options[name]["mean"], options[name]["mcse"] or 0.0)

    if options[best]["mean"] <= 2 * options[best]["mcse"]:
        return "No publication policy is resolved to be better than doing nothing."
    near = [
        name
        for name, option in options.items()
        if name != best
        and options[best]["mean"] - option["mean"] <= 2 * max(option["mcse"], options[best]["mcse"])
    ]
    if len(near) == len(options) - 1:
        return f"The publication policies cannot be told apart: {own}, as stated, averts {amount_of(own)}."
    if best == own and not near:
        return (
            f"Of the publication policies the stated one, {own}, is best: {amount_of(own)} microdooms "
            "averted."
        )
    if best == own or own in near:
        others = listed([name for name in (best, *near) if name != own])
        return (
            f"No publication policy is better than the stated one, {own}, by an amount that shows: "
            f"{amount_of(own)} microdooms averted; {others} cannot be told from it."
        )
    return (
        f"Of the publication policies {best} is best, with {amount_of(best)} microdooms averted; "
        f"{own}, as stated, has {amount_of(own)}."
    )


def worth_knowing(drivers: Sequence[Mapping[str, Any]]) -> str:
    """Return which belief is worth arguing about before choosing, in a sentence."""
    worth = sorted(
        (d for d in drivers if d["evppi"] > 2 * d["evppi_se"]), key=lambda d: -float(d["evppi"])
    )
    if not worth:
        return (
            "Knowing any one belief would not change the choice between doing nothing and the "
            "publication policies by an amount that shows."
        )
    listed = [f"{d['belief']} ({supported(d['evppi'], d['evppi_se'], digits=2)})" for d in worth[:3]]
    return (
        "Worth knowing before choosing between doing nothing and the publication policies, in "
        f"microdooms: {', '.join(listed)}."
    )


def information(entry: Mapping[str, Any]) -> str:
    """Return what knowing everything, and the beliefs asked about together, would be worth."""

    def amount_of(value: float, error: float) -> str:
        return supported(value, error, digits=2) if value > 2 * error else "nothing that shows"

    found = f"Knowing everything (EVPI): {amount_of(entry['evpi'], entry['evpi_se'])}."
    if "together" in entry:
        together = entry["together"]
        names, worth = " and ".join(together["beliefs"]), amount_of(together["evppi"], together["evppi_se"])
        found += f" Knowing {names} {'together' if len(together['beliefs']) > 1 else 'alone'}: {worth}."
    return found


def distance(driver: Mapping[str, Any]) -> str:
    """Return how far knowing a belief moves the answer, 0 to 1, as finely as its error supports."""
    value, error = driver["distance"], driver["distance_se"] or 0.0
    if value <= 2 * error:
        return f"<{significant(max(2 * error, 0.01), 1)}"
    return supported(value, error, digits=2)


def evppi(driver: Mapping[str, Any]) -> str:
    """Return an EVPPI in microdooms; 0 where it is not resolved from 0."""
    if driver["evppi"] <= 2 * driver["evppi_se"]:
        return "0"
    return supported(driver["evppi"], driver["evppi_se"], digits=2)


def evppi_with_error(driver: Mapping[str, Any]) -> str:
    """Return an EVPPI in microdooms with its error; "0" where neither is anything."""
    if not driver["evppi_se"] or max(driver["evppi"], driver["evppi_se"]) < NOTHING:
        return "0" if driver["evppi"] < NOTHING else significant(driver["evppi"])
    return with_error(driver["evppi"], driver["evppi_se"])
