"""Calibration by simulation, closed forms, nesting; and that a fault would be found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from difprog import verify
from difprog.cli import main
from difprog.models.model import Model, load, vocabulary
from difprog.race.parameters import Group
from difprog.render.verify import band
from difprog.verify import closed, sbc


def test_closed_forms_quadrature_nesting_and_the_conjugate_case_hold() -> None:
    found = closed.run()
    assert [c["check"] for c in found if not c["passed"]] == []
    assert sum("nested" in c["check"] for c in found) >= 4
    assert sum("conjugate" in c["check"] for c in found) == 4


def test_a_wrong_race_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = closed.chances

    def wrong(model: Model, effects: Mapping[str, Any], count: int, **values: Any) -> np.ndarray:
        return right(model, effects, count, **{**values, "researchers": 1.000001 * values["researchers"]})

    monkeypatch.setattr(closed, "chances", wrong)
    assert closed.quadrature(1)["got"] > closed.ROUNDING
    assert closed.closed_form(1)["got"] > closed.ROUNDING


def test_every_mechanism_is_open_and_matters_where_the_race_is_compared() -> None:
    opened = {n for n in load("synthesis").reads if vocabulary()[n].group is Group.WORLD}
    assert opened <= {*closed.WORLDS, "serial_chains", "gated_chains", "parallel_requirement", "overhang"}
    assert set(closed.EFFECTS) == set(load("synthesis").effects)


def test_a_likelihood_is_calibrated() -> None:
    found = sbc.calibrate("coupling", 6, seed=1)
    assert found["passed"]
    assert set(found["quantities"]) >= {"coupling_intercept", "coupling_focus", "slope"}
    assert all(len(q["ranks"]) == 6 for q in found["quantities"].values())
    assert all(0 <= r <= sbc.DRAWS for q in found["quantities"].values() for r in q["ranks"])


def test_a_chain_that_cannot_leave_its_mode_is_found() -> None:
    """Two modes that no chain crosses between: started at the truth it would pass."""
    import pymc as pm

    with pm.Model() as model:
        x = pm.NormalMixture("x", w=[0.5, 0.5], mu=[-30.0, 30.0], sigma=[1.0, 1.0])
        pm.Normal("y", abs(x), 1.0, observed=pm.Data("y_data", [30.0]))
    found = sbc.calibrated("two modes", model, 30, seed=1)
    assert not found["passed"]
    assert found["quantities"]["x"]["p"] < sbc.LEVEL


def test_divergences_are_counted_by_simulation() -> None:
    import pymc as pm

    with pm.Model() as model:
        scale = pm.Normal("log_scale", 0.0, 3.0)
        x = pm.Normal("x", 0.0, pm.math.exp(scale), shape=5)
        pm.Normal("y", x.sum(), 100.0, observed=pm.Data("y_data", 0.0))
    found = sbc.calibrated("funnel", model, 2, seed=1)
    assert 0 < found["diverged"] <= 1
    assert found["divergences"] >= found["diverged"] * 2


def test_truly_uniform_ranks_pass_and_others_do_not() -> None:
    rng = np.random.default_rng(1)
    null = sbc.null_distances(200, sbc.DRAWS, 1)
    uniform = rng.integers(0, sbc.DRAWS + 1, 200)
    biased = np.minimum(rng.integers(0, sbc.DRAWS + 1, 200), rng.integers(0, sbc.DRAWS + 1, 200))
    overconfident = np.where(rng.random(200) < 0.5, rng.integers(0, 8, 200), rng.integers(56, 64, 200))

    def p(ranks: np.ndarray) -> float:
        return float(np.mean(null >= sbc.distance(ranks, sbc.DRAWS)))

    assert p(uniform) > 0.01
    assert p(biased) < 0.001
    assert p(overconfident) < 0.001


def test_the_null_distribution_gives_uniform_p_values() -> None:
    rng = np.random.default_rng(2)
    null = sbc.null_distances(50, sbc.DRAWS, 1)
    values = [
        np.mean(null >= sbc.distance(rng.integers(0, sbc.DRAWS + 1, 50), sbc.DRAWS)) for _ in range(400)
    ]
    assert np.mean(np.asarray(values) < 0.05) == pytest.approx(0.05, abs=0.035)


def test_a_band_is_drawn_with_its_curve() -> None:
    rows = band(np.full(20, sbc.DRAWS), sbc.DRAWS, 0.2)
    assert len({len(row) for row in rows}) == 1
    assert any("●" in row for row in rows)
    assert all(len(row) <= 76 for row in rows)


def test_a_failed_check_is_said_first_and_ends_with_status_3(monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = [0] * 20
    bad = {
        "likelihood": "coupling", "simulations": 20, "draws": sbc.DRAWS, "divergences": 0, "diverged": 0.0,
        "least": 0.0,
        "passed": False, "band": 0.3, "quantities": {"slope": {"p": 0.0, "mean_rank": 0.0, "ranks": ranks}},
    }  # fmt: skip
    monkeypatch.setattr(verify, "SETTINGS", {"short": (20, ("coupling",))})
    monkeypatch.setattr(sbc, "calibrate", lambda *_, **__: bad)
    monkeypatch.setattr(closed, "run", lambda *_: closed.toy() and [])
    done = CliRunner().invoke(main, ["verify"])
    assert done.exit_code == 3
    assert done.stdout.splitlines()[0].startswith("FAILED")
    done = CliRunner().invoke(main, ["verify", "--json"])
    assert json.loads(done.stdout)["passed"] is False


@pytest.mark.slow
@pytest.mark.parametrize("name", ["headcounts", "parallelisation"])
def test_the_other_likelihoods_are_calibrated(name: str, short: bool) -> None:
    assert sbc.calibrate(name, 12 if short else 40, seed=3)["passed"]
