"""The memo: the one page of a report that would be forwarded, as sections of markdown.

The verdict, a figure, why in words, what would change the answer, what is published beside it,
the publication policy. Every sentence is one of `difprog.render.verdict`, `reasons` and `trust`;
every number stands again, with its error, in the appendix (`difprog.render.appendix`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from difprog.render import outcomes, reasons, scenarios, trust, verdict, words
from difprog.render.gfm import bullets, code, escape, table
from difprog.render.gfm import name as gfm_name

Content = Mapping[str, Any]

#: What the unit of every number on the page is.
MICRODOOM = "One microdoom averted: the chance that alignment succeeds before AGI rises by a millionth."

#: Notes on how far to trust the numbers that the memo has room for; the appendix has all.
NOTES = 3

#: Models named in a line on break-even.
MODELS = 3


def sections(content: Content, figure: str) -> list[list[str]]:
    """Return the memo's sections, each a list of blocks of markdown, of which some may be empty.

    Parameters
    ----------
    content : mapping
        What `difprog.render.explained.report` returns.
    figure : str
        The one figure, as markdown.
    """
    return [
        head(content),
        _answer(content, figure),
        _why(content),
        _turns(content),
        _worldviews(content),
        _yardsticks(content),
        ["## Publish?", marked(words.said(reasons.choice(content)))],
        _trust(content),
    ]


def head(content: Content) -> list[str]:
    """Return what the page opens with: the name, the summary, the facts, whose beliefs are in use."""
    project = content["project"]
    facts = [f"{escape(fact)} {escape(value)}" for fact, value in project["facts"].items()]
    if project["criteria"]:
        facts.append(f"criteria met: {', '.join(escape(c) for c in project['criteria'])}")
    summary = escape(project["summary"])
    basis = f"{marked(verdict.in_use(content))} · {escape(verdict.basis(content))}"
    return [f"# {escape(project['name'])}", summary and f"> {summary}", " · ".join(facts), basis]


def marked(sentence: words.Sentence) -> str:
    """Return a sentence as markdown: what is strong, good or bad is bold, identifiers are code."""
    parts = []
    for piece, mark in sentence:
        bare = piece.strip()
        if not bare:
            parts.append(" " if piece else "")
            continue
        said = escape(bare) if not mark else gfm_name(bare) if mark == words.NAME else f"**{escape(bare)}**"
        parts.append(f"{' ' * piece.startswith(' ')}{said}{' ' * piece.endswith(' ')}")
    return "".join(parts)


def _list(sentences: Iterable[words.Sentence]) -> str:
    return bullets(marked(sentence) for sentence in sentences if sentence)


def _answer(content: Content, figure: str) -> list[str]:
    first, *rest = verdict.verdict(content)
    stated = [escape(line) for line in outcomes.sentences(content)]
    return ["## The answer", " ".join(stated), marked(first), _list(rest), MICRODOOM, figure]


def _why(content: Content) -> list[str]:
    found = [reasons.main_channel(content), *reasons.hinge(content), *reasons.arguments(content)]
    return ["## Why", _list(found)] if any(found) else []


def _turns(content: Content) -> list[str]:
    """Return what would change the answer: beliefs on which the sign turns, break-even, what to find out."""
    lines = [*_sign(content), *_break_even(content)]
    drivers = words.leading(content).get("drivers", ())
    if drivers:
        lines.append(escape(reasons.worth_knowing(drivers)))
    evpi = content["ensemble"].get("evpi")
    if evpi:
        value = words.amount(evpi, content["ensemble"].get("evpi_se"))
        lines.append(
            f"Knowing everything before choosing would be worth {value} microdooms: no study is worth more."
        )
    return ["## What would change the answer", bullets(lines)] if lines else []


def _sign(content: Content) -> list[str]:
    turning = reasons.turning(content, MODELS)
    if not turning:
        return ["No single belief turns the sign of the mean between its lowest and its highest tenth."]
    return [marked(turning)]


def _break_even(content: Content) -> list[str]:
    """Return the models nearest to break-even: by how much more capability speedup they would turn."""
    found = [
        (m["break_even"]["capability_multiplier"], m["model"], m["break_even"]["capability_mcse"])
        for m in content["models"]
        if m.get("break_even") and m["break_even"]["capability_multiplier"]
    ]
    near = sorted(found)[:MODELS]
    if not near:
        return []
    said = [f"{words.amount(value, error, 3)} times under {code(model)}" for value, model, error in near]
    return [f"It would break even at a capability speedup of {', '.join(said)} (1 is as believed)."]


def _worldviews(content: Content) -> list[str]:
    """Return whether the sign holds under other scenarios; nothing where none were asked about."""
    beside = content.get("beside")
    if not beside or not (len(beside["scenarios"]) > 1 or beside["left_out"]):
        return []
    lines = ["## Under other worldviews"]
    found = beside["scenarios"]
    if len(found) > 1:
        rows = [
            [
                code(one["scenario"]) if one["scenario"] else f"**{scenarios.STANDING}**",
                *words.net_cells(one["net_effect"], beside["draws"])[:2], scenarios.SIGNS[one["sign"]],
            ]
            for one in found
        ]  # fmt: skip
        heads = ["scenario", "mean ± error", f"{content['prob']:.0%} of worlds", "so it"]
        told = escape(scenarios.verdict([(one["scenario"], one["sign"]) for one in found]))
        lines += [
            f"**{told}** Each is a set of beliefs that ships, laid over these, at "
            f"{beside['draws']:,} draws; in microdooms averted.",
            table(heads, rows, [1, 2]),
        ]
    if beside["left_out"]:
        names = words.listed([code(name) for name in beside["left_out"]])
        lines.append(f"Left out: {names}, under which the forecast cannot be made as it is asked for.")
    return lines


def _yardsticks(content: Content) -> list[str]:
    rows = []
    for own, key, unit in verdict.WORTH:
        ranges = verdict.published(content, unit)
        found = content.get(own)
        if found and found[key] is not None and ranges:
            value = verdict.worth(found[key], found["mcse"] or 0.0)
            rows.append([f"per {words.UNITS[unit]}", f"**{value}**", ", ".join(ranges)])
    if not rows:
        return []
    return [
        "## Beside what is published",
        table(["microdooms averted", "this project", "published; sources in the appendix"], rows, [1]),
    ]


def _trust(content: Content) -> list[str]:
    judged, every = trust.judgements(content)
    lines = [
        f"{judged} of the {every} beliefs behind it are judgements, not measurements; the appendix marks "
        "them (‡)."
    ]
    lines += [escape(note) for note in trust.notes(content)[:NOTES]]
    lines.append(escape(trust.dated(content)))
    return ["## How far to trust it", bullets(lines)]


__all__ = ["head", "marked", "sections"]
