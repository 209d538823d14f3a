"""Learn first, or decide now: as plain data, and in sentences for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from difprog.choose.pilot import Answer
from difprog.forecast.summary import MICRODOOM
from difprog.render import words
from difprog.render.format import money, significant, supported, with_error
from difprog.render.screen import section, sentences
from difprog.why.explain import NOTHING


def as_data(found: Answer) -> dict[str, Any]:
    """Return what a pilot is worth as plain data; gains and prices in microdooms, as EVPPI is elsewhere."""
    name, value = found.now
    return {
        "belief": found.stated.belief,
        "stated": found.stated.error,
        "error": found.error,
        "relative": found.relative,
        "unit": found.unit,
        "price_usd": found.price,
        "bar": {"microdooms_per_million_usd": found.bar.per_million, "source": found.bar.source or None},
        "cost_usd": found.cost,
        "now": {"option": name, "net_benefit": value / MICRODOOM},
        "evsi": found.found.value / MICRODOOM,
        "evsi_se": found.found.se / MICRODOOM,
        "evppi": found.found.perfect / MICRODOOM,
        "price": found.found.price / MICRODOOM,
        "pays": found.found.pays,
    }


def verdict(pilot: Mapping[str, Any]) -> list[words.Sentence]:
    """Return the advice in sentences."""
    cost, name = money(pilot["price_usd"]), str(pilot["belief"])
    gain = _gain(pilot)
    price = significant(pilot["price"])
    aim = words.said(" to learn ", (name, words.NAME), f" to ± {pilot['stated']}")
    if pilot["pays"]:
        first = words.said(
            (f"Pay {cost} first", words.GOOD), *aim, f": that is worth {gain}, its price {price}."
        )
    elif pilot["pays"] is False:
        first = words.said(
            ("Decide now", words.STRONG), f": {cost}", *aim,
            f" would be worth {gain}, less than its price, {price}.",
        )  # fmt: skip
    else:
        first = words.said(
            ("The draws cannot tell", words.STRONG), f" whether {cost}", *aim,
            f" pays: it is worth {gain}, its price {price}. More --draws would.",
        )  # fmt: skip
    return [
        first,
        words.said(f"{_most(pilot)} {_now(pilot)}"),
    ]


def priced(pilot: Mapping[str, Any]) -> str:
    """Return at what money is priced, and by whom, in a sentence."""
    bar = pilot["bar"]
    whose = f" ({bar['source']})" if bar["source"] else ""
    rate = significant(bar["microdooms_per_million_usd"])
    said = f"Money is priced at {rate} microdooms per million dollars{whose}"
    return said + (f", the proposal's own {money(pilot['cost_usd'])} too." if pilot["cost_usd"] else ".")


def _gain(pilot: Mapping[str, Any]) -> str:
    if pilot["evsi"] > 0:
        return f"{with_error(pilot['evsi'], pilot['evsi_se'])} microdooms"
    return f"nothing that shows (± {significant(pilot['evsi_se'], 1)})" if pilot["evsi_se"] else "nothing"


def _most(pilot: Mapping[str, Any]) -> str:
    """Return what knowing it outright would be worth, in a sentence."""
    if pilot["evppi"] <= 0:
        return "Not even knowing it outright is worth anything that shows (EVPPI)."
    most = supported(pilot["evppi"], pilot["evsi_se"], digits=2)
    return f"No study of it can be worth more than {most} (EVPPI)."


def _now(pilot: Mapping[str, Any]) -> str:
    option = pilot["now"]["option"]
    if option == NOTHING:
        return "As it stands doing nothing is best."
    return f"As it stands doing it is best, its publication {option}."


def show(pilots: Sequence[Mapping[str, Any]], screen: Console) -> None:
    """Print whether to learn first, pilot by pilot."""
    if pilots:
        section(screen, "Learn first, or decide now")
    for pilot in pilots:
        sentences(screen, verdict(pilot))
    if pilots:
        sentences(screen, [words.said(priced(pilots[0]))])
