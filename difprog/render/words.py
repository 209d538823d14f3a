"""An explanation in sentences, the same ones in the terminal and in written reports.

From the plain data of `difprog.render.explained` to plain text; markup is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from difprog.forecast.summary import MICRODOOM, Summary
from difprog.render.format import MINUS, interval, percent, significant, supported, with_error

#: What the channels and, inside the last, the paths are called.
CHANNEL_TITLES = {
    "parallel": "parallel work",
    "serial": "serial progress",
    "capability": "capability speedup",
    "adoption": "adoption, lead, breadth",
    "run_up": "know-how and run-up",
}
PATH_TITLES = {
    "know_how": "path 1: know-how, followers",
    "run_up": "path 2: a better run-up",
    "solution": "path 3: a solution",
}
MIXTURE = "all, by credence"

RATIOS_NOTE = (
    "Breaks even at: the ratio at which alignment work of that kind alone makes up for the "
    "capability speedup, at the margin."
)
DRIVERS_NOTE = (
    "Share: of the variance of the net effect that the belief explains on its own. EVPPI: microdooms "
    "gained by knowing it before choosing. Both by regression on the draws (Strong, Oakley & "
    "Brennan 2014)."
)


def headline(content: Mapping[str, Any]) -> list[str]:
    """Return the answer in sentences, as the terminal says it."""
    from difprog.render import terminal

    forecast: Any = SimpleNamespace(
        ensemble={"net_effect": summary(content["ensemble"]["net_effect"])},
        sign_disagreement=content["ensemble"]["sign_disagreement"],
        models=[
            SimpleNamespace(model=SimpleNamespace(name=m["model"]), net=summary(m["net_effect"]))
            for m in content["models"]
        ],
        prob=content["prob"],
        count=content["draws"],
    )
    return [line.plain for line in terminal.headline(forecast)]


def summary(values: Mapping[str, Any]) -> Summary:
    """Return a SUMMARY object of the interface as a `Summary`."""
    return Summary(**{name: float(values[name] or 0.0) for name in Summary.__dataclass_fields__})


def amount(value: float, error: float | None, digits: int = 2) -> str:
    """Return a positive amount cut where its error begins; "about" where the error is near its size."""
    error = error or 0.0
    if error >= abs(value) / 2:
        return f"about {significant(value, 1)}"
    return supported(value, error, digits=digits)


def factor(value: float | None, error: float | None) -> str:
    """Return a break-even factor as "× 0.83", or "none"."""
    if value is None:
        return "none"
    return "× 0" if value == 0 else f"× {amount(value, error)}"


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


def choice(options: Mapping[str, Any], own: str) -> str:
    """Return which publication policy has the best mean, and what it gains over the stated one."""
    best = max(options, key=lambda name: options[name]["mean"])
    mean, error = options[best]["mean"], options[best]["mcse"]
    said = supported(mean / MICRODOOM, error / MICRODOOM, sign=True)
    if mean <= 2 * error:
        return "No publication policy is resolved to be better than doing nothing."
    if best == own:
        return f"Of the publication policies the stated one, {own}, is best: {said} microdooms averted."
    there = supported(options[own]["mean"] / MICRODOOM, options[own]["mcse"] / MICRODOOM, sign=True)
    if there == said:
        return (
            f"No publication policy is better than the stated one, {own}, by an amount that shows: "
            f"{there} microdooms averted."
        )
    return (
        f"Of the publication policies {best} is best, with {said} microdooms averted; "
        f"{own}, as stated, has {there}."
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


def explained_together(drivers: Sequence[Mapping[str, Any]]) -> str:
    """Return how much of the variance the beliefs explain one by one, in a sentence."""
    total = sum(d["variance_share"] for d in drivers)
    return (
        f"One by one the beliefs explain {min(total, 1.0):.0%} of the variance; the rest is in how "
        "they combine."
    )


def share(driver: Mapping[str, Any]) -> str:
    """Return a variance share in percent, as finely as its error supports.

    One that is not resolved from 0 is given by its upper bound, two errors up.
    """
    value, error = 100 * driver["variance_share"], 100 * driver["variance_share_se"]
    if value <= 2 * error:
        return f"<{significant(min(max(value + 2 * error, 0.1), 100.0), 1)}%"
    return f"{supported(value, error, digits=2)}%"


def evppi(driver: Mapping[str, Any]) -> str:
    """Return an EVPPI in microdooms; 0 where it is not resolved from 0."""
    if driver["evppi"] <= 2 * driver["evppi_se"]:
        return "0"
    return supported(driver["evppi"], driver["evppi_se"], digits=2)


def evppi_with_error(driver: Mapping[str, Any]) -> str:
    """Return an EVPPI in microdooms with its error; "0" where neither is anything."""
    if not driver["evppi_se"]:
        return significant(driver["evppi"])
    return with_error(driver["evppi"], driver["evppi_se"])


def net_cells(net: Mapping[str, Any], count: int) -> list[str]:
    """Return mean ± error and interval in microdooms, and the chances of help and of harm."""
    return [
        with_error(net["mean"], net["mcse"], MICRODOOM, sign=True),
        interval(net["lower"], net["upper"], MICRODOOM, sign=True),
        percent(net["p_positive"], count),
        percent(net["p_negative"], count),
    ]
