"""What contradicts itself or the evidence is a warning with the numbers beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from difprog.base import files
from difprog.base.errors import Problems
from difprog.beliefs import coherence
from difprog.beliefs.beliefs import Stack
from difprog.beliefs.parse import parse_layer
from difprog.library.checking import explained, validate


def doubts(text):
    return validate(text, "my.toml").doubts


def said(text):
    return [str(d) for d in doubts(text)]


BELIEFS = {
    "no source": ("[beliefs.skill]\nvalue = 2", "skill: has no source"),
    "evidence": ("[beliefs.skill]\nvalue = 2\nevidence = 'tarot'", 'no evidence is called "tarot"'),
    "chunk": (
        "[beliefs.chunk_length]\nvalue = 30\nsource = 'x'",
        "median) below one chunk of parallel work (30 years, median)",
    ),
    "fit": (
        "[beliefs.skill]\np5 = 1\np50 = 2\np95 = 90\nsource = 'x'",
        "p50 is stated as 2 and fitted as",
    ),
    "narrow arrival": (
        "[beliefs]\nagi_arrival = '9 to 11'",
        "is a factor of 1.2: narrower than that of any source (",
    ),
    "narrow count": (
        "[beliefs]\nresearchers = '600 to 700'",
        "is a factor of 1.2: narrower than that of any source",
    ),
    "narrow exponent": ("[beliefs]\nparallel_exponent = '0.6 to 0.65'", "narrower than that of any source"),
    "cell": ("[beliefs]\ncoupling = '0.001 to 0.01'", "below the coupling of every published cell"),
    "gated": ("[beliefs]\ngated_chains = 9", "more gated chains (9, median) than chains (2)"),
    "leak": ("[beliefs]\nleak.closed = 0.99", "median 0.99 for closed work and 0.172 for restricted"),
    "niche": ("[beliefs]\nlead_time.niche = '0.01 to 0.1'", "for mainstream work and"),
    "as_of": ("as_of = 2030-01-01", "moves from 2026-11-20 to 2030-01-01, but agi_arrival stays"),
    "past": ("as_of = 2020-01-01\n[beliefs]\nagi_arrival = '1 to 90'", "1 in 20 that AGI came before 2021"),
    "lead": (
        "[project]\nname='x'\neffort=1\nduration=1\n[beliefs]\ncapability_speedup = '3 to 9'",
        "a capability speedup (5.2 years, median) larger than the lead time (p95",
    ),
    "shorten": (
        "[project]\nname='x'\neffort=1\nduration=1\n[beliefs]\ncapability_speedup=0.1\ntimeline_shortening=0.2",
        "a timeline shortening (0.2 years, median) larger than",
    ),
    "duration": (
        "[project]\nname='x'\neffort=1\nduration=40",
        "a duration (40 years, median) past the even chance",
    ),
    "late": (
        "[project]\nname='x'\neffort=1\nduration=2\nstart=9",
        "a start in 9 years and a duration of 2 years (medians), past the even chance of AGI (10 years)",
    ),
    "whole": (
        "[project]\nname='x'\neffort=1\nduration=2\nstart=5\n[beliefs]\nserial_speedup=1\nlead_effect=0",
        "serial_speedup: stated outright, so that it holds whole: a start in 5 years changes nothing",
    ),
    "whole by reviewers": (
        "[project]\nname='x'\neffort=1\nduration=2\nstart=5\n[[reviews]]\nreviewer='A'\n"
        "serial_speedup={p10=0.1,p90=1}",
        "serial_speedup: stated outright, so that it holds whole: a start in 5 years changes nothing",
    ),
    "team": (
        "[project]\nname='x'\neffort=9000\nduration=1",
        "9,000 people at a time (effort over duration, medians), more than are in the whole field (",
    ),
    "team at the frontier": (
        "[project]\nname='x'\nkind='capabilities'\neffort=90_000\nduration=1",
        "90,000 people at a time (effort over duration, medians), more than work at the frontier (",
    ),
    "price": (
        "[project]\nname='x'\neffort=5\nduration=1\ncost=2.5",
        "0.5 USD for an FTE-year (medians): is the amount right",
    ),
    "nobody": (
        "[project]\nname='x'\neffort=0\nduration=1\ncost=1e6\n[beliefs.hype_leverage]\nvalue=1\nsource='x'",
        "nobody works on it: what it does, its cost does",
    ),
    "kind": (
        "[project]\nname='x'\nkind='capabilities'\neffort=1\nduration=1\n[beliefs]\nrelevance = 0.5",
        "relevance: has no effect: kind = capabilities puts 0 in its place",
    ),
    "applications": (
        "[project]\nname='x'\nkind='applications'\neffort=1\nduration=1\n[beliefs]\ncoupling = 0.5",
        "coupling: has no effect: kind = applications puts applications_coupling in its place",
    ),
}


@pytest.mark.parametrize("name", BELIEFS)
def test_each_contradiction_is_said_with_its_numbers(name):
    text, words = BELIEFS[name]
    found = said(text)
    assert any(words in line for line in found), found


@pytest.mark.parametrize(
    "text",
    [
        "[beliefs.skill]\nvalue = 2\nsource = 'x'",
        "[beliefs.agi_arrival]\np5 = 2\np95 = 60\nsource = 'x'",
        "[beliefs.agi_arrival]\nvalue = 9\nsource = 'a supposition'",
        "[beliefs.coupling]\np5 = 0.05\np95 = 0.5\nsource = 'x'",
        "[beliefs.chunk_length]\nvalue = 1\nsource = 'x'",
        "[project]\nname='x'\neffort=1\nduration=1",
        "[project]\nname='x'\neffort=10\nduration=2\nstart=5\ncost='$2M'",
        "[project]\nname='x'\nkind='applications'\neffort=9000\nduration=1\ncost=0",
        "[project]\nname='x'\neffort=0\nduration=1\ncost=0",
    ],
)
def test_what_coheres_is_not_warned_of(text):
    assert said(text) == []


def test_a_contradiction_among_shipped_beliefs_is_no_warning_on_a_layer_that_touches_neither(monkeypatch):
    problems = Problems("x")
    source = files.Source(Path("x"), "x", "")
    below = parse_layer(
        {"beliefs": {"chunk_length": 9, "serial_requirement": 1, "leak": {"delayed": 0.9, "open": 0.1}}},
        source,
        problems,
    )
    layer = parse_layer(files.parse_toml("[beliefs.skill]\nvalue = 1\nsource = 'x'", "x"), source, problems)
    assert coherence.of_layer(layer, Stack((below,))) == []
    assert len(coherence.of_layer(below, Stack(()))) == 6


def shipped():
    root = files.shipped("priors")
    return sorted(root.glob("*.toml")) + sorted((root / "projects").glob("*.toml"))


@pytest.mark.parametrize("path", shipped(), ids=lambda p: p.stem)
def test_every_shipped_file_passes_its_check_or_explains_why_not(path):
    checked = validate(path.read_text("utf-8"), path.name, path)
    left = [str(d) for d in checked.doubts if not explained(d, checked.layer)]
    assert left == []


def test_explained_means_that_the_note_names_the_topic():
    def named(note):
        checked = validate(
            f"[beliefs.skill]\np5=1\np50=2\np95=90\nsource='x'\nnote='{note}'", "x.toml"
        )
        (doubt,) = checked.doubts
        return explained(doubt, checked.layer)

    assert named("no lognormal fits this")
    assert not named("of benefit")
    assert not named("")


def test_without_evidence_tables_the_other_checks_remain(monkeypatch, tmp_path):
    for cached in (coherence.evidence, coherence.narrowest, coherence.lowest_cell):
        cached.cache_clear()
    monkeypatch.setattr(files, "shipped", lambda *parts: tmp_path.joinpath(*parts))
    try:
        assert coherence.narrowest("agi_arrival") is None
        assert coherence.lowest_cell() is None
        assert [d.topic for d in doubts("[beliefs]\ncoupling = '0.001 to 0.01'")] == ["source"]
    finally:
        monkeypatch.undo()
        for cached in (coherence.evidence, coherence.narrowest, coherence.lowest_cell):
            cached.cache_clear()


def test_evidence_is_read():
    width, whose = coherence.narrowest("agi_arrival")
    assert 0.2 < width < 2
    assert whose
    assert 0 < coherence.lowest_cell()[0] < 1
    assert all(row.get("use", "yes") != "no" for row in coherence.evidence("timelines"))


def test_a_forecast_carries_the_warnings_of_its_proposal(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text("[project]\nname='x'\neffort=1\nduration=40\n[beliefs]\ncapability_speedup = '3 to 9'\n")
    from difprog.forecast.forecast import score
    from difprog.forecast.setup import find_project, prepare

    setup = prepare(["serial_parallel"], use_evidence=False)
    found = score(find_project(str(path), setup), setup, count=200)
    assert any("larger than the lead time" in w for w in found.warnings)
    assert any("past the even chance of AGI" in w for w in found.warnings)
    assert len(found.warnings) == len(set(found.warnings))
