"""Fits: what is stated against the evidence, how long they take, what is trusted, and a closed form."""

from __future__ import annotations

import math
import re
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import scipy.stats
from scipy import special

from difprog.base.errors import DiagnosticsFailed
from difprog.base.pace import Pace
from difprog.beliefs.distributions import Distribution, Point, Shape
from difprog.beliefs.families import FAMILIES
from difprog.beliefs.fitting import fit
from difprog.evidence import DATASETS, Case, netcdf, scores, store, tables, timelines
from difprog.evidence.fit import LEVELS, Settings, carried_by, judge
from difprog.evidence.fit import fit as sample
from difprog.evidence.fit import sample as sampled
from difprog.evidence.posterior import Posterior
from difprog.library import overview
from tests.fitted import AS_OF, shapes_of, small

# ── what is stated against the evidence, and how long it takes ──


def test_a_belief_that_the_evidence_contradicts_is_said_with_both() -> None:
    stated = shapes_of("headcounts")
    assert store.conflict("headcounts", stated, AS_OF) is None
    far = {**stated, "researchers": fit(FAMILIES["lognormal"], {0.05: 1.0, 0.95: 2.0})}
    words = store.conflict("headcounts", far, AS_OF)
    assert words is not None
    assert re.match(r"researchers is stated as 1 to 2, and the evidence says 535 to 958, at least 6 ", words)
    # What was counted for one day says nothing against what is stated for another.
    assert store.conflict("headcounts", far, date(2015, 1, 1)) is None


@pytest.mark.parametrize("name", DATASETS)
def test_what_ships_is_in_no_conflict_and_a_point_never_is(name: str) -> None:
    stated = shapes_of(name)
    assert store.conflict(name, stated, AS_OF) is None
    points: dict[str, Shape] = {belief: Point(float(shape.quantile(9.0))) for belief, shape in stated.items()}
    assert store.conflict(name, points, AS_OF) is None


@pytest.mark.parametrize("by", [-12.0, -7.0, 0.0, 7.0, 12.0])
def test_a_conflict_is_where_the_evidence_lies_in_one_tail_of_what_is_stated(by: float) -> None:
    """A slope that is stated as a normal: its scores are a shift and a scale."""
    found = netcdf.load(store.shipped("coupling"))
    assert found is not None
    low, *_, high = found.diagnostics["beliefs"]["coupling_intercept"]["posterior"]
    middle, width = (low + high) / 2, (high - low) / 3.29
    shifted = Distribution(FAMILIES["normal"], (middle + by * width, width))
    stated = {**shapes_of("coupling"), "coupling_intercept": shifted}
    words = store.conflict("coupling", stated, AS_OF)
    # The nearer end of a 90% interval is 1.645 from its middle.
    assert (words is not None) is (abs(by) - 1.645 >= store.CONFLICT)


def test_a_narrow_belief_within_the_evidence_is_no_conflict() -> None:
    narrow: dict[str, Shape] = {"agi_arrival": fit(FAMILIES["lognormal"], {0.05: 10.0, 0.95: 10.01})}
    assert store.conflict("timelines", narrow, AS_OF) is None


@pytest.mark.parametrize("as_of", ["2015-01-01", "2026-11-20"])
def test_a_fit_for_a_forecast_says_what_it_is_and_how_long_it_takes(
    as_of: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    def slow(name: str, *_: object, tick: Callable[[int, int], None], **__: object) -> Posterior:
        for done in (50, 100, 15_000, 30_000):
            clock.append(clock[-1] + 40)
            tick(done, 30_000)
        return small(name)

    clock = [0.0]
    monkeypatch.setattr(store, "fit", slow)
    monkeypatch.setattr(store, "Pace", lambda: Pace(lambda: clock[-1]))
    layer = tmp_path / "mine.toml"
    layer.write_text(
        f"as_of = {as_of}\n[beliefs.researchers]\np5 = 1\np95 = 2\nevidence = 'headcounts'\n"
    )
    said: list[str] = []
    stated = overview.stated("headcounts", overview.stack((str(layer),)))
    shapes = {name: belief.shape for name, belief in stated.items()}
    store.condition("headcounts", shapes, date.fromisoformat(as_of), said.append)
    assert said[0].startswith("conditioning on headcounts")
    assert ("standard deviations away" in said[1]) is (as_of == "2026-11-20")
    assert said[-2:] == [
        "headcounts: 0% done, about 6.6 hours left", "headcounts: 50% done, about 40 seconds left",
    ]


def test_who_waited_for_another_s_fit_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([None, small()])
    monkeypatch.setattr(store, "find", lambda *_: next(found))
    monkeypatch.setattr(store, "fit", lambda *_, **__: pytest.fail("fitted twice"))
    assert store.fitted("headcounts", shapes_of("headcounts"), AS_OF).key == "k"


def test_without_a_shipped_result_nothing_is_known_to_stand_against_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early: dict[str, Shape] = {"agi_arrival": fit(FAMILIES["lognormal"], {0.05: 0.001, 0.95: 0.002})}
    assert store.conflict("timelines", early, AS_OF) is not None
    file = tmp_path / "huge.nc"
    monkeypatch.setattr(store, "shipped", lambda _: file)
    assert store.conflict("timelines", early, AS_OF) is None
    netcdf.write(file, small())
    assert netcdf.load(file) is not None
    monkeypatch.setattr(netcdf, "LARGEST", 1)  # none of ours
    assert netcdf.load(file) is None


@pytest.mark.parametrize("error", ["SamplingError", "FloatingPointError", "ValueError"])
def test_a_sampler_that_cannot_start_is_said_in_one_line(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import pymc as pm
    from pymc.exceptions import SamplingError

    from difprog.evidence import compilation

    kind = {"SamplingError": SamplingError, "FloatingPointError": FloatingPointError}.get(error, ValueError)

    def fail(*_: object, **__: object) -> None:
        raise kind("no finite start\nand a page about it")

    monkeypatch.setattr(pm, "sample", fail)
    monkeypatch.setattr(compilation, "again_if_damaged", lambda run: run())  # it would empty a cache
    with pytest.raises(DiagnosticsFailed, match=r"^the sampler could not start: no finite start$"):
        sampled(None, Settings())


def test_a_thread_that_hears_no_signals_samples_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import pymc as pm

    monkeypatch.setattr(pm, "sample", lambda *_, **__: "draws")
    before = signal.getsignal(signal.SIGINT)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(sampled, None, Settings()).result() == "draws"
    assert signal.getsignal(signal.SIGINT) is before


def test_a_sampler_that_crawls_is_ended_with_what_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two variables is a million times as narrow as the other, and turned against it."""
    import pymc as pm

    from difprog.base import limits
    from difprog.evidence import fit as fitting

    monkeypatch.setattr(limits, "EVALUATIONS", limits.EVALUATIONS._replace(most=30))
    monkeypatch.setattr(fitting, "ENOUGH", 60)
    with pm.Model() as model:
        x = pm.Normal("x", shape=2)
        pm.Normal("y", x[0] - x[1], 1e-3, observed=0.0)
    with pytest.raises(DiagnosticsFailed, match=r"the sampler crawls: its first .* at most 30"):
        sampled(model, Settings(draws=2000, tune=500, chains=1))


def test_a_fit_that_fails_says_what_is_stated_against_the_evidence_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    def crawl(*_: object, **__: object) -> Posterior:
        raise DiagnosticsFailed("the sampler crawls")

    monkeypatch.setattr(store, "fit", crawl)
    early: dict[str, Shape] = {"agi_arrival": fit(FAMILIES["lognormal"], {0.05: 0.001, 0.95: 0.002})}
    said: list[str] = []
    with pytest.raises(DiagnosticsFailed) as caught:
        store.condition("timelines", early, AS_OF, said.append)
    for words in ("the sampler crawls", "stated as 0.001 to 0.002", "--no-evidence", '= "timelines"'):
        assert words in str(caught.value)
    assert not [path for path in home.rglob("*") if path.is_file()]


# ── the sampling, on a likelihood with a closed form ──

#: A mean with a normal prior, and measurements whose error is known.
MEAN, ERROR, VALUES = 0.5, 0.8, (2.0, 1.0, 2.5, 1.5)


class Toy:
    """A dataset about one belief, with a second that nothing moves."""

    BELIEFS = ("skill", "leak")
    STATED = ("skill_score",)
    TITLE, NOTE, DATED = "toy", "toy", False
    VARIANTS: ClassVar = {"twice as large": lambda data: 2 * data}

    @staticmethod
    def read() -> np.ndarray:
        return np.array(VALUES)

    @staticmethod
    def build(case: Case) -> object:
        import pymc as pm

        with pm.Model() as model:
            mean = scores.prior("skill", case.shapes["skill"])
            scores.prior("leak", case.shapes["leak"])
            pm.Normal("values", mean, ERROR, observed=pm.Data("values_data", case.data))
        return model


def test_a_fit_of_a_conjugate_normal_is_its_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    from difprog.evidence import fit as fitting

    monkeypatch.setattr(fitting, "likelihood", lambda _: Toy)
    monkeypatch.setattr(fitting, "VARIANT_DRAWS", 400)
    stated: dict[str, Shape] = {"skill": Distribution(FAMILIES["normal"], (MEAN, 1.0)), "leak": Point(0.25)}
    how = Settings(draws=1500, tune=500, chains=2, thin=3, target_accept=0.8)
    ticks: list[tuple[int, int]] = []
    found = sample("toy", stated, math.nan, settings=how, tick=lambda *at: ticks.append(at))
    precision = 1 + len(VALUES) / ERROR**2
    law = scipy.stats.norm((MEAN + sum(VALUES) / ERROR**2) / precision, precision**-0.5)

    notes = found.diagnostics["beliefs"]["skill"]
    assert notes["prior"] == pytest.approx(scipy.stats.norm(MEAN).ppf(LEVELS))
    spread = law.std() / math.sqrt(notes["ess_bulk"])
    assert notes["posterior"][2] == pytest.approx(law.median(), abs=5 * 1.25 * spread)
    assert notes["posterior"] == pytest.approx(law.ppf(LEVELS), abs=15 * spread)
    # The data are four measurements and the prior one that is a little wider: both are felt.
    assert notes["sensitivity"]["data"] > notes["sensitivity"]["prior"] > 0
    assert notes["sensitivity"]["carried_by"] == carried_by(
        *(notes["sensitivity"][key] for key in ("prior", "data"))
    )
    # A point stays where it is, and no diagnostic is made of it.
    assert found.diagnostics["beliefs"]["leak"]["posterior"] == [0.25] * 5
    assert set(found.draws["leak"].tolist()) == {0.25}
    # Every third of two chains' draws is kept.
    assert found.size == 2 * 500
    assert found.diagnostics["kept_share"] > 0
    assert found.diagnostics["failures"] == []
    assert ticks[-1] == (how.steps, how.steps)
    # Another reading of the data, by the same closed form.
    twice = (MEAN + 2 * sum(VALUES) / ERROR**2) / precision
    assert found.diagnostics["variants"]["twice as large"]["skill"] == pytest.approx(twice, abs=0.15)


def test_of_the_timelines_one_more_forecaster_is_kept_and_every_source_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fit of a belief that is drawn anew, its draws given: the sampler has tests of its own."""
    import arviz as az

    from difprog.evidence import fit as fitting

    data, how = timelines.read(), Settings(draws=300, chains=2, thin=3)
    rng = np.random.default_rng(how.seed + 1)  # not the stream that the fit itself draws from
    each = (how.chains, how.draws)
    draws = {
        "middle": rng.normal(2.0, 0.1, each), "between": np.full(each, 0.2), "within": np.full(each, 0.5),
        "differences": np.full(each, 0.4), "m": rng.normal(2.0, 0.3, (*each, len(data.sources))),
        "width": np.zeros((*each, len(data.sources))),
    }  # fmt: skip
    draws["m"] += 2.0 - np.median(draws["m"], axis=(0, 1))  # every source's median
    tree = az.from_dict({"posterior": draws})
    judged: list[str] = []
    scaled: list[str] = []
    monkeypatch.setattr(fitting, "sample", lambda *_: tree)
    monkeypatch.setattr(fitting, "judge", lambda _, found: judged.extend(found) or {"failures": []})
    monkeypatch.setattr(fitting, "power_scaling", lambda _t, _m, beliefs, _s: scaled.extend(beliefs) or {})
    year = data.newest + 0.5
    found = sample("timelines", shapes_of("timelines"), year, settings=how)
    assert found.draws == {}
    assert scaled == ["agi_arrival"]
    assert set(judged) - set(draws) == {"agi_arrival", "agi_arrival (location)", "agi_arrival (scale)"}
    kept = found.predictive["agi_arrival"]
    assert found.size == 2 * 100
    assert kept.shift == pytest.approx(0.5)
    # A new forecaster: the centre's spread and the forecasters' apart; a width that varies as theirs do.
    assert kept.location.std() == pytest.approx(math.hypot(0.1, 0.2), rel=0.2)
    assert np.log(kept.scale).mean() == pytest.approx(math.log(0.5), abs=0.1)
    assert np.log(kept.scale).std() == pytest.approx(0.4, rel=0.2)
    notes = found.diagnostics
    assert (notes["newest"], notes["as_of"]) == (data.newest, year)
    # The sources' widths are the typical one, and their medians e² years from the newest forecast.
    for source, row in zip(data.sources, notes["sources"], strict=True):
        years = [data.newest + math.exp(2.0 + special.ndtri(q) * 0.5) for q in (0.1, 0.5, 0.9)]
        assert [row[key] for key in ("p10", "p50", "p90")] == pytest.approx(years)
        rows = [r for r in tables.rows("timelines") if r["source"] == source]
        assert (row["source"], row["forecasts"]) == (source, len(rows))
        assert row["targets"] == sorted({r["target"] for r in rows})
        for (target, day, level, at, bound), stated in zip(row["stated"], rows, strict=True):
            assert (target, day) == (stated["target"], float(stated["date"]))
            assert level == pytest.approx(float(stated["percentile"]) / 100)
            assert at == pytest.approx(max(float(stated["year"]), day), abs=0.01)
            assert bound == (stated["censored"] == "above")


def test_draws_that_do_not_mix_are_named_as_failures() -> None:
    """Two chains that never meet, one draw that is held for long, and steps that diverge."""
    import arviz as az

    rng = np.random.default_rng(1)
    good = rng.standard_normal((4, 1000))
    apart = good + np.arange(4)[:, None]
    held = np.repeat(rng.standard_normal((4, 20)), 50, axis=1)
    energy = {"energy": good**2, "diverging": np.zeros(good.shape, dtype=bool)}
    tree = az.from_dict({"posterior": {"x": good}, "sample_stats": energy})
    assert judge(tree, {"x": good, "flat": np.zeros((4, 1000))})["failures"] == []
    found = judge(tree, {"x": good, "apart": apart})
    assert any("R-hat of apart" in words for words in found["failures"])
    found = judge(tree, {"x": good, "held": np.stack([good, held], axis=-1)})
    assert found["at"]["ess_bulk"] == "held[1]"
    assert any("effective sample size of held[1]" in words for words in found["failures"])
    # A diagnostic that is no number is the worst.
    assert judge(tree, {"x": good, "none": np.where(good > 3, np.nan, good)})["failures"]
    walk = np.cumsum(good, axis=1)
    stuck = {"energy": walk, "diverging": np.arange(4000).reshape(4, 1000) < 3}
    tree = az.from_dict({"posterior": {"x": good}, "sample_stats": stuck})
    words = judge(tree, {"x": good})["failures"]
    assert words[0] == "3 divergences"
    assert words[1].startswith("E-BFMI")


# ── sampling ──


@pytest.mark.slow
@pytest.mark.parametrize("name", ["parallelisation", "coupling"])
def test_a_fresh_fit_agrees_with_the_shipped_one(name: str) -> None:
    how = Settings(draws=1500, thin=1, seed=7)
    fresh = sample(name, shapes_of(name), tables.decimal_year(AS_OF), settings=how)
    assert fresh.diagnostics["failures"] == []
    shipped = netcdf.load(store.shipped(name))
    assert shipped is not None
    for belief, values in fresh.draws.items():
        want = shipped.draws[belief]
        error = want.std() * math.sqrt(1 / fresh.diagnostics["ess_bulk"] + 1 / want.size)
        assert values.mean() == pytest.approx(want.mean(), abs=5 * error)
