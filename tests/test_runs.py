"""Saved runs: what is loaded is what was saved, and nothing that was tampered with is loaded."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray
from click.testing import CliRunner

from difprog.base.errors import BadInput
from difprog.beliefs.beliefs import Belief, Correlation
from difprog.beliefs.families import FAMILIES, Distribution, Mixture, Point
from difprog.cli import main
from difprog.evidence.posterior import Posterior, Predictive
from difprog.forecast import identity
from difprog.forecast.forecast import (
    Forecast,
    find_project,
    prepare,
    score,
)
from difprog.race.effects import Facts
from difprog.render import data
from difprog.runs import records, runs

MODELS = ["serial_parallel", "alignment_tax"]


@pytest.fixture(scope="module")
def forecast() -> Forecast:
    setup = prepare(MODELS, use_evidence=False)
    return score(find_project("rlhf", setup).published("closed"), setup, 300)


@pytest.fixture(scope="module")
def saved(forecast, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    runs.save(forecast, data.score(forecast), folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def tamper(folder: Path, change) -> None:
    """Change the manifest and give it the hash that it then should have."""
    manifest = json.loads((folder / runs.MANIFEST).read_text())
    del manifest["sha256"]
    change(manifest)
    manifest["sha256"] = identity.digest(manifest)
    (folder / runs.MANIFEST).write_text(json.dumps(manifest))


def test_what_is_loaded_is_what_was_saved(forecast, folder):
    run = runs.load(folder)
    again = runs.forecast(run)
    assert data.score(again) == data.score(forecast) == run.summary
    for old, new in zip(forecast.models, again.models, strict=True):
        assert new.question.beliefs == old.question.beliefs
        assert new.question.facts == old.question.facts
        assert new.layers[-1].beliefs == old.layers[-1].beliefs
        for name, values in old.draws.values.items():
            assert np.array_equal(values, new.draws.values[name])
    assert not any("other code" in warning for warning in again.warnings)


def test_the_same_run_has_the_same_bytes(forecast, saved, tmp_path):
    runs.save(forecast, data.score(forecast), tmp_path / "again")
    for path in saved.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(saved)).read_bytes()


def test_draws_are_netcdf_that_others_read(folder, forecast):
    tree = xarray.open_datatree(folder / runs.DRAWS, engine="h5netcdf")
    net = tree["model_0"]["net_effect"]
    assert net.dims == ("draw",)
    assert np.array_equal(net.values, forecast.models[0].draws.chances.net_effect)
    tree.close()


def test_a_posterior_is_kept_and_used_again(forecast, tmp_path):
    first = forecast.models[0]
    posterior = Posterior(
        {"researchers": np.linspace(500.0, 1500.0, 50)},
        {"agi_arrival": Predictive(np.full(50, 2.0), np.full(50, 0.5), 0.2)},
        {"researchers": "headcounts", "agi_arrival": "timelines"}, {"rhat": 1.001}, "key",
    )  # fmt: skip
    beliefs = {
        name: replace(b, evidence=posterior.datasets.get(name, ""))
        for name, b in first.question.beliefs.items()
    }
    from difprog.forecast.forecast import answer, mix
    from difprog.forecast.simulate import draw

    question = replace(first.question, beliefs=beliefs, posterior=posterior)
    asked = answer(question, first.layers, first.credence, draw(question, 300, 1), 0.9)
    setup = replace(forecast.setup, models=forecast.setup.models[:1])
    whole = replace(forecast, setup=setup, models=(asked,), ensemble=mix([asked], 300, 0.9))
    runs.save(whole, data.score(whole), tmp_path / "run")
    again = runs.forecast(runs.load(tmp_path / "run"))
    assert data.score(again)["models"] == data.score(whole)["models"]
    assert again.models[0].question.clusters == 50


@pytest.mark.parametrize("name", [runs.MANIFEST, runs.SUMMARY, runs.DRAWS])
def test_a_changed_byte_is_noticed(folder, name):
    path = folder / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(BadInput, match=f"{name}: is damaged"):
        runs.load(folder)


def test_a_changed_input_is_noticed(folder):
    path = next((folder / "inputs").iterdir())
    path.write_text(path.read_text() + "\n")
    with pytest.raises(BadInput, match="is damaged"):
        runs.load(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(schema="difprog.run/9"), "not one that this version reads"),
        (lambda m: m["files"].update({"../x": {"bytes": 1, "sha256": ""}}), "outside the run"),
        (lambda m: m["files"].update({"/etc/passwd": {"bytes": 1, "sha256": ""}}), "outside the run"),
        (lambda m: m["files"].update({"no.txt": {"bytes": 1, "sha256": ""}}), "is missing"),
        (lambda m: m["files"].pop(runs.DRAWS), "lists no draws.nc"),
        (lambda m: m.pop("models"), "is damaged"),
        (lambda m: m.update(models=3), "is damaged"),
        (lambda m: m.update(draws=-1), "no draws"),
        (lambda m: m["models"][0]["facts"].pop("kind"), "is damaged"),
    ],
)
def test_a_manifest_that_is_forged_is_refused(folder, change, words):
    tamper(folder, change)
    with pytest.raises(BadInput, match=words):
        runs.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["models"][0]["values"].update(agi_arrival="/model_0/none"),
        lambda m: m["models"][0]["values"].pop("agi_arrival"),
        lambda m: m.update(draws=299),
        lambda m: m["models"][0]["beliefs"]["agi_arrival"].update(shape={"family": "no"}),
        lambda m: m["models"][0]["layers"].pop(0) and m["models"][0]["layers"][0].update(sha256="0" * 64),
        lambda m: m["project"].update(sha256="../../x"),
    ],
)
def test_a_forged_manifest_that_loads_gives_no_forecast(folder, change):
    tamper(folder, change)
    with pytest.raises(BadInput):
        runs.forecast(runs.load(folder))


def test_draws_that_point_out_of_their_file_are_refused(folder, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.zeros(300)
    with h5py.File(folder / runs.DRAWS, "r+") as stream:
        stream["out"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
    raw = (folder / runs.DRAWS).read_bytes()
    import hashlib

    def change(m):
        m["files"][runs.DRAWS] = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
        m["models"][0]["values"]["agi_arrival"] = "/out"

    tamper(folder, change)
    with pytest.raises(BadInput, match="not in this file"):
        runs.load(folder).values("serial_parallel")


def test_a_link_in_place_of_a_file_is_refused(folder, tmp_path):
    shutil.move(folder / runs.SUMMARY, tmp_path / "elsewhere")
    (folder / runs.SUMMARY).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="is missing"):
        runs.load(folder)


def test_a_folder_that_is_no_run_is_neither_loaded_nor_replaced(forecast, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("words")
    with pytest.raises(BadInput, match="no saved run"):
        runs.save(forecast, data.score(forecast), mine)
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]
    for folder in (mine, tmp_path / "nowhere"):
        with pytest.raises(BadInput):
            runs.load(folder)


def test_a_run_replaces_a_run_and_leaves_nothing_behind(forecast, folder):
    before = {p.name for p in folder.parent.iterdir()}
    (folder / "stray").write_text("x")
    runs.save(forecast, data.score(forecast), folder)
    assert {p.name for p in folder.parent.iterdir()} == before
    assert not (folder / "stray").exists()
    runs.load(folder)


def test_a_failed_save_leaves_the_old_run(forecast, folder, monkeypatch):
    old = (folder / runs.MANIFEST).read_bytes()
    before = {p.name for p in folder.parent.iterdir()}
    monkeypatch.setattr(runs, "_manifest", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        runs.save(forecast, data.score(forecast), folder)
    assert (folder / runs.MANIFEST).read_bytes() == old
    assert {p.name for p in folder.parent.iterdir()} == before


def test_an_input_that_changed_meanwhile_is_noticed(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text('[project]\nname = "P"\neffort = 1\nduration = 1\n')
    setup = prepare(MODELS[:1], use_evidence=False)
    found = score(find_project(str(path), setup), setup, 100)
    path.write_text('[project]\nname = "P"\neffort = 2\nduration = 1\n')
    with pytest.raises(BadInput, match="changed while"):
        runs.save(found, data.score(found), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_by_other_code_says_so(folder):
    tamper(folder, lambda m: m.update(code="0" * 64))
    assert "other code" in runs.forecast(runs.load(folder)).warnings[0]


def test_score_saves(tmp_path):
    words = ["score", "rlhf", "--model", "serial_parallel", "--no-evidence", "--draws", "200"]
    found = CliRunner().invoke(main, [*words, "--json", "--save", str(tmp_path / "r")])
    assert found.exit_code == 0
    assert runs.load(tmp_path / "r").summary == json.loads(found.stdout)


# records

SHAPES = [
    Point(3.0),
    Distribution(FAMILIES["lognormal"], (0.1, 2.0)),
    Distribution(FAMILIES["normal"], (1 / 3, 0.7), 0.0, math.inf, True),
    Mixture((0.3, 0.7), (Point(1.0), Distribution(FAMILIES["gamma"], (2.0, 3.0))), True),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: type(s).__name__)
def test_a_record_restores_what_was_recorded(shape):
    belief = Belief("effort", shape, {0.05: 1 / 3, 0.95: 2.0}, "who", "why", "set", "file")
    through = json.loads(json.dumps(records.belief(belief), allow_nan=False))
    assert records.restored_belief("effort", through) == belief
    facts = Facts("applications", "worst", criteria=frozenset({"useful", "humans"}), certain=True)
    assert records.restored_facts(json.loads(json.dumps(records.facts(facts)))) == facts
    tie = Correlation(("a", "b"), 0.25, "file")
    assert records.restored_correlation(json.loads(json.dumps(records.correlation(tie)))) == tie
