"""The track record: scores against closed forms and quadrature, the file under stress, what it says."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import integrate, stats

from difprog.base import plainjson
from difprog.base.errors import BadInput
from difprog.cli import main
from difprog.evidence import headcounts, likelihood, tables, timelines
from difprog.evidence.fit import Settings
from difprog.evidence.posterior import Posterior, Predictive
from difprog.forecast.forecast import Forecast
from difprog.forecast.request import Request
from difprog.record import ask, log, predictive, tally
from difprog.record.predictive import Lognormal, Normal, Point, Quantiles
from difprog.render import backtest as shown_backtest
from difprog.render import record as shown
from difprog.verify import backtest, past
from tests.helpers import score_all
from tests.pages import differences, text_differences

ROOT = Path(__file__).parent.parent
TODAY = date(2026, 11, 21)
NOW = datetime(2027, 1, 1, tzinfo=UTC)
QUICK = ("--no-evidence", "--draws", "300", "--model", "serial_parallel")


def forecast_line(said: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a line that forecasts something."""
    event = {
        "event": "forecast", "quantity": "q", "question": "how much", "kind": "own", "made": "2026-01-01",
        "resolves": "2027-01-01", "forecast": said,
    }  # fmt: skip
    return log.line({**event, **more})


ENTRY = log.parse(json.dumps(forecast_line({"value": 1.0})).encode()).entries.popitem()[1]


def text(*lines: Mapping[str, Any]) -> bytes:
    return "".join(json.dumps(one, sort_keys=True) + "\n" for one in lines).encode()


def resolved(*pairs: tuple[Mapping[str, Any], Any]) -> log.Log:
    """Return a log of forecasts with their answers."""
    lines: list[Mapping[str, Any]] = [one for one, _ in pairs]
    for one, outcome in pairs:
        entry = log.parse(text(one)).entries[one["id"]]
        lines.append(log.resolution(entry, outcome, "test", NOW))
    return log.parse(text(*lines))


# Scores


@pytest.mark.parametrize("y", [-3.0, 0.1, 1.0, 2.5, 40.0])
@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (Normal(1.0, 0.7), stats.norm(1.0, 0.7)), (Normal(-2.0, 5.0), stats.norm(-2.0, 5.0)),
        (Lognormal(0.3, 0.5), stats.lognorm(0.5, scale=math.exp(0.3))),
        (Lognormal(-1.0, 1.2), stats.lognorm(1.2, scale=math.exp(-1.0))),
    ],
)  # fmt: skip
def test_normal_and_lognormal_are_scored_as_quadrature_has_it(mine: Any, theirs: Any, y: float) -> None:
    assert mine.cdf(y) == pytest.approx(theirs.cdf(y), abs=1e-12)
    assert mine.log_density(y) == pytest.approx(theirs.logpdf(y), abs=1e-9)
    assert mine.quantile(0.3) == pytest.approx(theirs.ppf(0.3), rel=1e-12)
    ends = sorted({y, *theirs.ppf([1e-14, 0.01, 0.3, 0.7, 0.99, 1 - 1e-14])})
    pieces = [
        integrate.quad(lambda x: (theirs.cdf(x) - (x >= y)) ** 2, a, b, epsabs=1e-13, epsrel=1e-13)[0]
        for a, b in itertools.pairwise(ends)
    ]
    assert mine.crps(y) == pytest.approx(math.fsum(pieces), abs=1e-9)


def test_textbook_values() -> None:
    # The standard normal's CRPS at its centre is (√2 − 1)/√π (Gneiting & Raftery 2007).
    assert Normal(0.0, 1.0).crps(0.0) == pytest.approx((math.sqrt(2) - 1) / math.sqrt(math.pi), abs=1e-15)
    assert predictive.brier(0.3, True) == pytest.approx(0.49, abs=1e-15)
    assert predictive.log_score(0.3, False) == pytest.approx(math.log(0.7), abs=1e-15)
    assert predictive.log_score(0.0, True) == -math.inf
    assert Point(2.0).crps(5.0) == 3.0
    assert tally.scored(replace(ENTRY, forecast=Point(2.0)), 2.0).values["log_score"] is None
    assert Lognormal(0.0, 60.0).crps(1.0) == math.inf


@pytest.mark.parametrize(
    "mine",
    [
        Quantiles((0.05, 0.25, 0.5, 0.95), (1.0, 2.0, 2.5, 9.0)),
        Quantiles((0.05, 0.25, 0.5, 0.95), (1.0, 2.0, 2.5, 9.0), lower=0.0),
        Quantiles((0.1, 0.5, 0.9), (0.2, 0.3, 0.8), 0.0, 1.0),
        Quantiles((0.1, 0.4, 0.5, 0.9), (0.0, 0.0, 1.0, 3.0), lower=0.0),
    ],
)
def test_quantiles_are_scored_as_the_distribution_that_they_are(mine: Quantiles) -> None:
    reach = 400.0
    knots = [float(x) for x in mine._knots[0]]
    for y in (-1.0, 0.0, 0.25, 1.0, 2.2, 2.5, 8.0, 9.0, 30.0):
        ends = sorted({-reach, reach, y, *knots})
        pieces = [
            integrate.quad(lambda x, y=y: (mine.cdf(x) - (x >= y)) ** 2, a, b, limit=400)[0]
            for a, b in itertools.pairwise(ends)
        ]
        assert mine.crps(y) == pytest.approx(math.fsum(pieces), rel=1e-7, abs=1e-9)
        density = mine.log_density(y)
        if density is not None and density > -15 and y not in knots:
            slope = (mine.cdf(y + 1e-6) - mine.cdf(y - 1e-6)) / 2e-6
            assert density == pytest.approx(math.log(slope), abs=1e-4)
    if 0.0 not in mine.values:
        for level in (0.001, 0.3, 0.7, 0.999):
            assert mine.cdf(mine.quantile(level)) == pytest.approx(level, abs=1e-9)


def test_quantiles_of_a_normal_are_nearly_one() -> None:
    normal = Normal(3.0, 2.0)
    close = Quantiles(predictive.LEVELS, tuple(map(normal.quantile, predictive.LEVELS)))
    for y in (-2.5, 1.0, 3.0, 8.0):
        assert close.crps(y) == pytest.approx(normal.crps(y), rel=2e-3)
        assert close.log_density(y) == pytest.approx(normal.log_density(y), abs=0.25)


@pytest.mark.parametrize(
    "said",
    [0.25, Normal(0.1, 0.3), Lognormal(1 / 3, 0.7), Point(2.0), Quantiles(predictive.LEVELS,
     tuple(float(k) for k in range(len(predictive.LEVELS))), 0.0), Quantiles((0.1, 0.9), (1.0, 2.0), -1, 5)],
    ids=str,
)  # fmt: skip
def test_what_is_written_is_read_again(said: Any) -> None:
    assert predictive.read(json.loads(json.dumps({**predictive.content(said), "more": [1]}))) == said


@pytest.mark.parametrize(
    "said",
    [None, [], {}, {"chance": 2}, {"chance": True}, {"chance": "0.5"}, {"value": 10**400}, {"normal": {}},
     {"normal": {"mean": 1, "sd": 0}}, {"quantiles": {"p5": 1}}, {"quantiles": {"p5": 2, "p95": 1}},
     {"quantiles": {"p5": 1, "p95": 2}, "lower": 1.5}],
)  # fmt: skip
def test_what_is_no_forecast_is_refused(said: Any) -> None:
    with pytest.raises(ValueError):
        predictive.read(said)


# The file


def test_a_line_loses_only_itself(tmp_path: Path) -> None:
    good = [forecast_line({"chance": 0.5}, quantity=name) for name in "abc"]
    changed = text(good[1]).replace(b"0.5", b"0.6")
    odd = log.line({"event": "omen"})
    data = b"\xff\xfe\n" + text(good[0]) + changed + b"[1]\n{\n\n" + text(odd, good[2])
    found = log.parse(data)
    assert [e.quantity for e in found.entries.values()] == ["a", "c"]
    numbers = [words.split()[1] for words in found.damaged]
    assert numbers == ["1", "3", "4", "5", "7"]
    assert "not as it was written" in found.damaged[1]
    path = tmp_path / "log.jsonl"
    path.write_bytes(data)
    done = CliRunner().invoke(main, ["log", "list", "--file", str(path)])
    assert done.exit_code == 0
    assert "line 3 is passed by" in done.output
    # What was damaged can be said again.
    assert log.add(path, good) == [good[1]["id"]]
    assert path.read_bytes().startswith(data)


def test_a_later_version_s_line_is_read() -> None:
    """Keys, fields of a forecast and values that are not known are passed by."""
    said = {"quantiles": {"p5": 1.0, "p95": 2.0, "shape": "odd"}, "tail": "heavy"}
    models = {"overhang": {"credence": 0.2, "why": "x", "forecast": said}}
    content: dict[str, Any] = {
        "schema": "difprog.log-line/9", "event": "forecast", "kind": "omens", "quantity": "q",
        "question": "w", "made": "2026-01-01", "resolves": "2027-01-01", "forecast": said,
        "models": models, "mood": {"a": 1},
    }  # fmt: skip
    line = {**content, "id": plainjson.digest(content)[: log.ID]}
    found = log.parse(text(line))
    assert not found.damaged
    entry = found.entries[line["id"]]
    assert entry.kind == "own"
    assert entry.models["overhang"].forecast == Quantiles((0.05, 0.95), (1.0, 2.0))


def test_merged_in_any_order_twice_over_it_says_the_same() -> None:
    one = forecast_line({"chance": 0.5})
    entry = log.parse(text(one)).entries[one["id"]]
    first = log.resolution(entry, True, "a", NOW)
    second = log.resolution(entry, False, "b", NOW.replace(day=2))
    for lines in ([one, first, second], [second, first, one, one], [first, second, second, one]):
        found = log.parse(text(*lines))
        assert found.outcome(found.entries[one["id"]]) is False
        assert len(found.ids) == 3


APPEND = """
import os, sys
from pathlib import Path
from difprog.record import log

def add(name):
    event = {"event": "forecast", "quantity": name, "question": "w" * 3000, "kind": "own",
             "made": "2026-01-01", "resolves": "2027-01-01", "forecast": {"chance": 0.5}}
    log.add(Path(sys.argv[1]), [log.line(event)])

processes, many = int(sys.argv[2]), int(sys.argv[3])
children = []
for n in range(processes):
    child = os.fork()
    if not child:
        for k in range(many):
            add(f"{sys.argv[4]}{n}-{k}")
        os._exit(0)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def start(*words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", APPEND, *map(str, words)], cwd=ROOT, start_new_session=True
    )


@pytest.mark.skipif(os.name != "posix", reason="forks")
def test_twenty_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "made" / "log.jsonl"
    assert start(path, 20, 5, "").wait(timeout=120) == 0
    found = log.load(path)
    assert not found.damaged
    assert {e.quantity for e in found.entries.values()} == {f"{n}-{k}" for n in range(20) for k in range(5)}
    assert [p.name for p in path.parent.iterdir()] == ["log.jsonl"]


@pytest.mark.skipif(os.name != "posix", reason="forks")
def test_what_is_added_twice_at_once_is_there_once(tmp_path: Path) -> None:
    """What it holds already is looked up under the lock, which also goes where there is nothing to add."""
    path = tmp_path / "log.jsonl"
    assert [one.wait(timeout=120) for one in [start(path, 4, 3, "same") for _ in range(2)]] == [0, 0]
    assert len(path.read_text().splitlines()) == 12
    left = tmp_path / ".log.jsonl.difprog-lock"  # as a killed command leaves it
    left.touch()
    assert log.add(path, [json.loads(line) for line in path.read_text().splitlines()]) == []
    assert not left.exists()


def test_a_torn_line_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    first, torn, last = (text(forecast_line({"chance": 0.5}, quantity=name)) for name in "abc")
    path.write_bytes(first + torn[:50])
    log.add(path, [json.loads(last)])
    assert path.read_bytes() == first + torn[:50] + b"\n" + last
    found = log.load(path)
    assert [e.quantity for e in found.entries.values()] == ["a", "c"]
    assert len(found.damaged) == 1


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_kill_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for n in range(3):
        before = path.read_bytes() if path.exists() else b""
        several = start(path, 4, 10**9, "abc"[n])
        limit = time.monotonic() + 60
        while (not path.exists() or path.stat().st_size < len(before) + 20_000) and time.monotonic() < limit:
            time.sleep(0.01)
        time.sleep(0.007 * n)
        os.killpg(several.pid, signal.SIGKILL)
        several.wait()
        after = path.read_bytes()
        assert after.startswith(before)
        assert len(after) > len(before)
        found = log.parse(after)
        assert len(found.damaged) <= n + 1
        assert len(found.entries) + len(found.damaged) >= len(set(after.splitlines()))
    log.add(path, [forecast_line({"chance": 0.5}, quantity="after")])
    assert any(e.quantity == "after" for e in log.load(path).entries.values())


def test_a_full_log_and_a_folder_in_its_place_are_refused(tmp_path: Path) -> None:
    from difprog.base import locks

    with pytest.raises(BadInput, match="is full"):
        locks.append(tmp_path / "log.jsonl", b"x" * 100, limit=50)
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput):
        log.add(tmp_path / "folder", [forecast_line({"chance": 0.5})])


# What a forecast asks


@lru_cache
def rlhf(believe: tuple[str, ...] = ()) -> Forecast:
    return Request(use_evidence=False, draws=2000, believe=believe).score("rlhf")


def by_quantity(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["quantity"]: one for one in lines if one["event"] == "forecast"}


def test_what_is_asked_of_a_proposal() -> None:
    found = rlhf()
    lines = ask.lines(found, TODAY)
    basis, *_ = lines
    assert basis["event"] == "basis"
    assert basis["models"]["overhang"]["layers"]
    assert {"code", "versions", "seed", "draws", "as_of"} <= basis.keys()
    kept = by_quantity(lines)
    assert set(kept) == {
        "duration", "effort", "cost", "breakthrough_hit", "parallel_speedup", "serial_speedup",
        "capability_speedup", "researchers", "ai_spend", "agi_by_2027", "agi_by_2030", "agi_by_2035",
    }  # fmt: skip
    assert {one["basis"] for one in kept.values()} == {basis["id"]}
    for name, one in kept.items():
        assert one["made"] == "2026-11-21" < one["resolves"]
        assert set(one["models"]) == set(found.draws.question.readings)
        world = one["kind"] == "world"
        assert ("proposal" in one, "project" in one) == (not world, not world), name
    # A belief as stated is kept as what it is; the duration is a number.
    effort = found.models[0].beliefs["effort"].shape
    assert effort.percentile(0.05) == pytest.approx(
        predictive.read(kept["effort"]["forecast"]).quantile(0.05)
    )
    assert kept["duration"]["forecast"] == {"value": 2.0}
    # Chances and quantiles are those of the draws.
    arrival = np.asarray(found.models[0].value("agi_arrival"))
    years = (date(2035, 12, 31) - found.as_of).days / 365.2425
    assert kept["agi_by_2035"]["forecast"]["chance"] == pytest.approx((arrival <= years).mean(), abs=1e-5)
    effect = kept["serial_speedup"]["models"]["overhang"]["forecast"]["quantiles"]
    place = found.draws.question.readings.index("overhang")
    expected = np.quantile(found.draws.effect("serial_speedup")[place], 0.5)
    assert effect["p50"] == pytest.approx(expected, rel=1e-2)


def test_the_same_forecast_on_the_same_day_is_the_same_lines() -> None:
    first, again = ask.lines(rlhf(), TODAY), ask.lines(rlhf(), TODAY)
    assert first == again
    later = ask.lines(rlhf(), TODAY.replace(day=22))
    assert later[0] == first[0]
    assert not {one["id"] for one in later[1:]} & {one["id"] for one in first[1:]}


def test_the_field_grows_until_its_ceiling() -> None:
    found = score_all(
        "rlhf", "serial_parallel",
        {"researchers": 1000, "researcher_growth": 0.5, "field_ceiling": 1200, "agi_arrival": 5}, draws=50,
    )  # fmt: skip
    kept = by_quantity(ask.lines(found, TODAY, date(2027, 1, 20)))
    months = (date(2027, 1, 20) - found.as_of).days / 365.2425
    assert kept["researchers"]["forecast"]["value"] == pytest.approx(1000 * math.exp(0.5 * months), rel=1e-5)
    far = by_quantity(ask.lines(found, TODAY, date(2030, 1, 1)))
    assert far["researchers"]["forecast"] == {"value": 1200.0}
    # No number of draws makes anything certain.
    assert kept["agi_by_2030"]["forecast"]["chance"] == pytest.approx(0.01)


def test_statements_about_the_outcome_weigh_the_forecasts() -> None:
    stated = by_quantity(ask.lines(rlhf(("agi_by_2035=70%",)), TODAY))
    assert stated["agi_by_2035"]["forecast"]["chance"] == pytest.approx(0.7, abs=1e-4)
    assert all("forecast" not in said for said in stated["agi_by_2035"]["models"].values())


def test_a_question_of_one_s_own() -> None:
    _, one = ask.lines(rlhf(), TODAY, date(2028, 1, 1), ["serial_chains"])
    assert (one["kind"], one["resolves"]) == ("own", "2028-01-01")
    with pytest.raises(BadInput, match="did you mean"):
        ask.lines(rlhf(), TODAY, date(2028, 1, 1), ["serial_chain"])
    with pytest.raises(BadInput, match="needs a day"):
        ask.lines(rlhf(), TODAY, None, ["serial_chains"])
    with pytest.raises(BadInput, match="in the future"):
        ask.lines(rlhf(), TODAY, TODAY)
    with pytest.raises(BadInput, match="agi_by"):
        ask.lines(rlhf(), TODAY, None, ["agi_by_2020"])


def test_a_question_about_the_field_is_about_the_day_that_is_named() -> None:
    found, by = rlhf(), date(2029, 6, 1)
    own, world = (
        by_quantity(ask.lines(found, TODAY, by, names))["researchers"] for names in (["researchers"], ())
    )
    assert own["question"] == world["question"] == "FTE alignment researchers on 1 June 2029"
    assert own["forecast"] == world["forecast"]


def test_the_next_published_median_comes_of_the_evidence() -> None:
    found = rlhf()
    kept = Predictive(np.full(40, math.log(8.0)), np.full(40, 0.5), 0.25)
    view = found.models[0].view
    belief = replace(view.beliefs["agi_arrival"], evidence="timelines")
    posterior = Posterior({}, {"agi_arrival": kept}, {"agi_arrival": "timelines"}, key="k")
    changed = replace(view, beliefs={**view.beliefs, "agi_arrival": belief}, posterior=posterior)
    views = (changed, *found.draws.question.views[1:])
    asked = replace(found.draws, question=replace(found.draws.question, views=views))
    other = replace(found, models=tuple(replace(m, draws=asked) for m in found.models), draws=asked)
    one = by_quantity(ask.lines(other, TODAY))["published_median"]
    now = found.as_of.year + (found.as_of.timetuple().tm_yday - 1) / 365.2425
    assert one["forecast"]["value"] == pytest.approx(now - 0.25 + 8.0, abs=0.01)
    assert list(one["models"]) == [view.model.name]


# What the record says


def test_scores_against_named_baselines() -> None:
    sure = forecast_line({"chance": 0.9}, quantity="sure")
    wide = forecast_line({"lognormal": {"mu": 1.0, "sigma": 0.5}}, quantity="wide", unit="years")
    found = tally.record(resolved((sure, True), (wide, 4.0)))
    total = found["all"]
    assert (total["n"], total["topics"], found["open"], found["resolved"]) == (2, 2, 0, 2)
    assert total["brier"]["mean"] == pytest.approx(0.01)
    assert total["brier"]["against"][tally.EVEN]["mean"] == pytest.approx(0.24)
    assert total["log_score"]["against"][tally.EVEN]["mean"] == pytest.approx(math.log(0.9 / 0.5))
    own, two = Lognormal(1.0, 0.5), Lognormal(1.0, math.log(2) / stats.norm.ppf(0.95))
    against = total["log_density"]["against"][tally.TWO]["mean"]
    assert against == pytest.approx(own.log_density(4.0) - two.log_density(4.0), abs=1e-9)
    share = total["crps_share"]
    assert share["mean"] == pytest.approx(own.crps(4.0) / math.e)
    assert share["against"][tally.MEDIAN]["mean"] == pytest.approx((4 - math.e - own.crps(4.0)) / math.e)
    (row,) = [r for r in found["forecasts"] if r["quantity"] == "wide"]
    assert {"id", "quantity", "made", "resolves", "outcome", "crps", "log_score", "pit"} <= row.keys()
    assert row["pit"] == pytest.approx(stats.norm.cdf((math.log(4) - 1) / 0.5), abs=1e-12)


def test_the_record_so_far_knows_only_what_was_known() -> None:
    early = [forecast_line({"chance": 0.5}, quantity=f"e{k}") for k in range(3)]
    late = forecast_line({"chance": 0.5}, quantity="late", made="2028-01-01", resolves="2029-01-01")
    found = tally.scores(resolved(*((one, True) for one in early), (late, True)))
    assert [s.baselines[tally.RECORD]["brier"] for s in found[:3]] == [0.25] * 3
    assert found[3].baselines[tally.RECORD]["brier"] == pytest.approx((1 - 4 / 5) ** 2)


def test_errors_are_those_of_topics() -> None:
    values = [1.0, 1.0, 3.0, 3.0]
    apart = tally.mean(values, list("abcd"))
    together = tally.mean(values, list("aabb"))
    assert apart["se"] == pytest.approx(np.std(values, ddof=1) / 2)
    assert together["se"] == pytest.approx(1.0)
    assert tally.mean(values, list("aaaa"))["se"] is None


def test_what_is_set_aside_does_not_count() -> None:
    lines = [forecast_line({"chance": 0.5}, quantity=name) for name in "abcd"]
    found = tally.record(resolved(*zip(lines, ["ambiguous", "withdrawn", 3.0, True], strict=True)))
    assert (found["ambiguous"], found["withdrawn"], found["resolved"]) == (1, 1, 1)
    assert found["mismatched"] == [lines[2]["id"]]


def said_by(chances: Mapping[str, float], **more: Any) -> dict[str, Any]:
    models = {n: {"credence": 1 / len(chances), "forecast": {"chance": c}} for n, c in chances.items()}
    return forecast_line({"chance": float(np.mean(list(chances.values())))}, models=models, **more)


def test_credences_follow_bayes_rule_and_repeats_count_once() -> None:
    a = said_by({"x": 0.8, "y": 0.2}, quantity="a")
    again = said_by({"x": 0.8, "y": 0.2}, quantity="a", made="2026-02-02")
    b = said_by({"x": 0.5, "y": 0.5}, quantity="b")
    found = tally.record(resolved((a, True), (again, True), (b, False)))["credences"]
    assert found["questions"] == 1
    assert found["models"]["x"]["posterior"] == pytest.approx(0.8)
    assert found["models"]["y"]["posterior"] == pytest.approx(0.2)
    impossible = said_by({"x": 0.8, "y": 0.0}, quantity="c")
    found = tally.record(resolved((a, True), (impossible, True)))["credences"]["models"]
    assert found["y"]["posterior"] == 0.0


@lru_cache
def simulation() -> list[tally.Score]:
    """Return 2,000 resolutions of each of a dozen questions."""
    request = Request(use_evidence=False, models=("serial_parallel", "synthesis"))
    return backtest.simulated(count=24_000, request=request)


def test_its_own_predictive_is_calibrated() -> None:
    """PIT uniform, intervals hold as often as they say, chances come true: 2,000 resolutions of each."""
    found = simulation()
    names = {s.entry.quantity for s in found}
    assert len(names) == 12
    for name in names:
        own = [s for s in found if s.entry.quantity == name]
        assert len(own) == 2000
        pits = [p for s in own if (p := s.values.get("pit")) is not None]
        if pits:
            assert stats.kstest(pits, "uniform").pvalue > 0.01 / len(names), name
        for row in tally.calibration(own):
            # The forecast's own 20,000 draws have an error too, a tenth of this one squared.
            assert abs(row["observed"] - row["nominal"]) < 3.5 * row["se"], (name, row)


def test_a_forecaster_who_is_too_sure_is_seen_to_be() -> None:
    found = [s for s in simulation() if s.entry.quantity == "effort"]
    said = found[0].entry.forecast
    assert isinstance(said, Lognormal)
    narrow = replace(found[0].entry, forecast=Lognormal(said.mu, said.sigma / 2))
    sure = [tally.scored(narrow, s.outcome) for s in found]
    rows = {r["nominal"]: r for r in tally.calibration(sure)}
    assert rows[0.9]["observed"] < 0.7
    honest, less = (tally.summed_up(group)["log_density"]["mean"] for group in (found, sure))
    assert honest > less
    honest, less = (tally.summed_up(group)["crps_share"]["mean"] for group in (found, sure))
    assert honest < less


def test_the_figure_says_what_it_draws() -> None:
    svg = shown.figure(tally.summary(simulation()[:400])).decode()
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "Calibration of 400 resolved forecasts" in svg


# The command line


def run(*words: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["log", *words], env={"COLUMNS": "160"})
    assert done.exit_code == status, done.output
    return done.output


def test_from_a_forecast_to_its_score(tmp_path: Path) -> None:
    assert "12 forecasts kept" in run("add", "rlhf", *QUICK)
    assert "0 forecasts kept" in run("add", "rlhf", *QUICK)
    assert "1 forecast kept" in run(
        "add", "rlhf", *QUICK, "--question", "serial_chains", "--by", "2030-01-01"
    )
    rows = json.loads(run("list", "--json"))["forecasts"]
    assert len(rows) == 13
    assert [r["resolves"] for r in rows] == sorted(r["resolves"] for r in rows)
    assert all(word in run("list") for word in ("(USD)", "(years)", "(FTE-years)"))  # however narrow
    # As people say them, by project, and not "8,900,000 (4,000,000 to 2e7)".
    listed = run("list")
    assert re.search(r"cost \(USD\) +\$[\d.]+M \(\$[\d.]+M to \$[\d.]+M\)", listed)
    assert re.search(r"capability speedup \(years\) +[\d.]+ h \(", listed)
    heads = {line.strip() for line in listed.splitlines()}
    assert {"The world", "Reinforcement learning from human feedback"} <= heads
    ids = {r["quantity"]: r["id"] for r in rows}
    assert "is no day" in run("add", "rlhf", *QUICK, "--by", "soon", status=2)
    assert "must be yes or no" in run("resolve", ids["breakthrough_hit"], "3", "--source", "x", status=2)
    assert "cannot be converted" in run("resolve", ids["effort"], "3 dollars", "--source", "x", status=2)
    assert "no forecast has this id" in run("resolve", "zz", "1", "--source", "x", status=2)
    early = run("resolve", ids["agi_by_2035"], "no", "--source", "x", status=2)
    assert "cannot be known before 2035-12-31: only yes can come sooner" in early
    run("resolve", ids["breakthrough_hit"], "yes", "--source", "the team")
    run("resolve", ids["effort"][:6], "200 person-months", "--source", "the books")
    run("resolve", ids["agi_by_2035"], "ambiguous", "--source", "nobody agrees")
    assert len(json.loads(run("list", "--json"))["forecasts"]) == 10
    picture = tmp_path / "record.svg"
    found = json.loads(run("score", "--json", "--svg", str(picture)))
    assert (found["schema"], found["open"], found["resolved"]) == ("difprog.log/1", 10, 2)
    assert {"by_kind", "calibration", "forecasts"} <= found.keys()
    ET.fromstring(picture.read_text())
    out = run("score")
    assert "next to nothing" in out
    assert "1 ambiguous" in out
    assert ids["effort"][:8] in out
    # A correction is a new line.
    run("resolve", ids["breakthrough_hit"], "no", "--source", "the team, later")
    answers = {r["quantity"]: r["outcome"] for r in json.loads(run("list", "--all", "--json"))["forecasts"]}
    assert (answers["breakthrough_hit"], answers["effort"]) == (False, pytest.approx(200 / 12))
    assert log.place().read_text().count('"outcome"') == 4


def test_an_empty_log_says_so() -> None:
    assert "No forecast is open" in run("list")
    assert "nothing to score" in run("score")


def test_out_as_a_table_and_in_again(tmp_path: Path) -> None:
    run("add", "rlhf", *QUICK)
    first = json.loads(run("list", "--json"))["forecasts"]
    run("resolve", first[0]["id"], "3e11", "--source", "a report")
    table, other = tmp_path / "log.csv", tmp_path / "other.jsonl"
    run("export", str(table))
    assert "0 lines added" in run("import", str(table))
    assert "13 lines added" in run("import", str(table), "--file", str(other))
    before, after = log.load(log.place()), log.load(other)
    assert not after.damaged
    assert len(after.resolutions) == 1
    for entry in before.entries.values():
        (same,) = [e for e in after.entries.values() if e.quantity == entry.quantity]
        assert (same.made, same.resolves, same.unit) == (entry.made, entry.resolves, entry.unit)
        if isinstance(entry.forecast, float):
            assert same.forecast == entry.forecast
        else:
            assert not isinstance(same.forecast, float)
            for level in (0.05, 0.5, 0.95):
                expected = entry.forecast.quantile(level)
                assert same.forecast.quantile(level) == pytest.approx(expected, rel=1e-5)
    rows = list(csv.DictReader(io.StringIO(run("export"))))
    assert {"probability", "p5", "p50", "p95", "outcome"} <= rows[0].keys()


def test_a_table_from_elsewhere(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(
        "question,made,resolves,probability,p5,p50,p95,unit,outcome,source\n"
        "Will it rain?,2026-01-01,2026-06-01,80%,,,,,yes,the window\n"
        "How long?,2026-01-01,2026-06-01,,1 month,3 months,2 years,years,,\n"
    )
    assert "3 lines added" in run("import", str(table))
    found = log.load(log.place())
    rain, long = found.entries.values()
    assert (rain.forecast, found.outcome(rain)) == (0.8, True)
    assert not isinstance(long.forecast, float)
    assert long.forecast.quantile(0.5) == pytest.approx(0.25)
    table.write_text("question,resolves,probability,p5,p95\na,soon,0.5,,\nb,2027-01-01,,3,1\nc,2027-01-01,,,\n")
    out = run("import", str(table), status=2)
    for words in ("row 1: resolves: is no day", "row 2: has quantiles that do not rise", "row 3: needs two"):
        assert words in out
    assert len(log.load(log.place()).entries) == 2


# Backtests


def found_table(program: float = 0.1) -> dict[str, Any]:
    gain = {"mean": 0.25, "se": 0.1}
    naive = {"crps": 0.3, "log_score": -1.0, "covered": 0.5, "crps_gain": gain, "log_gain": gain}
    own = {"crps": program, "log_score": -0.5, "covered": 0.75}
    one = {
        "dataset": "headcounts", "cut": "2020-01-01", "before": 5, "after": 4, "topics": 1,
        "draws": 12_000, "divergences": 0, "failures": [],
        "forecasts": {"program": own, "last": naive, "trend": naive}, "rows": [],
    }  # fmt: skip
    return {"backtests": [one], "left_out": [], "simulated": {"n": 0, "calibration": [], "pit": {}}}


def test_the_table_of_backtests_stands_between_its_marks() -> None:
    table = shown_backtest.markdown(found_table())
    row = "| 2020-01-01 | 4 head counts | 3 of 4 | 0.10 | 0.30 | 0.30 | +0.2 ± 0.1 | +0.2 ± 0.1 | none |"
    assert row in table
    page = f"a\n{shown_backtest.BEGIN}\nold\n{shown_backtest.END}\nb"
    assert shown_backtest.placed(page, table) == page.replace("old", table)


def test_backtests_say_first_what_cannot_be_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    table = found_table()
    monkeypatch.setattr(backtest, "run", lambda *_, **__: table)
    done = CliRunner().invoke(main, ["verify", "--backtest"], env={"COLUMNS": "160"})
    assert done.exit_code == 0
    assert "4 head counts" in done.output
    table["backtests"][0] |= {"failures": ["18 divergences"], "divergences": 18}
    done = CliRunner().invoke(main, ["verify", "--backtest"], env={"COLUMNS": "160"})
    assert done.exit_code == 3
    assert "18 of 12,000" in done.stdout
    assert done.stdout.startswith("headcounts before 2020-01-01: 18 divergences")
    assert json.loads(CliRunner().invoke(main, ["verify", "--backtest", "--json"]).stdout) == table


def test_rows_of_after_the_cut_move_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a backtest fits is what was known before; naive forecasts are made of it alone."""
    seen: list[Any] = []
    draws = {
        "middle": np.full(50, 2.0), "between": np.full(50, 0.1), "drift": np.zeros(50),
        "misfit": np.full(50, 0.1), "m": np.full((50, 40), 2.0),
    }  # fmt: skip

    def fitted(name: str, data: Any, *_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        seen.append(data)
        return draws, {"divergences": 0, "failures": []}

    monkeypatch.setattr(past, "_posterior", fitted)
    cut, known = date(2024, 1, 1), past.published("timelines") < 2024
    before = past._timelines(cut, backtest.SETTINGS, None)
    whole = timelines.read()
    assert before.before == len(seen[0].logs) == np.count_nonzero(known)
    assert len(seen[0].sources) == 1 + max(seen[0].source)
    assert "ESPAI, AGI, 2023.8" in {row.what for row in before.later}  # asked before the day, told after it

    def changed() -> Any:
        return whole._replace(logs=np.where(known, whole.logs, whole.logs + 1.0))

    monkeypatch.setattr(timelines, "read", changed)
    after = past._timelines(cut, backtest.SETTINGS, None)
    for one, two in zip(before.later, after.later, strict=True):
        assert (one.program, one.last, one.trend) == (two.program, two.last, two.trend)
        assert one.log != two.log
    np.testing.assert_array_equal(seen[1].logs, seen[0].logs)


def test_rows_are_dated_by_when_they_were_published() -> None:
    for name in past.DATASETS:
        said = [row for row in tables.rows("published") if row["dataset"] == name]
        of = {"headcounts": "series", "timelines": "source"}[name]
        rows = {(row[of], float(row["date"])) for row in tables.rows(name)}
        assert {(row["of"], float(row["date"])) for row in said} <= rows
        assert np.count_nonzero(past.published(name) != likelihood(name).read().dates) >= len(said) > 0
    counts = past.published("headcounts")[[s == past.SERIES for s in headcounts.read().series]]
    assert np.all(counts % 1 > 0.99)  # a count of a year is not known before its end


@pytest.mark.parametrize("name", past.DATASETS)
def test_the_days_at_which_a_table_can_be_cut(name: str) -> None:
    known, (basis, asked) = past.published(name), past._marked(name)

    def before_and_after(day: date) -> tuple[int, int]:
        old = known < tables.decimal_year(day)
        return int(np.sum(old & basis)), int(np.sum(~old & asked))

    first, last = past.days(name)
    assert before_and_after(first)[0] >= past.FEWEST > before_and_after(first - timedelta(days=1))[0]
    assert before_and_after(last)[1] >= 1 > before_and_after(last + timedelta(days=1))[1]


def test_a_day_that_nothing_can_be_made_of_is_refused_with_those_that_can() -> None:
    ask = ["verify", "--backtest", "--as-of"]
    for day, why in (("1999-01-01", "too little lies before it"), ("2030-01-01", "nothing came after it")):
        done = CliRunner().invoke(main, [*ask, day])
        assert done.exit_code == 2
        assert f"{why} (got {day}); can be cut: head counts from 2018-01-01 to" in done.stderr
        assert done.stdout == ""
    assert CliRunner().invoke(main, [*ask, "yesterday"]).exit_code == 2
    assert CliRunner().invoke(main, ["verify", "--as-of", "2020-01-01"]).exit_code == 2


def told(cut: date, settings: Settings, *_: Any) -> past.Told:
    said = Quantiles((0.1, 0.5, 0.9), (1.0, 2.0, 10.0 / 3.0))
    rows = [past.Later("n", "t", 2021.5, y, said, Normal(2.0, 1.0), Point(2.0)) for y in (1.5, 2.25)]
    return past.Told(tuple(rows), cut.year, settings.draws, settings.seed, ("1 divergences",))


def test_what_a_fit_foretold_is_kept_by_day_and_seed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIFPROG_HOME", str(tmp_path))
    asked: list[tuple[date, int]] = []

    def fresh(cut: date, settings: Settings, tick: Any) -> past.Told:
        asked.append((cut, settings.seed))
        return told(cut, settings, tick)

    monkeypatch.setattr(past, "_headcounts", fresh)
    day, settings = date(2020, 1, 1), backtest.SETTINGS
    first = past.told("headcounts", day, settings)
    assert past.told("headcounts", day, settings) == first == told(day, settings)
    assert asked == [(day, 1)]
    past.told("headcounts", day, replace(settings, seed=2))
    past.told("headcounts", date(2020, 1, 2), settings)
    assert len(asked) == 3
    for kept in (tmp_path / "cache" / "backtests").glob("*.json"):  # damaged, it is made anew
        kept.write_text(kept.read_text().replace("2021.5", "2020.5"))
    assert past.told("headcounts", day, settings) == first
    assert len(asked) == 4


def test_a_day_cuts_every_table_that_can_be_and_says_which_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "told", lambda _name, cut, settings, _tick: told(cut, settings))
    done = CliRunner().invoke(
        main, ["verify", "--backtest", "--as-of", "2020-01-01", "--as-of", "2024-01-01", "--json"]
    )
    found = json.loads(done.stdout)
    assert [(one["dataset"], one["cut"]) for one in found["backtests"]] == [
        ("headcounts", "2020-01-01"), ("headcounts", "2024-01-01"), ("timelines", "2024-01-01"),
    ]  # fmt: skip
    (out,) = found["left_out"]
    assert (out["dataset"], out["cut"], out["why"]) == ("timelines", "2020-01-01", "too little came before")
    assert found["simulated"] is None
    done = CliRunner().invoke(main, ["verify", "--backtest", "--as-of", "2020-01-01"], env={"COLUMNS": "160"})
    assert "published medians before 2020-01-01 are left out: too little came before" in done.stdout
    assert done.exit_code == 3


def test_the_figure_in_the_docs_is_of_this_version() -> None:
    """``python -m difprog.render.backtest`` makes it, and the table."""
    assert not differences("record.svg", (ROOT / shown_backtest.FIGURE).read_bytes(), shown_backtest.drawn())


@pytest.mark.slow
def test_the_backtests_in_the_docs_are_of_this_version(short: bool) -> None:
    cuts = backtest.CUTS[:1] if short else backtest.CUTS
    again = shown_backtest.markdown({"backtests": [backtest.backtest(*cut) for cut in cuts]})
    _, _, rest = (ROOT / shown_backtest.PAGE).read_text().partition(f"{shown_backtest.BEGIN}\n")
    lines = rest.partition(f"\n{shown_backtest.END}")[0].splitlines()
    assert len(lines) == 2 + len(backtest.CUTS)
    # Which steps diverge hangs on the last bits of a machine, and so does how many.
    last = re.compile(r"(none|[\d,]+ of [\d,]+) \|$", re.MULTILINE)
    shown, again = (last.sub("|", text) for text in ("\n".join(lines[: 2 + len(cuts)]), again))
    assert not list(text_differences(shown, again))
