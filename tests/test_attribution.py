"""What moved between two runs: each change under its own name, and worth what it is worth on its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

from difprog.base import plainjson
from difprog.base.errors import BadInput
from difprog.cli import main
from difprog.forecast.forecast import MIXED, Forecast, score
from difprog.forecast.setup import find_project, prepare
from difprog.render import data
from difprog.runs import attribution, runs, saving
from difprog.runs.attribution import Attribution, Change, Moved

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


def scored(tmp_path: Path, name: str, text: str, models=("serial_parallel", "overhang"), **how) -> Forecast:
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    setup = prepare(list(models), use_evidence=False)
    if "credences" in how:
        setup = replace(setup, credences=how.pop("credences"))
    return score(find_project(str(path), setup), setup, how.get("count", 400), how.get("seed", 1))


#: The files of what was saved before, by all that they depend on: most tests begin with the same run.
SAVED: dict[object, dict[Path, bytes]] = {}


def save(tmp_path: Path, name: str, text: str = BASE, models=("serial_parallel", "overhang"), **how):
    key, folder = (name, text, models, repr(how)), tmp_path / name
    if key in SAVED:
        for path, content in SAVED[key].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    else:
        found = scored(tmp_path, name, text, models, **how)
        saving.save(found, data.score(found), folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        SAVED[key] = {path.relative_to(folder): path.read_bytes() for path in files}
    return runs.load(folder)


def parts_sum_to_the_whole(found: Attribution) -> None:
    for q in MIXED:
        total = found.total.ensemble[q].mean
        assert_allclose(sum(c.ensemble[q].mean for c in found.changes), total, atol=1e-14)
        for model, whole in found.total.models.items():
            parts = [c.models[model][q].mean for c in found.changes if model in c.models]
            assert_allclose(sum(parts), whole[q].mean, atol=1e-14)


def by_name(found: Attribution) -> dict[str, Change]:
    return {c.what: c for c in found.changes}


def test_a_run_against_itself_has_not_moved(tmp_path):
    run = save(tmp_path, "a")
    found = attribution.attribute(run, run)
    assert [c.kind for c in found.changes] == ["interaction"]
    assert all(m == Moved(0.0, 0.0) for c in (found.total, *found.changes) for m in c.ensemble.values())
    assert not found.files
    assert not found.versions


#: Changes by name: a belief of the project, one of the world, an effect stated outright, a fact.
CHANGES = {
    "effort": (BASE, BASE.replace("5 to 10", "50 to 100")),
    "agi_arrival": ("", "agi_arrival = '1 to 4 years'\n"),
    "capability_speedup": ("", "capability_speedup = 0.5\n"),
    "novelty": ('novelty = "mainstream"', 'novelty = "niche"'),
}


def changed(*names: str) -> str:
    text = BASE
    for name in sorted(names, key=lambda n: CHANGES[n][0] == ""):
        was, now = CHANGES[name]
        text = now if was == BASE else text.replace(was, now) if was else text + now
    return text


@pytest.mark.parametrize(
    "names", [("effort", "agi_arrival"), ("effort", "novelty"), ("agi_arrival", "capability_speedup")]
)
def test_parts_are_what_scoring_the_changed_proposals_says(tmp_path, names):
    """Each part against proposals scored afresh, with none, one or both of two changes."""
    one, two = names
    nets = {
        which: {q: [m.drawn(q) for m in scored(tmp_path, "p", changed(*which)).models] for q in MIXED}
        for which in ((), (one,), (two,), (one, two))
    }
    runs_of = save(tmp_path, "a"), save(tmp_path, "b", changed(one, two))
    found = attribution.attribute(*runs_of)
    parts = by_name(found)
    assert set(parts) == {one, two, "interaction"}
    for q in MIXED:
        base, first, second, both = (np.asarray(nets[which][q]) for which in nets)
        expected = {
            one: first - base, two: second - base, "interaction": both - first - second + base,
        }  # fmt: skip
        for name, draws in expected.items():
            for row, model in enumerate(runs_of[0].readings):
                assert_allclose(parts[name].models[model][q].mean, draws[row].mean(), atol=1e-15)
    assert parts["interaction"].ensemble["net_effect"].mean != 0
    parts_sum_to_the_whole(found)


def test_two_changes_interact_alike_both_ways_round(tmp_path):
    runs_of = save(tmp_path, "a"), save(tmp_path, "b", changed("effort", "agi_arrival"))
    there, back = attribution.attribute(*runs_of), attribution.attribute(*runs_of[::-1])
    for q in MIXED:
        assert_allclose(back.total.ensemble[q].mean, -there.total.ensemble[q].mean, atol=1e-15)
        mean = by_name(there)["interaction"].ensemble[q].mean
        assert_allclose(by_name(back)["interaction"].ensemble[q].mean, mean, atol=1e-15)
    assert mean != 0


def test_one_changed_belief_is_the_whole_of_it(tmp_path):
    one = save(tmp_path, "a")
    two = save(tmp_path, "b", BASE.replace("5 to 10", "10 to 20"))
    found = attribution.attribute(one, two)
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
    found = attribution.attribute(save(tmp_path, "a"), save(tmp_path, "b", BASE.replace(was, now)))
    changes = by_name(found)
    assert set(changes) == {what, "interaction"}
    assert changes[what].kind == "fact"
    assert (changes[what].was, changes[what].now) == (was.split('"')[1], now.split('"')[1])
    assert changes["interaction"].ensemble["net_effect"].mean == 0
    assert found.total.ensemble["net_effect"].mean != 0
    parts_sum_to_the_whole(found)


def test_an_effect_stated_outright_is_one_change(tmp_path):
    stated = BASE + "capability_speedup = 0.1\n"
    found = attribution.attribute(save(tmp_path, "a"), save(tmp_path, "b", stated))
    changes = by_name(found)
    assert set(changes) == {"capability_speedup", "interaction"}
    assert changes["capability_speedup"].was == "derived"
    assert changes["capability_speedup"].now == "0.1 years"
    assert changes["interaction"].ensemble["net_effect"].mean == 0
    parts_sum_to_the_whole(found)


def test_another_name_is_other_luck(tmp_path):
    found = attribution.attribute(save(tmp_path, "a"), save(tmp_path, "b", BASE.replace('"P"', '"Q"')))
    assert {c.kind for c in found.changes} == {"name", "interaction"}
    name = found.changes[0].ensemble["net_effect"]
    assert abs(name.mean) < 5 * name.mcse
    parts_sum_to_the_whole(found)


def test_correlations_are_a_change(tmp_path):
    tied = BASE + '[[correlations]]\nbetween = ["agi_arrival", "serial_requirement"]\nrank = 0.6\n'
    found = attribution.attribute(save(tmp_path, "a"), save(tmp_path, "b", tied))
    changes = by_name(found)
    assert set(changes) == {"correlations", "interaction"}
    assert changes["correlations"].now == "agi_arrival and serial_requirement 0.6"
    parts_sum_to_the_whole(found)


def test_credences_and_models_are_a_change(tmp_path):
    one = save(tmp_path, "a", credences={"serial_parallel": 0.5, "overhang": 0.5})
    two = save(tmp_path, "b", credences={"serial_parallel": 0.9, "overhang": 0.1})
    found = attribution.attribute(one, two)
    assert [c.kind for c in found.changes] == ["credences", "interaction"]
    parts_sum_to_the_whole(found)
    three = save(tmp_path, "c", models=("serial_parallel",))
    found = attribution.attribute(one, three)
    assert list(found.total.models) == ["serial_parallel"]
    parts_sum_to_the_whole(found)
    with pytest.raises(BadInput, match="no model in common"):
        attribution.attribute(three, save(tmp_path, "d", models=("overhang",)))


def test_more_draws_are_told_from_changes(tmp_path):
    found = attribution.attribute(save(tmp_path, "a"), save(tmp_path, "b", count=900))
    assert {c.kind for c in found.changes} == {"draws", "interaction"}
    parts_sum_to_the_whole(found)


def test_another_seed_leaves_nothing_to_attribute(tmp_path):
    one, two = save(tmp_path, "a"), save(tmp_path, "b", seed=2)
    found = attribution.attribute(one, two)
    assert not found.paired
    assert found.changes == ()
    errors = [run.summary["ensemble"]["net_effect"]["mcse"] for run in (one, two)]
    assert_allclose(found.total.ensemble["net_effect"].mcse, np.hypot(*errors))


def test_code_has_the_share_that_inputs_do_not_explain(tmp_path):
    save(tmp_path, "a", models=("serial_parallel",))
    # As if other code had found 0.001 more of success with the project in every draw.
    import h5py

    path = tmp_path / "a" / runs.DRAWS
    with h5py.File(path, "r+") as stream:
        stream["posterior/p_success"][..., 1:] += 0.001
        stream["posterior/net_effect"][...] += 0.001
    manifest = json.loads((tmp_path / "a" / runs.MANIFEST).read_text())
    del manifest["sha256"]
    manifest["code"] = "f" * 64
    manifest["files"][runs.DRAWS] = {"bytes": path.stat().st_size, "sha256": runs.hash_file(path)}
    manifest["sha256"] = plainjson.digest(manifest)
    (tmp_path / "a" / runs.MANIFEST).write_text(json.dumps(manifest))
    run = runs.load(tmp_path / "a")
    now = save(tmp_path, "b", BASE.replace("5 to 10", "10 to 20"), models=("serial_parallel",))
    found = attribution.attribute(run, now)
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


def test_a_belief_that_takes_the_place_of_evidence_is_named_with_its_numbers() -> None:
    from difprog.runs.inputs import Side, differences

    sides = [
        Side(score(find_project("rlhf", asked), asked, 100, 1), 100)
        for asked in (prepare(["serial_parallel"], scenarios=each) for each in ((), ("short",)))
    ]
    there, back = (
        list(differences(one, two, ["serial_parallel"])) for one, two in (sides, sides[::-1])
    )
    instead = "not used: agi_arrival 0.8 to 12 years (p10 to p90)"
    assert [tuple(label) for label in there] == [("evidence", "timelines", "used", instead)]
    assert [tuple(label) for label in back] == [("evidence", "timelines", instead, "used")]
