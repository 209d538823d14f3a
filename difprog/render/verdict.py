"""The answer in sentences, what it rests on, and where to look next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from difprog.forecast.summary import MICRODOOM, sign
from difprog.render.format import (
    interval,
    microdooms,
    one_in,
    percent,
    significant,
    supported,
    with_error,
)
from difprog.render.trust import judgements
from difprog.render.words import (
    BAD,
    GOOD,
    LEAST_MEDIAN,
    STRONG,
    VERDICTS,
    Sentence,
    Span,
    listed,
    median,
    net_of,
    said,
    summary,
)

#: Where the data hold what money and time are worth, under which key, and the unit.
WORTH = (
    ("value_for_money", "microdooms_per_million_usd", "million_usd"),
    ("value_of_time", "microdooms_per_fte_year", "fte_year"),
)

#: Unit → what a sentence about it starts with.
SHORT = {"million_usd": "Per $1M", "fte_year": "Per person-year"}


def verdict(content: Mapping[str, Any]) -> list[Sentence]:
    """Return the answer in sentences a busy person can act on; disagreement comes first."""
    found = [disagreement(content), size(content), middle(content), agreement(content), worlds(content)]
    return [sentence for sentence in (*found, *money(content)) if sentence]


def disagreement(content: Mapping[str, Any]) -> Sentence:
    """Return who says that it helps and who that it harms, where the models differ."""
    if not content["ensemble"]["sign_disagreement"]:
        return ()
    signs = _signs(content)
    return said(
        ("The models disagree about the sign. ", STRONG), ("It helps", GOOD), f" under {listed(signs[1])}; ",
        ("it harms", BAD), f" under {listed(signs[-1])}.", *dependent(content, signs),
    )  # fmt: skip


def dependent(content: Mapping[str, Any], signs: Mapping[int, Sequence[str]]) -> list[str]:
    """Return what keeps models that agree from being as many independent votes.

    A model that opens all that another one opens has its mechanisms in it. And where capability work
    makes up for itself by `overhang`, it lengthens the time after the paradigm in every world.
    """
    opens = {str(model["model"]): set(model.get("opens", ())) for model in content["models"]}
    found = []
    for names in (signs[1], signs[-1]):
        for name in names:
            parts = [n for n in names if opens[n] and opens[n] < opens[name]]
            if parts:
                inside = f"the mechanisms of {listed(parts)} in it: no independent vote."
                found.append(f" Of these, {name} has {inside}")
    under = [name for name in signs[1] if "overhang" in opens[name]]
    if under and content["project"].get("facts", {}).get("kind") == "capabilities":
        found.append(
            f" Under {listed(under)} capability work lengthens the time after the paradigm by construction."
        )
    return found


def _signs(content: Mapping[str, Any]) -> dict[int, list[str]]:
    """Return the models that say that it helps (1), harms (−1), or cannot tell (0)."""
    found: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for model in content["models"]:
        found[sign(summary(model["net_effect"]))].append(str(model["model"]))
    return found


def size(content: Mapping[str, Any]) -> Sentence:
    """Return how much it helps or harms on average."""
    net = net_of(content)
    word, colour = VERDICTS[sign(net)]
    whose = "Mixed by credence, doing this project " if len(content["models"]) > 1 else "Doing this project "
    start = (whose, (word, colour or STRONG))
    if not sign(net):
        if net.sd == 0:
            return said(*start, ": the effect is exactly 0 in every world drawn.")
        most = microdooms(abs(net.mean) + 2 * net.mcse, net.mcse, sign=False)
        return said(*start, f": the mean effect is within {most} microdooms of zero.")
    if net.sd == 0:
        return said(
            *start, f": {microdooms(net.mean)} microdooms averted, exactly, in every world drawn. The chance "
            f"that alignment succeeds before AGI moves by {significant(net.mean, 3, sign=True)}.",
        )  # fmt: skip
    adds = "adds" if net.mean > 0 else "takes away"
    chance = one_in(net.mean).replace("1 in", "1 chance in")
    return said(
        *start, ": ", (f"{microdooms(net.mean, net.mcse)} microdooms averted", STRONG),
        f" on average, which {adds} {chance} that alignment succeeds before AGI.",
    )  # fmt: skip


def middle(content: Mapping[str, Any]) -> Sentence:
    """Return the median and the interval, and whether few worlds carry the mean."""
    net = net_of(content)
    if net.sd == 0:
        return ()
    few = abs(net.median) < abs(net.mean) / 3 and sign(net) != 0
    ends = interval(net.lower, net.upper, MICRODOOM, sign=True)
    share = f"{content['prob']:.0%}"
    lie = f"half of the worlds lie below it, {share} within {ends}"
    if net.median == 0:  # where many worlds are at exactly 0, fewer than half lie below
        lie = f"{share} of the worlds lie {'within' if net.lower < net.upper else 'at'} {ends}"
    few_words = "; few worlds carry the mean" if few else ""
    value = median(content["ensemble"]["net_effect"])
    if value[0] in "<>":
        value = f"{'above' if net.median > 0 else 'below'} 0 by less than {LEAST_MEDIAN}"
    return said("The median is ", (value, STRONG), f": {lie}{few_words}.")


def agreement(content: Mapping[str, Any]) -> Sentence:
    """Return how many models help, harm or cannot tell, and under which most worlds say otherwise."""
    models = content["models"]
    if len(models) < 2:
        return ()
    signs = _signs(content)
    count = len(models)
    parts = [
        f"{verb} under {len(signs[which])} of {count} models"
        for which, verb in ((1, "helps"), (-1, "harms"))
        if signs[which]
    ]
    nets = {str(m["model"]): summary(m["net_effect"]) for m in models}
    exactly = [name for name in signs[0] if nets[name].mean == nets[name].sd == 0]
    unsure = [name for name in signs[0] if name not in exactly]
    if len(exactly) == count:
        return said(f"It changes nothing under {count} of {count} models.")
    words = f"It {', '.join(parts)}" if parts else ""
    for names, verb in ((exactly, "changes nothing"), (unsure, "cannot be told from zero")):
        if names:
            under = f"{verb} under {len(names)}{'' if words else f' of {count} models'} ({listed(names)})"
            words = f"{words}, and {under}" if words else f"It {under}"
    against = {
        "it harms in more worlds than it helps": [
            name for name, net in nets.items() if sign(net) >= 0 and net.p_negative > net.p_positive
        ],
        "it helps in more worlds than it harms": [
            name for name, net in nets.items() if sign(net) < 0 and net.p_positive > net.p_negative
        ],
    }
    more = "".join(f" Under {listed(odd)} {what}." for what, odd in against.items() if odd)
    return said(f"{words}.{more}")


def worlds(content: Mapping[str, Any]) -> Sentence:
    """Return the shares of worlds in which it helps, harms and changes nothing."""
    net, n = net_of(content), content["draws"]
    return said(
        "It helps in ", (percent(net.p_positive, n), STRONG), " of the worlds drawn, harms in ",
        (percent(net.p_negative, n), STRONG), f", and changes nothing in {percent(net.p_zero, n)}.",
    )  # fmt: skip


def money(content: Mapping[str, Any]) -> list[Sentence]:
    """Return what it averts per million dollars and per year of work, beside what is published."""
    sentences: list[Sentence] = []
    for own, key, unit in WORTH:
        found = content.get(own)
        if not found or found[key] is None:
            continue
        value = worth(found[key], found["mcse"] or 0.0)
        ranges = published(content, unit)
        beside = f"; published {', '.join(ranges)}" if ranges else ""
        sentences.append(said(f"{SHORT[unit]}: ", (value, STRONG), f" microdooms{beside}."))
    return sentences


def worth(value: float, error: float) -> str:
    """Return an effect per million dollars or per year of work; with its error where it may be nothing."""
    if 0 < abs(value) <= 2 * error:
        return with_error(value, error, sign=True)
    return supported(value, error, sign=True, digits=2)


def published(content: Mapping[str, Any], unit: str) -> list[str]:
    """Return the published ranges in a unit that the data hold, in words."""
    return published_in(content.get("yardsticks", ()), unit)


def published_in(yardsticks: Iterable[Mapping[str, Any]], unit: str) -> list[str]:
    """Return the published ranges in a unit: what work is estimated to achieve, and bars set for it."""
    yardsticks = list(yardsticks)
    found = []
    for kind, words in (("estimate", "estimates {}"), ("bar", "funders' bars {}")):
        ends = [
            end
            for entry in yardsticks
            if entry["kind"] == kind
            for end in entry.get(f"microdooms_per_{unit}", ())
        ]
        if ends:
            one = words.replace("s {}", " {}") if min(ends) == max(ends) else words
            found.append(one.format(interval(min(ends), max(ends), sign=True)))
    return found


def in_use(content: Mapping[str, Any]) -> Sentence:
    """Return whose beliefs are in use: one's own and scenarios by name, and how many are judgements."""
    stated = any(m.get("outcomes") for m in content["models"])
    judged, every = judgements(content)
    return _in_use({**content, "stated": stated, "judged": judged, "beliefs": every}, "beliefs")


def in_use_by_all(standing: Mapping[str, Any]) -> Sentence:
    """Return the same of what a portfolio's proposals share, from `difprog.render.content.standing`."""
    return _in_use(standing, "shared beliefs")


def _in_use(found: Mapping[str, Any], which: str) -> Sentence:
    parts: list[str | Span] = []
    if found["own"]:
        parts += ["with your beliefs: ", (listed(found["own"]), STRONG)]
    if found["scenarios"]:
        many = "s" if len(found["scenarios"]) > 1 else ""
        parts += [" · " if parts else "", f"scenario{many} ", (listed(found["scenarios"]), STRONG)]
    if found["stated"]:
        parts += [" · " if parts else "", ("the outcome as you state it", STRONG)]
    if not parts:
        parts.append("beliefs as they ship")
    parts.append(f" · {found['judged']} of {found['beliefs']} {which} are judgements")
    return said(*parts)


def basis(content: Mapping[str, Any]) -> str:
    """Return under what it was drawn."""
    many = len(content["models"])
    models = f"{many} models weighed by credence" if many > 1 else "1 model"
    return (
        f"{models} · {content['draws']:,} draws · seed {content['seed']} · "
        f"years from {content['as_of']}"
    )


def next_steps(content: Mapping[str, Any], options: str = "") -> list[tuple[str, str]]:
    """Return where to look next: commands, and what they show."""
    name = f"{content['project']['handle']}{options}"
    return [
        (f"difprog explain {name}", "why, and what would change the answer"),
        (f"difprog score {name} --full", "every model's worlds, speedups, notes"),
        (f"difprog score {name} --beliefs", "where every belief came from"),
        (f"difprog report {name} --html", "a memo to forward"),
    ]
