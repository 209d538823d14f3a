"""Posteriors that are kept: what ships, what names one, and what becomes of a stale or damaged one."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from difprog.base.errors import BadInput, DiagnosticsFailed
from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.beliefs.families import FAMILIES
from difprog.beliefs.fitting import fit
from difprog.evidence import DATASETS, Case, closure, keys, likelihood, netcdf, store, tables, timelines
from difprog.evidence.fit import BFMI, ESS, RHAT, Settings
from difprog.evidence.fit import sample as sampled
from difprog.evidence.posterior import Posterior
from tests.fitted import AS_OF, key_of, shapes_of, small
from tests.warm import Warm, run

# ── what ships ──


@pytest.mark.parametrize("name", DATASETS)
def test_the_shipped_result_is_of_the_shipped_priors_data_and_code(name: str) -> None:
    found = netcdf.load(store.shipped(name))
    assert found is not None
    hint = "run: difprog evidence fit --again --ship"
    assert found.diagnostics["content_key"] == key_of(name).content, hint


@pytest.mark.parametrize("name", DATASETS)
def test_the_shipped_result_passes_its_diagnostics(name: str) -> None:
    found = netcdf.load(store.shipped(name))
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
    found = netcdf.load(store.shipped("headcounts"))
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


# ── the key ──


def test_the_key_changes_with_every_ingredient(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "headcounts"
    base = key_of(name)
    assert key_of(name) == base
    wider = {**shapes_of(name), "researchers": fit(FAMILIES["lognormal"], {0.05: 200, 0.95: 1800})}
    found = {
        "prior": key_of(name, shapes=wider),
        "date": key_of(name, as_of=date(2026, 11, 21)),
        "draws": key_of(name, settings=replace(Settings(), draws=100)),
        "seed": key_of(name, settings=replace(Settings(), seed=2)),
        "dataset": key_of("coupling"),
    }
    content = tables.content(name)
    monkeypatch.setattr(tables, "content", lambda _: content.replace(b",600,", b",601,"))
    found["data"] = key_of(name)
    monkeypatch.undo()
    for file in ("headcounts.py", "fit.py", "families.py", "distributions.py", "posterior.py"):
        written_to(file, b"x = 1\n", monkeypatch)
        found[file] = key_of(name)
        monkeypatch.undo()
    assert len({base.content, *(k.content for k in found.values())}) == len(found) + 1
    monkeypatch.setattr(keys, "version", lambda _: "0.0")
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


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    shipped = netcdf.load(store.shipped("timelines"))
    assert shipped is not None
    for posterior in (small(), shipped):
        netcdf.write(tmp_path / "x.nc", posterior)
        found = netcdf.load(tmp_path / "x.nc")
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
    netcdf.write(path, small())
    whole = path.read_bytes()
    want = netcdf.load(path)
    assert want is not None
    rng = np.random.default_rng(2)
    refused = 0
    for at in rng.integers(0, len(whole), 150):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        path.write_bytes(bytes(damaged))
        os.utime(path, ns=(int(at), int(at)))
        found = netcdf.load(path)
        refused += found is None
        # Bytes that hold nothing may be damaged without harm; no number may change.
        if found is not None:
            assert found.key == want.key
            assert all(np.array_equal(found.draws[n], v) for n, v in want.draws.items())
    assert refused > 20
    for stump in (b"", whole[: len(whole) // 2], b"not netCDF at all"):
        path.write_bytes(stump)
        assert netcdf.load(path) is None


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
    wanted = keys.key("headcounts", other, AS_OF, Settings())
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
        "from tests.fitted import small\n"
        "def fit(name, *_, **__):\n"
        "    print('fitted', file=sys.stderr, flush=True)\n"
        "    time.sleep(1)\n"
        "    return small(name)\n"
        "store.fit = fit\n"
        "from tests.fitted import AS_OF, shapes_of\n"
        "from difprog.beliefs.distributions import Point\n"
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
    earlier = netcdf.load(store.shipped("coupling"))
    assert earlier is not None
    path = store.folder() / f"{wanted.full}.nc"
    path.parent.mkdir(parents=True)
    netcdf.write(path, replace(earlier, key=wanted.full))
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
from difprog.evidence import netcdf, store

whole = netcdf.load(store.shipped("headcounts"))

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
    monkeypatch.setattr(keys, "version", lambda _: "0.0")
    found = store.find("coupling", key_of("coupling"))
    assert found is not None
