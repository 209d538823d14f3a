"""Evidence: its tables, stated beliefs as its priors, leaving it out, its commands."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from click.testing import CliRunner
from scipy import special

from difprog.base.errors import BadInput
from difprog.beliefs.distributions import Mixture, Point, Shape
from difprog.beliefs.families import FAMILIES
from difprog.beliefs.fitting import fit
from difprog.cli import main
from difprog.evidence import DATASETS, Case, likelihood, netcdf, scores, store, tables, timelines
from difprog.evidence.checked import read
from difprog.evidence.fit import carried_by
from difprog.evidence.posterior import Predictive
from difprog.forecast.conditioning import question_of
from difprog.forecast.question import Question
from difprog.forecast.sampling import draw_beliefs
from difprog.forecast.setup import Setup, find_project, prepare
from difprog.race.parameters import PARAMETERS
from tests.fitted import AS_OF, shapes_of

# ── the tables ──


@pytest.mark.parametrize("name", DATASETS)
def test_every_row_cites_its_source_and_those_left_out_say_why(name: str) -> None:
    rows = tables.rows(name, every=True)
    assert len(rows) >= 20
    for row in rows:
        assert row["citation"].strip()
        assert row.get("use", "yes") in ("yes", "no")
        assert row["reason"] or row.get("use") == "yes"
        assert row.get("censored", "") in timelines.WIDTHS
        assert "memory" not in row["citation"].lower()
        assert "recalled" not in row["citation"].lower()


@pytest.mark.parametrize("name", DATASETS)
def test_a_likelihood_has_the_parts_that_sampling_and_simulating_ask_for(name: str) -> None:
    module, shapes = likelihood(name), shapes_of(name)
    model = module.build(Case(module.read(), shapes, tables.decimal_year(AS_OF)))
    free = {variable.name for variable in model.free_RVs}
    assert set(module.STATED) <= free
    named = free | {variable.name for variable in model.deterministics}
    assert hasattr(module, "used") or set(module.BELIEFS) <= named
    assert getattr(module, "CENTRE", None) in {None, *free}
    assert model.observed_RVs
    assert {f"{variable.name}_data" for variable in model.observed_RVs} <= model.named_vars.keys()


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.splitlines()[0],
        lambda text: "",
        lambda text: text.replace(",", ";"),
        lambda text: re.sub(r"(?<=,)\d+(\.\d+)?(?=,)", "nan", text),
        lambda text: re.sub(r"(?<=,)\d+(\.\d+)?(?=,)", "many", text),
    ],
    ids=["no rows", "nothing", "another separator", "no numbers", "words"],
)
def test_a_damaged_table_is_said_to_be(
    name: str, damage: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = damage(tables.content(name).decode())
    monkeypatch.setattr(tables, "content", lambda _: text.encode())
    with pytest.raises(BadInput, match=rf"priors/evidence/{name}\.csv.* is damaged"):
        read(name)


@pytest.mark.parametrize("name", DATASETS)
def test_a_likelihood_conditions_parameters_that_exist(name: str) -> None:
    module = likelihood(name)
    assert set(module.BELIEFS) <= set(PARAMETERS)
    assert module.TITLE
    assert module.NOTE


def test_answers_become_exponents() -> None:
    data = likelihood("parallelisation").read()
    # Half the researchers for half the progress is λ = 1; for no loss at all, 0.
    assert len(data.answers) == 200
    assert np.isclose(data.answers, 1.0).any()
    assert data.answers.min() == 0.0
    assert np.median(data.answers) == pytest.approx(math.log(0.7) / math.log(0.5))


def test_no_forecast_speaks_of_its_own_past_and_bounds_are_censored() -> None:
    data = timelines.read()
    assert np.isfinite(data.logs).all()
    rows = tables.rows("timelines")
    for width, kind in ((0.0, ""), (1.0, "year"), (math.inf, "above")):
        assert (data.widths == width).sum() == sum(r["censored"] == kind for r in rows) > 0


def test_a_source_that_is_part_of_another_counts_once() -> None:
    sources = {r["source"] for r in tables.rows("timelines")}
    assert "Metaculus" in sources
    assert "Goodheart index" not in sources, "three of its four parts are Metaculus questions"


def test_statements_have_the_chances_that_the_normal_law_gives_them() -> None:
    mean, error = np.asarray([1.0, 1.0, 1.0, -3.0]), 0.4
    widths = np.asarray([0.0, 1.0, math.inf, 1.0])
    logs = np.log([2.0, 2.0, 2.0, 40.0])
    got = timelines.log_chance(logs, mean, error, np.full(4, 2026.0), widths, logs).eval()
    law = scipy.stats.norm(1.0, error)
    assert got[0] == pytest.approx(law.logpdf(math.log(2.0)))
    assert math.exp(got[1]) == pytest.approx(law.cdf(math.log(3.0)) - law.cdf(math.log(2.0)))
    assert math.exp(got[2]) == pytest.approx(law.sf(math.log(2.0)))
    # Both ends 17 standard deviations out: by the logs of the two upper tails.
    near, far = scipy.stats.norm.logsf(np.log([40.0, 41.0]), -3.0, error)
    assert got[3] == pytest.approx(near + math.log1p(-math.exp(far - near)))


def test_simulated_statements_are_of_the_kinds_that_the_likelihood_reads() -> None:
    rng = np.random.default_rng(1)
    widths, bound = np.asarray([0.0, 1.0, math.inf]), np.log([1.0, 1.0, 5.0])
    law = np.full(3, 1.5), np.full(3, 0.5)
    drawn = timelines.stated(*law, np.full(3, 2026.4), widths, bound, rng, (4000, 3))
    years = 2026.4 + np.exp(drawn)
    assert np.abs(years[:, 1] - np.round(years[:, 1])).max() < 1e-6
    assert (drawn[:, 2] <= bound[2]).all()
    beyond = scipy.stats.norm.sf(bound[2], 1.5, 0.5)
    assert np.mean(drawn[:, 2] == bound[2]) == pytest.approx(beyond, abs=0.03)


def test_estimates_are_about_one_field_each() -> None:
    from difprog.evidence import parallelisation

    data = parallelisation.read()
    fields = dict(zip(data.sources, (parallelisation.FIELDS[i] for i in data.fields), strict=True))
    assert fields["Cook & Corlouer 2022"] == "alignment"
    assert set(fields.values()) == set(parallelisation.FIELDS)


def test_the_two_exponents_are_joint_and_each_has_its_stated_prior() -> None:
    import pymc as pm

    other = fit(FAMILIES["beta"], {0.1: 0.1, 0.9: 0.5}, (0, 1))
    shapes = {**shapes_of("parallelisation"), "capability_exponent": other}
    module = likelihood("parallelisation")
    case = Case(module.read(), shapes, math.nan)
    model = module.build(case)
    names = ("shares", "consensus", "field")
    columns = pm.draw([model[n] for n in names], draws=8000, random_seed=1)
    found, _ = module.used(dict(zip(names, columns, strict=True)), case, np.random.default_rng(1))
    for belief, values in found.items():
        for p in (0.1, 0.5, 0.9):
            assert np.mean(values < shapes[belief].percentile(p)) == pytest.approx(p, abs=0.02)
    # A third of the score's variance is shared.
    assert scipy.stats.spearmanr(*found.values())[0] == pytest.approx(1 / 3, abs=0.06)


def test_readings_of_the_couplings_leave_out_what_they_say() -> None:
    from difprog.evidence import coupling

    data = coupling.read()
    clipped, without = (read(data) for read in coupling.VARIANTS.values())
    assert clipped.z.min() == 0.0
    assert len(clipped.z) == len(data.z)
    assert len(data.names) - len(without.names) == 9
    assert not any("WMDP" in name or "Harm" in name or "Cyber" in name for name in without.names)


# ── stated beliefs as priors ──

SHAPES: dict[str, Shape] = {
    "normal": fit(FAMILIES["normal"], {0.05: -1.0, 0.95: 2.0}),
    "lognormal": fit(FAMILIES["lognormal"], {0.1: 2.0, 0.9: 50.0}, (0, math.inf)),
    "logitnormal": fit(FAMILIES["logitnormal"], {0.05: 0.2, 0.95: 0.95}, (0, 1)),
    "truncated": fit(FAMILIES["lognormal"], {0.1: 2.0, 0.9: 50.0}, (1.0, 100.0)),
    "beta": fit(FAMILIES["beta"], {0.05: 0.2, 0.95: 0.9}, (0, 1)),
    "mixture": Mixture(
        (0.5, 0.5),
        (
            fit(FAMILIES["lognormal"], {0.1: 1.0, 0.9: 5.0}, (0, math.inf)),
            fit(FAMILIES["lognormal"], {0.1: 20.0, 0.9: 50.0}, (0, math.inf)),
        ),
    ),
    "point": Point(3.0),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_prior_is_the_stated_belief_whatever_its_family(name: str) -> None:
    import pytensor.tensor as pt

    z = np.linspace(-3.5, 3.5, 41)
    want = np.broadcast_to(SHAPES[name].quantile(z), z.shape)
    got = np.broadcast_to(scores.quantile(SHAPES[name], pt.as_tensor_variable(z)).eval(), z.shape)
    assert got == pytest.approx(want, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", sorted(set(SHAPES) - {"point"}))
def test_a_score_is_the_inverse_of_the_quantile(name: str) -> None:
    z = np.linspace(-2.5, 2.5, 21)
    assert scores.score(SHAPES[name], SHAPES[name].quantile(z)) == pytest.approx(z, abs=1e-5)


def test_the_timeline_prior_is_the_stated_belief_in_median_and_log_variance() -> None:
    import pymc as pm

    shapes, data = shapes_of("timelines"), timelines.read()
    as_of = tables.decimal_year(AS_OF)
    model = timelines.build(Case(data, shapes, as_of))
    names = ("middle", "between", "within", "differences")
    columns = pm.draw([model[n] for n in names], draws=6000, random_seed=1)
    draws = dict(zip(names, columns, strict=True))
    rng = np.random.default_rng(1)
    _, predictive = timelines.used(draws, Case(data, shapes, as_of), rng)
    pooled = predictive["agi_arrival"]
    logs = pooled.location + pooled.scale * rng.standard_normal(6000)
    middle, spread = timelines.spans(shapes["agi_arrival"], as_of - data.newest)
    assert np.median(logs) == pytest.approx(middle, abs=5 * 1.25 * spread / math.sqrt(6000))
    assert logs.std() == pytest.approx(spread, rel=0.08)
    years = pooled.sample(np.arange(6000), rng.standard_normal(6000))
    for p, slack in ((0.1, 0.25), (0.5, 0.1), (0.9, 0.25)):
        stated = shapes["agi_arrival"].percentile(p)
        assert math.log(np.quantile(years, p) / stated) == pytest.approx(0, abs=slack)


def test_a_predictive_is_cut_at_the_date_of_the_forecast() -> None:
    pooled = Predictive(np.zeros(1000), np.ones(1000), 2.0)
    z = special.ndtri((np.arange(1000) + 0.5) / 1000)
    years = pooled.sample(np.arange(1000), z)
    assert years.min() > 0
    # Given that exp(z) > 2, the median of exp(z) − 2 in closed form.
    want = math.exp(special.ndtri(1 - 0.5 * special.ndtr(-math.log(2.0)))) - 2
    assert np.median(years) == pytest.approx(want, rel=0.01)
    # Even where next to nothing of the distribution is still to come.
    gone = Predictive(np.full(1000, -11.0), np.ones(1000), 2.0)
    assert np.isfinite(gone.sample(np.arange(1000), z)).all()


# ── leaving out ──


def asked(setup: Setup) -> Question:
    return question_of(find_project("rlhf", setup), setup)[0]


def test_without_evidence_the_prior_is_used_exactly() -> None:
    setup = prepare(("serial_parallel",), use_evidence=False)
    question = asked(setup)
    [view] = question.views
    assert view.posterior is None
    values = draw_beliefs(question, 4000, 1)
    assert np.quantile(values["agi_arrival"], 0.5) == pytest.approx(
        view.beliefs["agi_arrival"].shape.percentile(0.5), rel=0.1
    )


def test_all_left_out_is_the_prior_exactly() -> None:
    done = CliRunner().invoke(main, ["evidence", "fit", "--without", "all", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["datasets"] == {}
    by_name = {entry["belief"]: entry["prior"] for entry in found["as_stated"]}
    for dataset in DATASETS:
        for name, shape in shapes_of(dataset).items():
            assert by_name[name] == [shape.percentile(p) for p in (0.05, 0.1, 0.5, 0.9, 0.95)]


def test_one_dataset_left_out_leaves_the_others() -> None:
    done = CliRunner().invoke(main, ["evidence", "fit", "--without", "timelines", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert set(found["datasets"]) == set(DATASETS) - {"timelines"}
    assert [entry["belief"] for entry in found["as_stated"]] == ["agi_arrival"]


def test_a_belief_stated_without_naming_a_dataset_is_used_as_stated(tmp_path: Path) -> None:
    layer = tmp_path / "mine.toml"
    layer.write_text("[beliefs]\nagi_arrival = '5 to 20 years'\n")
    setup = prepare(("serial_parallel",), (str(layer),))
    question = asked(setup)
    [view] = question.views
    assert not view.conditioned("agi_arrival")
    assert view.conditioned("parallel_exponent")
    values = draw_beliefs(question, 4000, 1)["agi_arrival"]
    assert np.quantile(values, [0.05, 0.95]) == pytest.approx([5, 20], rel=0.1)


@pytest.mark.parametrize("name", ["timelimes", "headcounts"])
def test_a_dataset_that_does_not_condition_a_belief_is_refused(name: str, tmp_path: Path) -> None:
    layer = tmp_path / "mine.toml"
    layer.write_text(f"[beliefs.agi_arrival]\np10 = 2\np90 = 40\nevidence = '{name}'\n")
    setup = prepare(("serial_parallel",), (str(layer),))
    with pytest.raises(BadInput, match=name):
        asked(setup)


# ── combining ──


def test_combining_pairs_draws_and_is_the_same_object_for_the_same_parts() -> None:
    parts = [p for p in (netcdf.load(store.shipped(n)) for n in DATASETS) if p is not None]
    whole = store.combine(parts)
    assert whole is not None
    assert whole is store.combine(list(parts))
    assert store.combine([]) is None
    assert set(whole.datasets.values()) == set(DATASETS)
    assert set(whole.datasets) == {*whole.draws, *whole.predictive}
    assert whole.size == 8000


def test_power_scaling_in_words() -> None:
    assert carried_by(0.2, 0.01) == "the prior"
    assert carried_by(0.01, 0.2) == "the data"
    assert "both" in carried_by(0.2, 0.2)
    assert carried_by(0.0, 0.0) == "neither alone"


# ── commands ──


def test_list_says_what_conditions_what() -> None:
    done = CliRunner().invoke(main, ["evidence", "list", "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)["datasets"]
    assert [d["dataset"] for d in found] == list(DATASETS)
    assert all(d["state"] == "kept" for d in found)
    assert {b["belief"] for d in found for b in d["beliefs"]} == {
        b for n in DATASETS for b in likelihood(n).BELIEFS
    }


@pytest.mark.parametrize("width", [80, 140])
def test_fit_shows_prior_posterior_diagnostics_and_every_source(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    done = CliRunner().invoke(main, ["evidence", "fit"])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.startswith("  posterior") and "●" in line for line in lines) == 8
    for source in timelines.read().sources:
        assert any(line.startswith(source) for line in lines)
    assert any(line.startswith("pooled") for line in lines)
    assert "R-hat" in done.stdout
    assert "carried by" in done.stdout


def test_failed_diagnostics_are_said_first_and_end_with_status_3(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = netcdf.load(store.shipped("headcounts"))
    assert shipped is not None
    notes = {**shipped.diagnostics, "failures": ["R-hat of noise is 1.200, above 1.01"]}
    monkeypatch.setattr(store, "fit", lambda *_, **__: replace(shipped, diagnostics=notes))
    others = [w for n in DATASETS if n != "headcounts" for w in ("--without", n)]
    done = CliRunner().invoke(main, ["evidence", "fit", "--again", *others])
    assert done.exit_code == 3
    assert "DIAGNOSTICS FAILED" in done.stdout.splitlines()[0]
    assert not list(store.folder().glob("*.nc"))
