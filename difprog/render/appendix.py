"""The appendix of a report in markdown: every number with its error, every belief with its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from difprog.forecast.summary import MICRODOOM
from difprog.render import figures, reasons, shifted, trust, words
from difprog.render.format import (
    interval,
    microdooms,
    probability,
    significant,
    supported,
    with_error,
)
from difprog.render.gfm import bullets, code, escape, fence, image, slug, table
from difprog.render.gfm import name as gfm_name
from difprog.render.terminal import NO_SOURCE, marks, percentiles, unsourced, years

#: Drivers per table, and hexadecimal digits of a hash that are shown.
TOP = 12
DIGITS = 16


def sections(content: Mapping[str, Any]) -> list[list[str]]:
    """Return the appendix's sections, each a list of blocks of markdown, of which some may be empty.

    Parameters
    ----------
    content : mapping
        What `difprog.render.explained.report` returns.
    """
    return [
        ["# Appendix", "Every number with its error, every belief with its source."],
        _agreement(content),
        _stated(content),
        _channels(content),
        _break_even(content),
        _trade(content),
        _drivers(content),
        _publication(content),
        _yardsticks(content),
        _speedups(content),
        _beliefs(content),
        _trust(content),
        _again(content),
    ]


def figure(content: Mapping[str, Any], file: str, alternative: tuple[str, str]) -> str:
    """Return a figure of the report as markdown: its file lies in a folder named as the page."""
    return image(". ".join(alternative), f"{_page(content)}/{file}")


def _page(content: Mapping[str, Any]) -> str:
    return str(content.get("page") or slug(content["project"]["name"]))


def _kept(content: Mapping[str, Any], key: str) -> bool:
    """Whether the data hold one part of an explanation: a run kept by ``score`` has not all."""
    return all(m.get(key) for m in content["models"])


def _models(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(content["models"])


def _agreement(content: Mapping[str, Any]) -> list[str]:
    models, count, prob = _models(content), content["draws"], content["prob"]
    heads = [
        "model", "it holds that", "credence", "mean ± error", "median", f"{prob:.0%} of worlds", "helps",
        "harms",
    ]  # fmt: skip
    entries = [(code(m["model"]), escape(m["title"]), f"{m['weight']:.0%}", m["net_effect"]) for m in models]
    if len(models) > 1:
        entries.append((words.MIXTURE, "", "", content["ensemble"]["net_effect"]))
    rows = []
    for name, title, weight, net in entries:
        mean, *rest = words.net_cells(net, count)
        rows.append([name, title, weight, mean, words.median(net), *rest])
    return [
        "## What each model says" if len(models) > 1 else "## What the model says",
        "Net effect on the chance that alignment succeeds before AGI, in microdooms averted "
        "(millionths of that chance; positive is good), with the Monte Carlo standard error of the mean.",
        table(heads, rows, range(2, 8)),
        table(
            ["model", "chance without", "with", "years until AGI, median", "given success"],
            [
                [
                    code(m["model"]),
                    probability(words.summary(m["p_success_without"])),
                    probability(words.summary(m["p_success_with"])),
                    significant(m["arrival"]["median"]),
                    "never" if m["arrival_given_success"] is None
                    else significant(m["arrival_given_success"]),
                ]
                for m in models
            ],
            range(1, 5),
        ),
    ]  # fmt: skip


def _stated(content: Mapping[str, Any]) -> list[str]:
    """Return what is stated about the outcome, before and after, and what had to move; empty for nothing."""
    return shifted.blocks(content, shifted.image(content, _page(content)))


def _channels(content: Mapping[str, Any]) -> list[str]:
    if not _kept(content, "channels"):
        return []
    entries = [(code(m["model"]), m) for m in _models(content)]
    if len(entries) > 1:
        entries.append((words.MIXTURE, content["ensemble"]))
    every = dict.fromkeys(c for _, e in entries for c in e["channels"])
    used = [c for c in every if any(e["channels"].get(c) for _, e in entries)]
    rows = []
    for name, entry in entries:
        cells = [
            with_error(entry["channels"][c], entry["channels_mcse"][c], MICRODOOM, sign=True)
            if entry["channels"][c] else "–"
            for c in used
        ]  # fmt: skip
        net = entry["net_effect"]
        rows.append([name, *cells, with_error(net["mean"], net["mcse"], MICRODOOM, sign=True)])
    parts = [
        "## Through which channel",
        figure(content, "channels.svg", figures.alternative_channels(content)),
        "Shapley values of the mean net effect, in microdooms averted; they add up to it.",
        table(
            ["model", *(words.channel_title(c) for c in used), "net effect"], rows, range(1, len(used) + 2)
        ),
    ]
    paths = [
        [
            code(m["model"]), words.PATH_TITLES[name],
            with_error(path["value"], path["mcse"], MICRODOOM, sign=True),
            microdooms(path["alone"], path["mcse"]),
            microdooms(path["left_out"], m["net_effect"]["mcse"]),
        ]
        for m in _models(content)
        for name, path in m["paths"].items()
    ]  # fmt: skip
    if paths:
        heads = ["model", "path", "share ± error", "on its own", "net effect without it"]
        parts += [
            "Practice on narrowly superhuman models works through three paths:",
            table(heads, paths, range(2, 5)),
        ]
    return parts


def _break_even(content: Mapping[str, Any]) -> list[str]:
    if not _kept(content, "break_even"):
        return []
    return [
        "## What would have to be true for it to break even",
        bullets(f"{code(m['model'])}: {escape(reasons.break_even(m))}" for m in _models(content)),
    ]


def _trade(content: Mapping[str, Any]) -> list[str]:
    if not _kept(content, "exchange"):
        return []
    rows = [
        [
            code(m["model"]), *reasons.ratios(m),
        ]
        for m in _models(content)
    ]
    return [
        "## The trade",
        bullets(f"{code(m['model'])}: {escape(reasons.exchange(m))}" for m in _models(content)),
        "Differential ratios: years of alignment progress, parallel and serial, that the project brings "
        "per year of capability progress. " + reasons.RATIOS_NOTE,
        table(["model", *reasons.RATIO_HEADS], rows, range(1, 5)),
    ]


def _drivers(content: Mapping[str, Any]) -> list[str]:
    found = figures.drivers_shown(content)
    if not found:
        return []
    several = len(_models(content)) > 1
    source = content["ensemble"] if several else content["models"][0]
    rows = [
        [
            gfm_name(d["belief"]) + trust.mark(content, d["belief"]), reasons.distance(d),
            reasons.evppi_with_error(d),
            with_error(d["low"], d["low_se"], MICRODOOM, sign=True),
            with_error(d["high"], d["high_se"], MICRODOOM, sign=True),
        ]
        for d in source["drivers"][:TOP]
    ]  # fmt: skip
    parts = [
        "## What drives it, and what is worth finding out",
        figure(content, "drivers.svg", figures.alternative_drivers(content)),
        escape(reasons.worth_knowing(source["drivers"])),
        f"‡ somebody's judgement, not a measurement. {escape(reasons.DRIVERS_NOTE)}",
        table(
            ["belief", "distance", "EVPPI ± error", "effect at its lowest tenth", "at its highest"],
            rows, range(1, 5),
        ),
    ]  # fmt: skip
    if several:
        parts += [
            "Under each model on its own, by distance:",
            bullets(
                f"{code(m['model'])}: "
                + ", ".join(f"{gfm_name(d['belief'])} {reasons.distance(d)}" for d in m["drivers"][:4])
                for m in _models(content)
            ),
        ]
    return parts


def _publication(content: Mapping[str, Any]) -> list[str]:
    if not _kept(content, "options"):
        return []
    entries = [(code(m["model"]), m["options"]) for m in _models(content)]
    if len(entries) > 1:
        entries.append((words.MIXTURE, content["ensemble"]["options"]))
    policies, own = list(entries[0][1]), content["project"]["facts"]["publication"]
    rows = [
        [name, *(with_error(o[p]["mean"], o[p]["mcse"], MICRODOOM, sign=True) for p in policies)]
        for name, o in entries
    ]
    return [
        "## Under other publication policies",
        f"Mean net effect in microdooms averted; the proposal says {escape(own)}.",
        table(["model", *policies], rows, range(1, len(policies) + 1)),
    ]


def _yardsticks(content: Mapping[str, Any]) -> list[str]:
    """Return the published magnitudes one by one, with their sources."""
    rows = []
    for unit, what in words.UNITS.items():
        for entry in content.get("yardsticks", ()):
            if ends := entry.get(f"microdooms_per_{unit}"):
                kind = "a bar" if entry["kind"] == "bar" else "an estimate"
                title = f"{escape(entry['title'])} ({kind})"
                rows.append([title, what, interval(ends[0], ends[1], sign=True), escape(entry["source"])])
    if not rows:
        return []
    return [
        "## What is published",
        "Microdooms averted: estimates of what work achieves, and bars that funders set.",
        table(["", "per", "microdooms", "source"], rows, [2]),
    ]


def _speedups(content: Mapping[str, Any]) -> list[str]:
    heads = ["model", "parallel, person-years", "serial", "capability", "AGI sooner"]
    rows = []
    for m in _models(content):
        work = m["parallel_speedup"]
        ends = interval(work["lower"], work["upper"])
        cells = [f"{supported(work['mean'], work['mcse'], digits=2)} ({ends})"]
        for key in ("serial_speedup", "capability_speedup", "timeline_shortening"):
            time = m[key]
            span = f" ({years(time['lower'])} to {years(time['upper'])})" if time["sd"] else ""
            cells.append(years(time["mean"], time["mcse"]) + span)
        rows.append([code(m["model"]), *cells])
    return [
        "## Speedups that the project brings",
        f"Mean and {content['prob']:.0%} interval, in calendar time (y years, d days, h hours) but for the "
        "first.",
        table(heads, rows, range(1, 5)),
    ]


def _beliefs(content: Mapping[str, Any]) -> list[str]:
    """Return every belief that some model reads, file by file, judgements marked."""
    rows = content["provenance"]
    parts = [
        "## Beliefs, and where they come from",
        "At 5%, 50% and 95%, as stated and, where evidence moved them, as used. "
        "‡ somebody's judgement, not a measurement; † conditioned on evidence; \\* your own.",
    ]
    every = len(content["models"])
    for file in dict.fromkeys(row["layer"] for row in rows):
        own = [row for row in rows if row["layer"] == file]
        cells = [_belief(row, every) for row in own]
        parts += [f"### {code(file)}", table(["belief", "5% · 50% · 95%", "unit", "source"], cells)]
    return parts


def _belief(row: Mapping[str, Any], every: int) -> list[str]:
    """Return one belief's row of the table."""
    says = percentiles(row["prior"])
    if row["conditioned_on"]:
        says += f" → {percentiles(row['used'])}"
    source = row["source"] or unsourced(row["name"])
    said = "**no source is given**" if source == NO_SOURCE else escape(source)
    if row["note"]:
        said += f"{'' if said.endswith(('.', '?', '!')) else '.'} *{escape(row['note'])}*"
    if row["conditioned_on"]:
        said += f" Conditioned on evidence: {code(row['conditioned_on'])}."
    if 1 < every != len(row["models"]):
        said += f" ({', '.join(map(code, row['models']))})"
    return [code(row["name"]) + escape(marks(row)), says, escape(row["unit"]), said]


def _trust(content: Mapping[str, Any]) -> list[str]:
    lines = [escape(note) for note in trust.notes(content, brief=False)]
    shared: dict[tuple[str, str], list[str]] = {}
    for m in _models(content):
        for key, value in m["diagnostics"].items():
            if isinstance(value, (int, float, str)):
                said = value if isinstance(value, str) else supported(float(value), 0.0)
                shared.setdefault((key, said), []).append(m["model"])
    rows = [[escape(k), code(v), ", ".join(map(code, names))] for (k, v), names in shared.items()]
    parts = ["## Errors and diagnostics", bullets(lines)] if lines or rows else []
    return [*parts, table(["diagnostic", "value", "models"], rows)] if rows else parts


def _again(content: Mapping[str, Any]) -> list[str]:
    project = content["project"]
    hashes = {project["path"]: project["sha256"]}
    for m in _models(content):
        hashes[m["code"]["path"]] = m["code"]["sha256"]
        hashes |= {layer["path"]: layer["sha256"] for layer in m["priors"]}
    return [
        "## How to do it again",
        fence([content["command"]], "sh"),
        f"difprog {code(content['version'])}, seed {content['seed']}, {content['draws']:,} draws, "
        f"years counted from {escape(content['as_of'])}. Files, by the first {DIGITS} digits of their "
        "SHA-256:",
        table(["file", "SHA-256"], [[code(f), code(h[:DIGITS])] for f, h in hashes.items()]),
    ]


__all__ = ["figure", "sections"]
