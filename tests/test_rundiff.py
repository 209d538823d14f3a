"""Differences of runs: parts that sum to the whole, each found under its own name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

from difprog.base.errors import BadInput
from difprog.cli import main
from difprog.forecast import identity
from difprog.forecast.forecast import (
    find_project,
    prepare,
    score,
)
from difprog.render import data
from difprog.runs import rundiff, runs
from difprog.runs.rundiff import QUANTITIES

BASE = """
[project]
name = "P"
kind = "alignment"
focus = "worst"
approach = "behaviourist"
novelty = "mainstream"
publication = "open"
effort = "5 to 10"
duration = 2
cost = 1e6
[beliefs]
"""


def save(tmp_path: Path, name: str, text: str = BASE, models=("serial_parallel", "overhang"), **how):
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    setup = prepare(list(models), use_evidence=False)
    if "credences" in how:
        setup = replace(setup, credences=how.pop("credences"))
    found = score(find_project(str(path), setup), setup, how.get("count", 400), how.get("seed", 1))
    runs.save(found, data.score(found), tmp_path / name)
    return runs.load(tmp_path / name)


def parts_sum_to_the_whole(found: rundiff.RunDiff) -> None:
    for q in QUANTITIES:
        total = found.total.ensemble[q].mean
        assert_allclose(sum(c.ensemble[q].mean for c in found.changes), total, atol=1e-14)
        for model, whole in found.total.models.items():
            parts = [c.models[model][q].mean for c in found.changes if model in c.models]
            assert_allclose(sum(parts), whole[q].mean, atol=1e-14)


def by_name(found: rundiff.RunDiff) -> dict[str, rundiff.Change]:
    return {c.what: c for c in found.changes}


def test_a_run_against_itself_has_not_moved(tmp_path):
    run = save(tmp_path, "a")
    found = rundiff.diff(run, run)
    assert [c.kind for c in found.changes] == ["interaction"]
    assert all(m.mean == m.mcse == 0 for c in (found.total, *found.changes) for m in c.ensemble.values())
    assert not found.files
    assert not found.versions


def test_one_changed_belief_is_the_whole_of_it(tmp_path):
    one = save(tmp_path, "a")
    two = save(tmp_path, "b", BASE.replace("5 to 10", "10 to 20"))
    found = rundiff.diff(one, two)
    changes = by_name(found)
    assert set(changes) == {"effort", "interaction"}
    assert changes["effort"].kind == "belief"
    assert changes["effort"].was.startswith("5 to 10 FTE year")
    assert changes["effort"].now.startswith("10 to 20 FTE year")
    assert changes["effort"].ensemble["net_effect"].mean == pytest.approx(
        found.total.ensemble["net_effect"].mean, abs=1e-15
    )
    assert changes["interaction"].ensemble["net_effect"].mean == 0
    saved = [run.summary["ensemble"]["net_effect"]["mean"] for run in (one, two)]
    assert_allclose(found.total.ensemble["net_effect"].mean, saved[1] - saved[0], atol=1e-15)
    parts_sum_to_the_whole(found)


def test_each_change_is_what_it_does_alone_and_the_rest_is_interaction(tmp_path):
    one = save(tmp_path, "a")
    effort = BASE.replace("5 to 10", "50 to 100")
    both = effort + "agi_arrival = '1 to 4 years'\n"
    two = save(tmp_path, "b", both)
    found = rundiff.diff(one, two)
    changes = by_name(found)
    assert set(changes) == {"effort", "agi_arrival", "interaction"}
    alone = rundiff.diff(one, save(tmp_path, "c", effort))
    for q in QUANTITIES:
        assert changes["effort"].ensemble[q] == alone.changes[0].ensemble[q]
    assert changes["effort"].ensemble["p_success_without"].mean == 0
    assert changes["agi_arrival"].ensemble["p_success_without"].mean < 0
    assert abs(changes["interaction"].ensemble["net_effect"].mean) > 0
    parts_sum_to_the_whole(found)


@pytest.mark.parametrize(
    ("was", "now", "what"),
    [
        ('publication = "open"', 'publication = "closed"', "publication"),
        ('novelty = "mainstream"', 'novelty = "niche"', "novelty"),
        ('approach = "behaviourist"', 'approach = "cognitivist"', "approach"),
        ('focus = "worst"', 'focus = "average"', "focus"),
    ],
)
def test_a_changed_fact_takes_its_beliefs_with_it(tmp_path, was, now, what):
    found = rundiff.diff(save(tmp_path, "a"), save(tmp_path, "b", BASE.replace(was, now)))
    changes = by_name(found)
    assert set(changes) == {what, "interaction"}
    assert changes[what].kind == "fact"
    assert (changes[what].was, changes[what].now) == (was.split('"')[1], now.split('"')[1])
    assert changes["interaction"].ensemble["net_effect"].mean == 0
    assert found.total.ensemble["net_effect"].mean != 0
    parts_sum_to_the_whole(found)


def test_an_effect_stated_outright_is_one_change(tmp_path):
    found = rundiff.diff(save(tmp_path, "a"), save(tmp_path, "b", BASE + "capability_speedup = 0.1\n"))
    changes = by_name(found)
    assert set(changes) == {"capability_speedup", "interaction"}
    assert changes["capability_speedup"].was == "derived"
    assert changes["capability_speedup"].now == "0.1 years"
    assert changes["interaction"].ensemble["net_effect"].mean == 0
    parts_sum_to_the_whole(found)


def test_another_name_is_other_luck(tmp_path):
    found = rundiff.diff(save(tmp_path, "a"), save(tmp_path, "b", BASE.replace('"P"', '"Q"')))
    assert {c.kind for c in found.changes} == {"name", "interaction"}
    name = found.changes[0].ensemble["net_effect"]
    assert abs(name.mean) < 5 * name.mcse
    parts_sum_to_the_whole(found)


def test_correlations_are_a_change(tmp_path):
    tied = BASE + '[[correlations]]\nbetween = ["agi_arrival", "serial_requirement"]\nrank = 0.6\n'
    found = rundiff.diff(save(tmp_path, "a"), save(tmp_path, "b", tied))
    changes = by_name(found)
    assert set(changes) == {"correlations", "interaction"}
    assert changes["correlations"].now == "agi_arrival and serial_requirement 0.6"
    parts_sum_to_the_whole(found)


def test_credences_and_models_are_a_change(tmp_path):
    one = save(tmp_path, "a", credences={"serial_parallel": 0.5, "overhang": 0.5})
    two = save(tmp_path, "b", credences={"serial_parallel": 0.9, "overhang": 0.1})
    found = rundiff.diff(one, two)
    assert [c.kind for c in found.changes] == ["credences", "interaction"]
    parts_sum_to_the_whole(found)
    three = save(tmp_path, "c", models=("serial_parallel",))
    found = rundiff.diff(one, three)
    assert list(found.total.models) == ["serial_parallel"]
    parts_sum_to_the_whole(found)
    with pytest.raises(BadInput, match="no model in common"):
        rundiff.diff(three, save(tmp_path, "d", models=("overhang",)))


def test_more_draws_are_told_from_changes(tmp_path):
    found = rundiff.diff(save(tmp_path, "a"), save(tmp_path, "b", count=900))
    assert {c.kind for c in found.changes} == {"draws", "interaction"}
    parts_sum_to_the_whole(found)


def test_another_seed_leaves_nothing_to_attribute(tmp_path):
    one, two = save(tmp_path, "a"), save(tmp_path, "b", seed=2)
    found = rundiff.diff(one, two)
    assert not found.paired
    assert found.changes == ()
    errors = [run.summary["ensemble"]["net_effect"]["mcse"] for run in (one, two)]
    assert_allclose(found.total.ensemble["net_effect"].mcse, np.hypot(*errors))


def test_code_has_the_share_that_inputs_do_not_explain(tmp_path):
    run = save(tmp_path, "a", models=("serial_parallel",))
    # As if other code had found 0.001 more of success with the project in every draw.
    import h5py

    path = tmp_path / "a" / runs.DRAWS
    with h5py.File(path, "r+") as stream:
        for name in ("p_success_with", "net_effect"):
            stream[f"model_0/{name}"][...] += 0.001
    manifest = json.loads((tmp_path / "a" / runs.MANIFEST).read_text())
    del manifest["sha256"]
    manifest["code"] = "f" * 64
    manifest["files"][runs.DRAWS] = {"bytes": path.stat().st_size, "sha256": runs._hash_file(path)}
    manifest["sha256"] = identity.digest(manifest)
    (tmp_path / "a" / runs.MANIFEST).write_text(json.dumps(manifest))
    run = runs.load(tmp_path / "a")
    now = save(tmp_path, "b", BASE.replace("5 to 10", "10 to 20"), models=("serial_parallel",))
    found = rundiff.diff(run, now)
    changes = by_name(found)
    assert set(changes) == {"effort", "code and models", "interaction"}
    assert changes["code and models"].ensemble["net_effect"].mean == pytest.approx(-0.001, abs=1e-12)
    assert changes["code and models"].now == "this code"
    parts_sum_to_the_whole(found)


# the command

def run(*words: str):
    return CliRunner().invoke(main, ["diff", *words])


@pytest.mark.parametrize("width", [70, 80, 140])
def test_the_terminal_shows_the_numbers_of_the_json(tmp_path, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    save(tmp_path, "a")
    save(tmp_path, "b", BASE.replace("5 to 10", "50 to 100").replace("worst", "average"))
    folders = str(tmp_path / "a"), str(tmp_path / "b")
    told = json.loads(run(*folders, "--json").stdout)
    printed = run(*folders).stdout
    assert told["schema"] == "difprog.diff/1"
    from difprog.forecast.summary import MICRODOOM
    from difprog.render.format import with_error

    for change in told["changes"]:
        net = change["ensemble"]["net_effect"]
        assert with_error(net["mean"], net["mcse"], MICRODOOM, sign=True) in printed
    assert max(map(len, printed.splitlines())) <= width
    assert "focus: worst → average" in printed


def test_all_that_is_wrong_with_both_is_said(tmp_path):
    found = run(str(tmp_path / "x"), str(tmp_path))
    assert found.exit_code == 2
    assert found.stdout == ""
    assert len(found.stderr.splitlines()) == 2


def test_nothing_in_a_name_is_obeyed(tmp_path):
    evil = BASE.replace('"P"', '"[bold]x\\u001b[2J\\u202e"')
    save(tmp_path, "a", evil)
    save(tmp_path, "b")
    found = run(str(tmp_path / "a"), str(tmp_path / "b"))
    assert found.exit_code == 0
    assert "\x1b" not in found.stdout
    assert "\u202e" not in found.stdout
    assert "[bold]x" in found.stdout
