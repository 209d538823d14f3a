"""Conditioning on evidence: tables, priors, what ships, what is kept and what is trusted."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import scipy.stats
from click.testing import CliRunner
from scipy import special

from difprog.base.errors import BadInput, DiagnosticsFailed
from difprog.base.pace import Pace
from difprog.beliefs.families import FAMILIES, Distribution, Mixture, Point, Shape, fit
from difprog.cli import main
from difprog.evidence import DATASETS, Case, closure, likelihood, scores, store, tables, timelines
from difprog.evidence.checked import read
from difprog.evidence.fit import BFMI, ESS, LEVELS, RHAT, Settings, carried_by, judge
from difprog.evidence.fit import fit as sample
from difprog.evidence.fit import sample as sampled
from difprog.evidence.posterior import Posterior, Predictive
from difprog.forecast.conditioning import question_of
from difprog.forecast.question import Question
from difprog.forecast.sampling import draw_beliefs
from difprog.forecast.setup import Setup, find_project, prepare
from difprog.library import overview
from difprog.race.parameters import PARAMETERS
from tests.warm import Warm, run

AS_OF = date(2026, 11, 20)


def shapes_of(name: str) -> dict[str, Shape]:
    return {n: b.shape for n, b in overview.stated(name, overview.stack(())).items()}


def key_of(name: str, **changes: object) -> store.Key:
    ingredients = {"shapes": shapes_of(name), "as_of": AS_OF, "settings": Settings(), **changes}
    return store.key(name, **ingredients)


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


# ── what ships ──


@pytest.mark.parametrize("name", DATASETS)
def test_the_shipped_result_is_of_the_shipped_priors_data_and_code(name: str) -> None:
    found = store.load(store.shipped(name))
    assert found is not None
    hint = "run: difprog evidence fit --again --ship"
    assert found.diagnostics["content_key"] == key_of(name).content, hint


@pytest.mark.parametrize("name", DATASETS)
def test_the_shipped_result_passes_its_diagnostics(name: str) -> None:
    found = store.load(store.shipped(name))
    assert found is not None
    d = found.diagnostics
    assert d["failures"] == []
    assert d["divergences"] == 0
    assert d["rhat"] <= RHAT
    assert min(d["ess_bulk"], d["ess_tail"]) >= ESS
    assert d["bfmi"] >= BFMI
    # Scoring takes kept draws for independent.
    assert d["kept_share"] > 0.8
    assert found.size == 8000
    for belief in likelihood(name).BELIEFS:
        assert d["beliefs"][belief]["sensitivity"]["carried_by"]


def test_kept_results_are_small() -> None:
    assert sum(store.shipped(name).stat().st_size for name in DATASETS) < 3_000_000


def test_arviz_opens_a_kept_result() -> None:
    import arviz as az

    tree = az.from_netcdf(store.shipped("headcounts"))
    assert tree.posterior["researchers"].sizes == {"chain": 4, "draw": 2000}
    found = store.load(store.shipped("headcounts"))
    assert found is not None
    assert np.array_equal(tree.posterior["researchers"].values.ravel(), found.draws["researchers"])


def test_a_first_score_on_a_fresh_machine_needs_no_sampler(home: Path) -> None:
    code = (
        "from difprog.forecast.forecast import score;"
        "from difprog.forecast.setup import find_project, prepare;"
        "s = prepare(('serial_parallel',)); p = find_project('rlhf', s); m = score(p, s, 1000).models[0];"
        "assert m.view.conditioned('agi_arrival'), m.view.posterior;"
        "assert m.view.conditioned('researchers');"
        "assert m.view.posterior.size == 8000;"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


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


# ── the key ──


def test_the_key_changes_with_every_ingredient(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "headcounts"
    base = key_of(name)
    assert key_of(name) == base
    wider = {**shapes_of(name), "researchers": fit(FAMILIES["lognormal"], {0.05: 200, 0.95: 1800})}
    keys = {
        "prior": key_of(name, shapes=wider),
        "date": key_of(name, as_of=date(2026, 11, 21)),
        "draws": key_of(name, settings=replace(Settings(), draws=100)),
        "seed": key_of(name, settings=replace(Settings(), seed=2)),
        "dataset": key_of("coupling"),
    }
    content = tables.content(name)
    monkeypatch.setattr(tables, "content", lambda _: content.replace(b",600,", b",601,"))
    keys["data"] = key_of(name)
    monkeypatch.undo()
    for file in ("headcounts.py", "fit.py", "families.py", "posterior.py"):
        written_to(file, b"x = 1\n", monkeypatch)
        keys[file] = key_of(name)
        monkeypatch.undo()
    assert len({base.content, *(k.content for k in keys.values())}) == len(keys) + 1
    monkeypatch.setattr(store, "version", lambda _: "0.0")
    other = key_of(name)
    assert other.content == base.content
    assert other.full != base.full


def written_to(file: str, text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all modules of a name end in a further text."""
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda p: whole(p) + (text if p.name == file else b""))


@pytest.mark.parametrize(
    ("file", "text"),
    [("fit.py", b"\n\n# a comment\n"), ("headcounts.py", b'"""A remark."""\n'), ("files.py", b"x = 1\n"),
     ("sampling.py", b"x = 1\n"), ("race.py", b"x = 1\n")],
)  # fmt: skip
def test_the_key_does_not_change_with_what_no_posterior_rests_on(
    file: str, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [key_of(name) for name in DATASETS]
    written_to(file, text, monkeypatch)
    assert [key_of(name) for name in DATASETS] == before


def test_no_posterior_rests_on_how_files_are_read_or_the_race_is_run() -> None:
    for name in DATASETS:
        paths = closure.paths((f"difprog.evidence.{name}", "difprog.evidence.fit"))
        folders = {path.relative_to(closure.ROOT).parts[0] for path in paths}
        assert folders <= {"beliefs", "evidence", "race"}
        assert {path.stem for path in paths if path.parent.name == "race"} <= {"grid"}


@pytest.mark.parametrize("name", DATASETS)
def test_only_a_likelihood_that_knows_a_date_is_fitted_anew_for_another(name: str) -> None:
    moved = key_of(name, as_of=date(2027, 5, 1)) != key_of(name)
    assert moved is likelihood(name).DATED
    assert moved is (name in ("timelines", "headcounts"))


@pytest.mark.parametrize("name", ["parallelisation", "coupling"])
def test_a_likelihood_that_knows_no_date_is_given_none(name: str) -> None:
    module = likelihood(name)
    logps = [
        module.build(Case(module.read(), shapes_of(name), year)).point_logps()
        for year in (math.nan, tables.decimal_year(AS_OF))
    ]
    assert logps[0] == logps[1]
    assert all(math.isfinite(value) for value in logps[0].values())


def test_the_modules_that_a_likelihood_rests_on_are_all_those_that_it_loads() -> None:
    """What Python loads and what the syntax trees say are the same, but for packages and dynamic imports."""
    code = (
        "import sys, difprog.evidence.coupling, difprog.evidence.fit\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('difprog')), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {Path(line) for line in done.stdout.splitlines() if not line.endswith("__init__.py")}
    rested_on = {path for path in loaded if path.parent not in closure.LEFT_OUT}
    assert rested_on <= set(closure.paths(("difprog.evidence.coupling", "difprog.evidence.fit")))


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1970, 1, 1), date(9999, 12, 31)])
@pytest.mark.parametrize("name", DATASETS)
def test_a_date_far_from_the_evidence_is_refused_at_once(
    name: str, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "fit", lambda *_, **__: small(name))
    if likelihood(name).DATED:
        with pytest.raises(BadInput, match="as_of"):
            store.fitted(name, shapes_of(name), day)
    else:
        store.fitted(name, shapes_of(name), day)


def test_leaving_a_source_out_in_place_is_leaving_it_out() -> None:
    import pymc as pm

    shapes, as_of = shapes_of("timelines"), tables.decimal_year(AS_OF)
    data = timelines.read()
    whole, fewer = (timelines.build(Case(d, shapes, as_of)) for d in (data, data.without("Davidson")))
    mask = np.asarray([float(data.sources[i] == "Davidson") for i in data.source])
    with whole:
        pm.set_data({"ignored_data": mask})
    keep = [i for i, source in enumerate(data.sources) if source != "Davidson"]
    left = []
    for shift in (0.0, 0.3):
        points = [model.initial_point() for model in (whole, fewer)]
        points[0]["misfit_log__"] = points[0]["misfit_log__"] + shift
        points[1] = {k: points[0][k][keep] if k in ("m", "width") else points[0][k] for k in points[0]}
        each = [
            float(model.compile_logp(vars=[model["logs"]], sum=True)(point))
            for model, point in zip((whole, fewer), points, strict=True)
        ]
        left.append(each[0] - each[1])
    # The masked row's log likelihood is a constant, wherever the point.
    assert left[0] == pytest.approx(left[1], abs=1e-6)


def test_the_last_bits_of_a_fitted_belief_do_not_change_the_key() -> None:
    shapes = shapes_of("headcounts")
    nudged: dict[str, Shape] = {}
    for name, shape in shapes.items():
        assert isinstance(shape, Distribution)
        nudged[name] = replace(shape, parameters=tuple(p * (1 + 1e-13) for p in shape.parameters))
    assert key_of("headcounts", shapes=nudged) == key_of("headcounts")


def test_a_key_tells_mixtures_apart_by_weights_and_parts() -> None:
    parts = (Distribution(FAMILIES["lognormal"], (5.0, 0.5)), Point(300.0))
    shapes = [Mixture((0.5, 0.5), parts), Mixture((0.6, 0.4), parts), Mixture((0.5, 0.5), parts[::-1])]
    shapes.append(Mixture((0.5, 0.5), (parts[0], Point(301.0))))
    keys = {
        key_of("headcounts", shapes={**shapes_of("headcounts"), "researchers": shape}) for shape in shapes
    }
    assert len(keys) == len(shapes)


# ── kept, stale, damaged, interrupted ──


def small(name: str = "headcounts", size: int = 400) -> Posterior:
    rng = np.random.default_rng(1)
    draws = {b: rng.normal(size=size).astype(np.float32).astype(float) for b in likelihood(name).BELIEFS}
    notes = {"dataset": name, "failures": [], "settings": {"chains": 4}}
    return Posterior(draws, {}, dict.fromkeys(draws, name), notes, "k")


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    shipped = store.load(store.shipped("timelines"))
    assert shipped is not None
    for posterior in (small(), shipped):
        store.write(tmp_path / "x.nc", posterior)
        found = store.load(tmp_path / "x.nc")
        assert found is not None
        assert found.key == posterior.key
        assert found.diagnostics == posterior.diagnostics
        assert {n: v.tolist() for n, v in found.draws.items()} == {
            n: v.tolist() for n, v in posterior.draws.items()
        }
        for name, p in posterior.predictive.items():
            assert np.array_equal(found.predictive[name].location, p.location)
            assert found.predictive[name].shift == p.shift


def test_a_damaged_file_is_never_trusted(tmp_path: Path) -> None:
    path = tmp_path / "x.nc"
    store.write(path, small())
    whole = path.read_bytes()
    want = store.load(path)
    assert want is not None
    rng = np.random.default_rng(2)
    refused = 0
    for at in rng.integers(0, len(whole), 150):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        path.write_bytes(bytes(damaged))
        os.utime(path, ns=(int(at), int(at)))
        found = store.load(path)
        refused += found is None
        # Bytes that hold nothing may be damaged without harm; no number may change.
        if found is not None:
            assert found.key == want.key
            assert all(np.array_equal(found.draws[n], v) for n, v in want.draws.items())
    assert refused > 20
    for stump in (b"", whole[: len(whole) // 2], b"not netCDF at all"):
        path.write_bytes(stump)
        assert store.load(path) is None


def test_ctrl_c_ends_the_sampling_at_once() -> None:
    """PyMC takes it for the end of one chain, goes on with the next and returns what it has."""
    import pymc as pm

    ticks: list[int] = []

    def tick(done: int, _: int) -> None:
        ticks.append(done)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pm.Model() as model:
        pm.Normal("x")
    with pytest.raises(KeyboardInterrupt):
        sampled(model, Settings(draws=100, tune=100, chains=2), tick)
    assert ticks == [50]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_stale_or_damaged_result_is_fitted_again(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    fits = []

    def fake(name: str, *_: object, **__: object) -> Posterior:
        fits.append(name)
        return small(name)

    monkeypatch.setattr(store, "fit", fake)
    stated = {**shapes_of("headcounts"), "researchers": fit(FAMILIES["lognormal"], {0.05: 100, 0.95: 900})}
    said: list[str] = []
    first = store.condition("headcounts", stated, AS_OF, say=said.append)
    again = store.condition("headcounts", stated, AS_OF, say=said.append)
    assert fits == ["headcounts"]
    assert len(said) == 1
    assert first.key == again.key
    [path] = store.folder().glob("*.nc")
    path.write_bytes(path.read_bytes()[:-100])
    store.condition("headcounts", stated, AS_OF)
    assert len(fits) == 2
    # A whole file under another's name is not that other's result.
    other = {**stated, "researchers": fit(FAMILIES["lognormal"], {0.05: 100, 0.95: 901})}
    wanted = store.key("headcounts", other, AS_OF, Settings())
    (store.folder() / f"{wanted.full}.nc").write_bytes(path.read_bytes())
    store.condition("headcounts", other, AS_OF)
    assert len(fits) == 3


def test_a_fit_that_fails_its_diagnostics_is_not_kept(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    bad = small()
    bad = replace(bad, diagnostics={**bad.diagnostics, "failures": ["3 divergences"]})
    monkeypatch.setattr(store, "fit", lambda *_, **__: bad)
    stated = {**shapes_of("headcounts"), "researchers": Point(700.0)}
    with pytest.raises(DiagnosticsFailed, match="3 divergences"):
        store.condition("headcounts", stated, AS_OF)
    assert not list(store.folder().glob("*.nc"))


def test_processes_that_want_the_same_fit_make_it_once(home: Path) -> None:
    """Six at once, each of which would take a while over it, say so and keep it."""
    code = (
        "import sys, time\n"
        "from difprog.cli import main\n"
        "from difprog.evidence import store\n"
        "from tests.test_evidence import small\n"
        "def fit(name, *_, **__):\n"
        "    print('fitted', file=sys.stderr, flush=True)\n"
        "    time.sleep(1)\n"
        "    return small(name)\n"
        "store.fit = fit\n"
        "from tests.test_evidence import AS_OF, shapes_of\n"
        "from difprog.beliefs.families import Point\n"
        "shapes = {**shapes_of('headcounts'), 'researchers': Point(700.0)}\n"
        "print(store.fitted('headcounts', shapes, AS_OF).key)\n"
    )
    running = [Warm(code=code) for _ in range(6)]
    ended = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * 6
    assert len({out for out, _ in ended}) == 1
    assert sum(err.count(b"fitted") for _, err in ended) == 1


def test_a_kill_during_a_fit_leaves_the_earlier_result(home: Path) -> None:
    wanted = key_of("coupling")
    earlier = store.load(store.shipped("coupling"))
    assert earlier is not None
    path = store.folder() / f"{wanted.full}.nc"
    path.parent.mkdir(parents=True)
    store.write(path, replace(earlier, key=wanted.full))
    before = path.read_bytes()
    args = ["evidence", "fit", "--again", *(w for n in DATASETS if n != "coupling" for w in ("--without", n))]
    running = Warm(*args)
    # The first line says that sampling has begun.
    assert b"coupling" in running.first_line()
    time.sleep(0.3)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=30)
    assert path.read_bytes() == before
    found = store.find("coupling", wanted)
    assert found is not None
    assert found.key == wanted.full


#: Two fits on a disk that is full: from the start, and from when the sampler is done.
FULL = """
import json, resource, sys
from click.testing import CliRunner
from difprog.cli import main
from difprog.evidence import store

whole = store.load(store.shipped("headcounts"))

def fit(name, *_, **__):
    print("fitted", flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
    return whole

store.fit = fit
for limit in (resource.RLIM_INFINITY, 300):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for words in json.loads(sys.argv[1]):
        found = CliRunner().invoke(main, words)
        print(json.dumps([found.exit_code, found.stdout, found.stderr]))
"""


def test_a_full_disk_ends_a_fit_with_what_was_not_written(home: Path, tmp_path: Path) -> None:
    """Where it is full from the start, before the minutes of a fit."""
    layer = tmp_path / "mine.toml"
    layer.write_text("[beliefs.researchers]\np5 = 300\np95 = 2000\nevidence = 'headcounts'\n")
    others = [w for n in DATASETS if n != "headcounts" for w in ("--without", n)]
    fits = ["evidence", "fit", "--again", *others]
    scores = ["score", "rlhf", "--model", "serial_parallel", "--draws", "100", "--priors", str(layer)]
    lines = run(json.dumps([fits, scores]), code=FULL)
    found = [json.loads(line) for line in lines.stdout.splitlines() if line != "fitted"]
    assert [status for status, *_ in found] == [2] * 4, lines.stderr
    for _, out, said in found:
        assert not out.replace("fitted\n", "")
        assert re.search(r"^difprog: .*posteriors.*\.nc: was not written: ", said.splitlines()[-1])
    # Full from the start: nothing was begun.
    assert sum("fitted" in out for _, out, _ in found) == 1
    assert "conditioning" not in "".join(said for *_, said in found[2:])
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_shipped_results_are_used_under_other_versions(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(store, "version", lambda _: "0.0")
    found = store.find("coupling", key_of("coupling"))
    assert found is not None


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
    found = store.load(store.shipped("coupling"))
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
    store.write(file, small())
    assert store.load(file) is not None
    monkeypatch.setattr(store, "LARGEST", 1)  # none of ours
    assert store.load(file) is None


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


# ── combining ──


def test_combining_pairs_draws_and_is_the_same_object_for_the_same_parts() -> None:
    parts = [p for p in (store.load(store.shipped(n)) for n in DATASETS) if p is not None]
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
    shipped = store.load(store.shipped("headcounts"))
    assert shipped is not None
    notes = {**shipped.diagnostics, "failures": ["R-hat of noise is 1.200, above 1.01"]}
    monkeypatch.setattr(store, "fit", lambda *_, **__: replace(shipped, diagnostics=notes))
    others = [w for n in DATASETS if n != "headcounts" for w in ("--without", n)]
    done = CliRunner().invoke(main, ["evidence", "fit", "--again", *others])
    assert done.exit_code == 3
    assert "DIAGNOSTICS FAILED" in done.stdout.splitlines()[0]
    assert not list(store.folder().glob("*.nc"))


# ── sampling ──


@pytest.mark.slow
@pytest.mark.parametrize("name", ["parallelisation", "coupling"])
def test_a_fresh_fit_agrees_with_the_shipped_one(name: str) -> None:
    how = Settings(draws=1500, thin=1, seed=7)
    fresh = sample(name, shapes_of(name), tables.decimal_year(AS_OF), settings=how)
    assert fresh.diagnostics["failures"] == []
    shipped = store.load(store.shipped(name))
    assert shipped is not None
    for belief, values in fresh.draws.items():
        want = shipped.draws[belief]
        error = want.std() * math.sqrt(1 / fresh.diagnostics["ess_bulk"] + 1 / want.size)
        assert values.mean() == pytest.approx(want.mean(), abs=5 * error)
