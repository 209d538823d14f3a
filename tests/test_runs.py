"""Saved runs: what is loaded is what was saved, and nothing that was tampered with is loaded."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

from difprog.base import hdf5, limits, plainjson
from difprog.base.errors import BadInput
from difprog.cli import main
from difprog.evidence.posterior import Posterior, Predictive
from difprog.forecast.conditioning import question_of
from difprog.forecast.forecast import Forecast, score, summed_up
from difprog.forecast.question import View
from difprog.forecast.sampling import draw
from difprog.forecast.setup import find_project, prepare
from difprog.render import data
from difprog.runs import restore, runs, saving

MODELS = ["serial_parallel", "alignment_tax"]
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def forecast() -> Forecast:
    setup = prepare(MODELS, use_evidence=False)
    return score(find_project("rlhf", setup).published("closed"), setup, 300)


@pytest.fixture(scope="module")
def saved(forecast: Forecast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    saving.save(forecast, data.score(forecast), folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def tamper(folder: Path, change: Callable[[Manifest], Any]) -> None:
    """Change the manifest and give it the hashes that it then should have."""
    manifest = json.loads((folder / runs.MANIFEST).read_text())
    del manifest["sha256"]
    for name, said in manifest["files"].items():
        raw = (folder / name).read_bytes()
        said.update(bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())
    change(manifest)
    manifest["sha256"] = plainjson.digest(manifest)
    (folder / runs.MANIFEST).write_text(json.dumps(manifest))


def nothing(_: Manifest) -> None:
    """Only sign again what is there."""


# What is loaded


def test_what_is_loaded_is_what_was_saved(forecast: Forecast, folder: Path) -> None:
    run = runs.load(folder)
    again = restore.forecast(run)
    assert data.score(again) == data.score(forecast) == run.summary
    assert again.draws.question == forecast.draws.question
    for name, values in forecast.draws.values.items():
        assert np.array_equal(values, again.draws.values[name])
    assert not any("other code" in warning for warning in again.warnings)


def test_the_same_run_has_the_same_bytes(forecast: Forecast, saved: Path, tmp_path: Path) -> None:
    saving.save(forecast, data.score(forecast), tmp_path / "again")
    paths = [path.relative_to(saved) for path in saved.rglob("*") if path.is_file()]
    assert len(paths) > 4
    for path in paths:
        assert (saved / path).read_bytes() == (tmp_path / "again" / path).read_bytes()


#: Run by another process, which knows nothing of difprog: what it finds in the file, as JSON.
ELSEWHERE = """
import json, sys
import arviz as az
tree = az.from_netcdf(sys.argv[1])
one = tree["posterior"].isel(chain=0)
credence = tree["constant_data"]["credence"]
low, high = (1 - one.attrs["prob"]) / 2, (1 + one.attrs["prob"]) / 2
net, without = one["net_effect"], one["p_success"].sel(world="without")
print(json.dumps({
    "modules": "difprog" in sys.modules,
    "draws": one.sizes["draw"],
    "seed": int(one.attrs["seed"]),
    "ensemble": float((credence * net.mean("draw")).sum()),
    "models": {
        str(name): {
            "mean": float(net.sel(reading=name).mean()),
            "lower": float(net.sel(reading=name).quantile(low)),
            "median": float(net.sel(reading=name).median()),
            "upper": float(net.sel(reading=name).quantile(high)),
            "without": float(without.sel(reading=name).mean()),
        }
        for name in one["reading"].values
    },
}))
"""


def test_arviz_opens_a_run_in_another_process_and_finds_the_printed_numbers(
    forecast: Forecast, saved: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", ELSEWHERE, str(saved / runs.DRAWS)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    told = data.score(forecast)
    assert not found["modules"]
    assert (found["draws"], found["seed"]) == (told["draws"], told["seed"])
    assert_allclose(found["ensemble"], told["ensemble"]["net_effect"]["mean"], rtol=1e-12)
    for each in told["models"]:
        here = found["models"][each["model"]]
        for key in ("mean", "lower", "median", "upper"):
            assert_allclose(here[key], each["net_effect"][key], rtol=1e-9, atol=1e-15)
        assert_allclose(here["without"], each["p_success_without"]["mean"], rtol=1e-12)


def test_a_posterior_is_kept_and_used_again(forecast: Forecast, tmp_path: Path) -> None:
    posterior = Posterior(
        {"researchers": np.linspace(500.0, 1500.0, 50)},
        {"agi_arrival": Predictive(np.full(50, 2.0), np.full(50, 0.5), 0.2)},
        {"researchers": "headcounts", "agi_arrival": "timelines"}, {"rhat": 1.001}, "key",
    )  # fmt: skip

    def conditioned(view: View) -> View:
        return replace(view, posterior=posterior)

    project, setup = forecast.project, forecast.setup
    question, layers = question_of(project, setup, conditioned=conditioned)
    whole = summed_up(project, setup, draw(question, 300, 1), layers, 0.9)
    saving.save(whole, data.score(whole), tmp_path / "run")
    again = restore.forecast(runs.load(tmp_path / "run"))
    assert data.score(again) == data.score(whole)
    assert again.models[0].clusters == 50
    kept = again.models[0].view.posterior
    assert kept is not None
    assert kept.key == "key"
    assert np.array_equal(kept.draws["researchers"], posterior.draws["researchers"])


def test_a_run_by_other_code_says_so(folder: Path) -> None:
    tamper(folder, lambda m: m.update(code="0" * 64))
    assert "other code" in restore.forecast(runs.load(folder)).warnings[0]


# What is refused


@pytest.mark.parametrize("name", [runs.MANIFEST, runs.SUMMARY, runs.DRAWS])
def test_a_changed_byte_is_noticed(folder: Path, name: str) -> None:
    path = folder / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(BadInput, match=f"{name}: is damaged"):
        runs.load(folder)


def test_a_changed_input_is_noticed(folder: Path) -> None:
    path = next((folder / "inputs").iterdir())
    path.write_text(path.read_text() + "\n")
    with pytest.raises(BadInput, match="is damaged"):
        runs.load(folder)


@pytest.mark.parametrize("schema", ["difprog.run/1", "difprog.run/9", "", None, 3])
def test_a_run_of_another_schema_is_refused_by_its_name(folder: Path, schema: object) -> None:
    tamper(folder, lambda m: m.update(schema=schema))
    with pytest.raises(BadInput) as caught:
        runs.load(folder)
    said = str(caught.value)
    assert "schema: is not one that this version reads" in said
    assert runs.SCHEMA in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["files"].update({"../x": {"bytes": 1, "sha256": ""}}), "outside the run"),
        (lambda m: m["files"].update({"/etc/passwd": {"bytes": 1, "sha256": ""}}), "outside the run"),
        (lambda m: m["files"].update({"no.txt": {"bytes": 1, "sha256": ""}}), "is missing"),
        (lambda m: m["files"].pop(runs.DRAWS), "lists no draws.nc"),
        (lambda m: m.pop("readings"), "is damaged"),
        (lambda m: m.update(readings=3), "is damaged"),
        (lambda m: m.update(draws=-1), "no draws"),
        (lambda m: m["project"]["facts"].pop("kind"), "facts of the project"),
        (lambda m: m["readings"].pop(), "of other models"),
        (lambda m: m.pop("versions"), "is damaged"),
        (lambda m: m.update(versions={"numpy": 2}), "the versions"),
    ],
)
def test_a_manifest_that_is_forged_is_refused(
    folder: Path, change: Callable[[Manifest], Any], words: str
) -> None:
    tamper(folder, change)
    with pytest.raises(BadInput, match=words):
        runs.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(draws=299),
        lambda m: m["readings"].reverse(),
        lambda m: m["readings"][0]["layers"][0].update(sha256="0" * 64),
        lambda m: m["readings"][0].update(layers=[]),
        lambda m: m["readings"][0].update(evidence=0),
        lambda m: m["project"].update(sha256="../../x"),
        lambda m: m["credences"].update(serial_parallel=-1),
    ],
)
def test_a_forged_manifest_that_loads_gives_no_forecast(
    folder: Path, change: Callable[[Manifest], Any]
) -> None:
    tamper(folder, change)
    with pytest.raises(BadInput):
        restore.forecast(runs.load(folder))


def redraw(folder: Path, change: Callable[[Any], Any]) -> None:
    """Change the draws and sign them again."""
    with h5py.File(folder / runs.DRAWS, "r+") as stream:
        change(stream["posterior"])
    tamper(folder, nothing)


def _huge(group: Any) -> None:
    del group["net_effect"]
    group.create_dataset("net_effect", (1, 300, 2), "f8", chunks=(1, 300, 2), compression="gzip")


def _not_a_number(group: Any) -> None:
    group["net_effect"][0, 7] = np.nan


def _whole_numbers(group: Any) -> None:
    del group["net_effect"]
    group["net_effect"] = np.zeros((1, 300, 2), int)


def _short(group: Any) -> None:
    del group["net_effect"]
    group["net_effect"] = np.zeros((1, 299, 2))


def _point(group: Any) -> None:
    group["duration"][0, 3] += 1.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda group: group.pop("p_success"), "is not in this file"),
        (_huge, "not stored as it is"),
        (_not_a_number, "no number"),
        (_whole_numbers, "not a list of numbers"),
        (_short, "not of the shape"),
    ],
)
def test_draws_that_are_not_what_was_written_are_refused(
    folder: Path, change: Callable[[Any], Any], words: str
) -> None:
    redraw(folder, change)
    with pytest.raises(BadInput, match=words):
        runs.load(folder).outcome()


def test_a_point_that_varies_is_refused(folder: Path) -> None:
    redraw(folder, _point)
    with pytest.raises(BadInput, match="its inputs say that it does not"):
        restore.forecast(runs.load(folder))


def test_draws_that_point_out_of_their_file_are_refused(folder: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.zeros((1, 300, 2))

    def change(group: Any) -> None:
        del group["net_effect"]
        group["net_effect"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")

    redraw(folder, change)
    with pytest.raises(BadInput, match="not in this file"):
        runs.load(folder).outcome()


@pytest.mark.parametrize(("place", "size"), [("free", 0), ("free", 1 << 63), ("first", 2**64 - 16)])
def test_a_heap_of_texts_that_hdf5_never_comes_to_the_end_of_is_refused(
    folder: Path, place: str, size: int
) -> None:
    """Without a look beforehand the library goes round in it for ever, and no signal ends it."""
    raw = bytearray((folder / runs.DRAWS).read_bytes())
    at = raw.find(b"GCOL") + 16
    while place == "free" and (index := int.from_bytes(raw[at : at + 2], "little")):
        assert index < 1000
        at += 16 + -(-int.from_bytes(raw[at + 8 : at + 16], "little") // 8) * 8
    raw[at + 8 : at + 16] = size.to_bytes(8, "little")
    (folder / runs.DRAWS).write_bytes(raw)
    tamper(folder, nothing)
    with pytest.raises(BadInput, match="a heap of texts does not end"):
        runs.load(folder).outcome()


def test_a_file_that_says_other_widths_or_has_heaps_without_number_is_none_of_ours(folder: Path) -> None:
    path = folder / runs.DRAWS
    raw = path.read_bytes()
    hdf5.check(path)
    place = hdf5.WIDTHS[raw[8]]
    for changed in (
        b"", raw[:8], b"x" * 100, raw[:place] + b"\x04\x04" + raw[place + 2 :], raw + b"GCOL" * 1001,
    ):  # fmt: skip
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"empty|as it is written here|heaps of texts"):
            hdf5.check(path)


def test_a_link_in_place_of_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / runs.SUMMARY, tmp_path / "elsewhere")
    (folder / runs.SUMMARY).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="is missing"):
        runs.load(folder)


# Saving


def test_a_folder_that_is_no_run_is_neither_loaded_nor_replaced(forecast: Forecast, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("words")
    with pytest.raises(BadInput, match="no saved run"):
        saving.save(forecast, data.score(forecast), mine)
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]
    for folder in (mine, tmp_path / "nowhere"):
        with pytest.raises(BadInput):
            runs.load(folder)


def test_a_run_replaces_a_run_and_leaves_nothing_behind(forecast: Forecast, folder: Path) -> None:
    (folder.parent / f".{folder.name}.abcdefgh.difprog-part").mkdir()  # as a killed save leaves it
    (folder / "stray").write_text("x")
    tamper(folder, lambda m: m.update(schema="difprog.run/1"))  # one that an older version saved
    saving.save(forecast, data.score(forecast), folder)
    assert {p.name for p in folder.parent.iterdir()} - {"home"} == {folder.name}
    assert not (folder / "stray").exists()
    runs.load(folder)


def test_a_failed_save_leaves_the_old_run(
    forecast: Forecast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = (folder / runs.MANIFEST).read_bytes()
    before = {p.name for p in folder.parent.iterdir()}
    monkeypatch.setattr(saving, "manifest_of", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        saving.save(forecast, data.score(forecast), folder)
    assert (folder / runs.MANIFEST).read_bytes() == old
    assert {p.name for p in folder.parent.iterdir()} == before


def test_more_draws_than_are_read_again_are_not_kept(
    forecast: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "DRAWS_BYTES", limits.DRAWS_BYTES._replace(most=1000))
    with pytest.raises(BadInput, match="too many bytes of draws in a saved run: at most 1,000"):
        saving.save(forecast, data.score(forecast), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_input_that_changed_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('[project]\nname = "P"\neffort = 1\nduration = 1\n')
    setup = prepare(MODELS[:1], use_evidence=False)
    found = score(find_project(str(path), setup), setup, 100)
    path.write_text('[project]\nname = "P"\neffort = 2\nduration = 1\n')
    with pytest.raises(BadInput, match="changed while"):
        saving.save(found, data.score(found), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_score_saves(tmp_path: Path) -> None:
    words = ["score", "rlhf", "--model", "serial_parallel", "--no-evidence", "--draws", "200"]
    found = CliRunner().invoke(main, [*words, "--json", "--save", str(tmp_path / "r")])
    assert found.exit_code == 0
    assert runs.load(tmp_path / "r").summary == json.loads(found.stdout)
