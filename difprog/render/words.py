"""What a forecast says, in sentences: the same ones on the terminal, in markdown and in HTML.

From plain data (`difprog.render.content`, `difprog.render.explained`) to sentences of plain text in
which some words are marked: strong, good, bad, or a name. What a mark looks like is the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from difprog.forecast.summary import MICRODOOM, Summary, sign
from difprog.forecast.tails import KHAT_LIMIT
from difprog.render.format import (
    MINUS,
    interval,
    microdooms,
    one_in,
    percent,
    significant,
    supported,
    with_error,
)

#: Words and how they are marked: "", STRONG, GOOD, BAD or NAME (an identifier).
Span = tuple[str, str]
Sentence = tuple[Span, ...]
STRONG, GOOD, BAD, NAME = "strong", "good", "bad", "name"

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
WHICH_MODEL = "which model is right"

MICRODOOMS_NOTE = "in microdooms averted: millionths of the chance of success"
RATIOS_NOTE = (
    "Breaks even at: the ratio at which alignment work of that kind alone makes up for the "
    "capability speedup, at the margin."
)
DRIVERS_NOTE = (
    "Distance: how far the distribution of the effect moves, from 0 to 1, when the belief is known "
    "(Kolmogorov–Smirnov, Pianosi & Wagener 2015). EVPPI: microdooms gained by knowing the belief before "
    "choosing, by regression on the draws (Strong, Oakley & Brennan 2014)."
)
CHANNELS_NOTE = "Shapley values: each channel's share of the mean, averaged over every order of opening them"

#: Days after which the date that years are counted from is worth a note.
STALE = 90

#: A model's sign → what it says, and the colour that goes with it.
VERDICTS = {1: ("helps", GOOD), -1: ("harms", BAD), 0: ("makes no difference that shows", "")}


def plain(sentence: Sentence) -> str:
    """Return a sentence without its marks."""
    return "".join(words for words, _ in sentence)


def said(*parts: str | Span) -> Sentence:
    """Return a sentence from words and marked words."""
    return tuple(part if isinstance(part, tuple) else (part, "") for part in parts if part)


def listed(names: Sequence[str], most: int = 6) -> str:
    """Return "a, b and c"; "a, b and 7 more" where there are many."""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def summary(values: Mapping[str, Any]) -> Summary:
    """Return a SUMMARY object of the interface as a `Summary`."""
    return Summary(**{name: float(values.get(name) or 0.0) for name in Summary.__dataclass_fields__})


def net_of(content: Mapping[str, Any]) -> Summary:
    """Return the mixture's net effect."""
    return summary(content["ensemble"]["net_effect"])


# ── The verdict ──


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
        ("it harms", BAD), f" under {listed(signs[-1])}.",
    )  # fmt: skip


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
        error = microdooms(2 * net.mcse, sign=False)
        return said(*start, f": the mean effect is within {error} microdooms of zero.")
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
    lie = f"half of the worlds lie below it, {content['prob']:.0%} within {ends}"
    few_words = "; few worlds carry the mean" if few else ""
    value = median(content["ensemble"]["net_effect"])
    return said("The median is ", (value, STRONG), f": {lie}{few_words}.")


def agreement(content: Mapping[str, Any]) -> Sentence:
    """Return how many models help, harm or cannot tell, and which harm in more worlds than they help."""
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
    words = f"It {', '.join(parts)}" if parts else ""
    if signs[0]:
        cannot = f"cannot be told from zero under {len(signs[0])}" + ("" if parts else f" of {count} models")
        words = f"{words}, and {cannot}" if parts else f"It {cannot}"
        words += f" ({listed(signs[0])})"
    odd = [
        str(m["model"])
        for m in models
        if sign(summary(m["net_effect"])) >= 0
        and m["net_effect"]["p_negative"] > m["net_effect"]["p_positive"]
    ]
    more = f" Under {listed(odd)} it harms in more worlds than it helps." if odd else ""
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
    for own, key, what, unit in (
        ("value_for_money", "microdooms_per_million_usd", "Per $1M", "million_usd"),
        ("value_of_time", "microdooms_per_fte_year", "Per person-year", "fte_year"),
    ):
        found = content.get(own)
        if not found or found[key] is None:
            continue
        value = supported(found[key], found["mcse"] or 0.0, sign=True, digits=2)
        ranges = published(content, unit)
        beside = f"; published {', '.join(ranges)}" if ranges else ""
        sentences.append(said(f"{what}: ", (value, STRONG), f" microdooms{beside}."))
    return sentences


def published(content: Mapping[str, Any], unit: str) -> list[str]:
    """Return the published ranges in a unit: what work is estimated to achieve, and bars set for it."""
    found = []
    for kind, words in (("estimate", "estimates {}"), ("bar", "funders' bars {}")):
        ends = [
            end
            for entry in content.get("yardsticks", ())
            if entry["kind"] == kind
            for end in entry.get(f"microdooms_per_{unit}", ())
        ]
        if ends:
            one = words.replace("s {}", " {}") if min(ends) == max(ends) else words
            found.append(one.format(interval(min(ends), max(ends), sign=True)))
    return found


# ── What it rests on ──


def judgements(content: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many of the beliefs are somebody's judgement, and how many beliefs there are."""
    rows = content["provenance"]
    return sum(bool(row["judgement"]) for row in rows), len(rows)


def in_use(content: Mapping[str, Any]) -> Sentence:
    """Return whose beliefs are in use: one's own and scenarios by name, and how many are judgements."""
    parts: list[str | Span] = []
    if content["own"]:
        parts += ["with your beliefs: ", (listed(content["own"]), STRONG)]
    if content["scenarios"]:
        many = "s" if len(content["scenarios"]) > 1 else ""
        parts += [" · " if parts else "", f"scenario{many} ", (listed(content["scenarios"]), STRONG)]
    if any(m.get("outcomes") for m in content["models"]):
        parts += [" · " if parts else "", ("the outcome as you state it", STRONG)]
    if not parts:
        parts.append("beliefs as they ship")
    judged, every = judgements(content)
    parts.append(f" · {judged} of {every} beliefs are judgements")
    return said(*parts)


def basis(content: Mapping[str, Any]) -> str:
    """Return under what it was drawn."""
    many = len(content["models"])
    models = f"{many} models weighed by credence" if many > 1 else "1 model"
    return (
        f"{models} · {content['draws']:,} draws · seed {content['seed']} · "
        f"years from {content['as_of']}"
    )


def notes(content: Mapping[str, Any], today: date | None = None, brief: bool = True) -> list[str]:
    """Return what a reader should know before trusting the numbers, the most important first.

    Parameters
    ----------
    content : mapping
        The data.
    today : date, optional
        Where given, beliefs that count years from long before it get a note. Reports have none:
        the same inputs give the same bytes on any day.
    brief : bool
        Whether long lists are counted in place of named.
    """
    found = [*heavy_tails(content), *monte_carlo(content)]
    if today is not None and (days := (today - date.fromisoformat(content["as_of"])).days) > STALE:
        found.append(
            f"Years are counted from {content['as_of']}, {days} days ago; "
            "difprog evidence fit brings the evidence up to date once a belief file sets as_of."
        )
    for warning in content["warnings"]:
        start, colon, names = str(warning).partition("no source is given for: ")
        if brief and colon and not start and names.count(",") > 1:
            warning = f"no source is given for {names.count(',') + 1} beliefs"
        found.append(f"Note: {warning}.")
    return found


def heavy_tails(content: Mapping[str, Any]) -> list[str]:
    """Return which means are carried by so few draws that their errors mislead."""
    entries = [*((str(m["model"]), m) for m in content["models"]), (MIXTURE, content["ensemble"])]
    heavy = []
    for name, entry in entries:
        khat = entry["net_effect"].get("khat", entry.get("diagnostics", {}).get("khat"))
        if khat is not None and khat > KHAT_LIMIT:
            heavy.append(f"{name} {khat:.2f}")
    if not heavy:
        return []
    return [
        "A few draws carry the mean, so that its error is too small: Pareto k-hat above "
        f"{KHAT_LIMIT} ({listed(heavy)}). Go by the median and the shares of worlds."
    ]


def monte_carlo(content: Mapping[str, Any]) -> list[str]:
    """Return how large the error of the mean is beside it, and where it is largest."""
    net, models = net_of(content), content["models"]
    if not net.mcse:
        return []
    line = f"Sampling error (Monte Carlo): {_part(net)} of the mean"
    nets = {str(m["model"]): summary(m["net_effect"]) for m in models}
    worst = max(nets, key=lambda name: nets[name].mcse / (abs(nets[name].mean) or math.inf))
    if len(models) > 1 and nets[worst].mean:
        line += f"; up to {_part(nets[worst])} ({worst})"
    return [line + "."]


def _part(net: Summary) -> str:
    share = net.mcse / abs(net.mean) if net.mean else math.inf
    return f"{significant(100 * share, 2)}%" if share < 1 else "more than all"


def next_steps(content: Mapping[str, Any], options: str = "") -> list[tuple[str, str]]:
    """Return where to look next: commands, and what they show."""
    name = f"{content['project']['handle']}{options}"
    return [
        (f"difprog explain {name}", "why, and what would change the answer"),
        (f"difprog score {name} --full", "every model's worlds, speedups, notes"),
        (f"difprog score {name} --beliefs", "where every belief came from"),
        (f"difprog report {name} --html", "a memo to forward"),
    ]


# ── Why ──


def hinge(content: Mapping[str, Any]) -> list[Sentence]:
    """Return what the answer hangs on, in sentences: the first drivers, and whose belief each is."""
    drivers = list(leading(content)["drivers"])
    if not drivers:
        return []
    sentences: list[Sentence] = []
    first = "It hangs on "
    for driver in drivers[:2]:
        name = str(driver["belief"])
        low, high = (microdooms(driver[end], driver[f"{end}_se"] or 0.0) for end in ("low", "high"))
        if name == WHICH_MODEL:
            sentences.append(
                said(first, (name, STRONG), f": {low} under the least favourable, {high} under the most.")
            )
            first = "Then on "
            continue
        turns = "; the sign turns on it" if turns_sign(driver) else ""
        ends = f": {low} in its lowest tenth, {high} in its highest{turns}{whose(content, name)}."
        sentences.append(said(first, (name, NAME), meaning(content, name), ends))
        break
    return sentences


def turns_sign(driver: Mapping[str, Any]) -> bool:
    """Whether the lowest and the highest tenth of a belief have opposite signs, both resolved."""
    ends = [
        sign_of(driver[end], driver[f"{end}_se"] or 0.0) for end in ("low", "high")
    ]
    return ends[0] * ends[1] < 0


def sign_of(mean: float, error: float) -> int:
    """Return the sign of a mean that two standard errors tell from zero, else 0."""
    return 0 if abs(mean) <= 2 * error else 1 if mean > 0 else -1


def whose(content: Mapping[str, Any], name: str) -> str:
    """Return whether a belief is a judgement, measured, one's own."""
    rows = [row for row in content["provenance"] if row["name"] == name]
    if not rows:
        return ""
    if rows[0]["conditioned_on"]:
        return f"; that belief is conditioned on evidence ({rows[0]['conditioned_on']})"
    own = " of your own" if rows[0]["kind"] == "yours" else ""
    if any(row["judgement"] for row in rows):
        return f"; that belief is a judgement{own}"
    return f"; that belief is{own}" if own else ""


def meaning(content: Mapping[str, Any], name: str) -> str:
    """Return what a belief is about, in brackets; "" where no file states it."""
    found = next((row["meaning"] for row in content["provenance"] if row["name"] == name), "")
    return f" ({found})" if found else ""


def leading(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the mixture's part of the data, or the only model's."""
    found: Mapping[str, Any] = content["ensemble"] if len(content["models"]) > 1 else content["models"][0]
    return found


def channel_title(name: str) -> str:
    """Return what a channel is called; one that a user's model defines has its own name."""
    return CHANNEL_TITLES.get(name, name.replace("_", " "))


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


def amount(value: float, error: float | None, digits: int = 2) -> str:
    """Return a positive amount cut where its error begins; "about" where the error is near its size."""
    error = error or 0.0
    if error >= abs(value) / 2:
        return f"about {significant(value, 1)}"
    return supported(value, error, digits=digits)


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

    found = f"Knowing the world outright (EVPI): {amount_of(entry['evpi'], entry['evpi_se'])}."
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


#: Microdooms below which a median is only said to be less.
LEAST_MEDIAN = 1e-3


def median(net: Mapping[str, Any]) -> str:
    """Return a median in microdooms, as finely as its error supports; two digits where none is known."""
    value, error = net["median"], net.get("median_se")
    if 0 < abs(value) < LEAST_MEDIAN * MICRODOOM:
        return f"<+{LEAST_MEDIAN}" if value > 0 else f">{MINUS}{LEAST_MEDIAN}"
    if error is None:
        return significant(value / MICRODOOM, 2, sign=True) if value else "0"
    return microdooms(value, error)
