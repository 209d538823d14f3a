"""Comparisons: differences, dominance, who is best; the same numbers wherever they are shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from difprog.base.errors import BadInput
from difprog.choose.best import NOTHING, Best
from difprog.choose.compare import Option, compare, first_order
from difprog.choose.portfolio import Row
from difprog.cli import main
from difprog.forecast.forecast import score
from difprog.forecast.kept import Kept
from difprog.forecast.setup import Setup, find_project, prepare
from difprog.forecast.summary import summarise
from difprog.forecast.weighing import Weighing
from difprog.render import data
from difprog.render.rank import entry

SETUP = ("serial_parallel", "overhang")


@pytest.fixture(scope="module")
def setup() -> Setup:
    return prepare(SETUP, use_evidence=False)


def options(setup, names, count=1_500):
    kept = Kept()
    return [
        Option(name, score(find_project(name, setup), setup, count, kept=kept)) for name in names
    ]


# who is best

effects = st.lists(
    st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]), min_size=4, max_size=4), min_size=1, max_size=6
)


@given(effects)
def test_chances_of_being_best_are_those_counted_by_hand(table):
    best = Best(1, 4)
    for number, row in enumerate(table):
        best.add(number, [np.array(row)])
    want = dict.fromkeys([NOTHING, *range(len(table))], 0.0)
    for draw in np.array(table).T:
        top = max(draw.max(), 0.0)
        holders = [i for i, value in enumerate(draw) if value == top] if top > 0 else [NOTHING]
        for i in holders:
            want[i] += 1 / len(holders) / 4
    got = best.chances()
    for number, chance in want.items():
        assert_allclose(got.get(number, np.zeros(1))[0], chance, atol=1e-12)


@given(effects, st.integers(0, 6))
def test_chances_do_not_depend_on_how_options_were_put_together(table, cut):
    whole, left, right = Best(1, 4), Best(1, 4), Best(1, 4)
    for number, row in enumerate(table):
        whole.add(number, [np.array(row)])
        (left if number < cut else right).add(number, [np.array(row)])
    left.merge(right)
    left = Best.from_arrays(**left.arrays())
    for number, chance in whole.chances().items():
        assert_allclose(left.chances().get(number, 0.0), chance, atol=1e-12)


def test_kept_state_that_goes_in_circles_is_refused():
    best = Best(1, 2)
    best.add(0, [np.ones(2)])
    kept = best.arrays()
    with pytest.raises(ValueError):
        Best.from_arrays(kept["value"], kept["holder"], np.array([[0, 0]]))


# dominance

columns = st.lists(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0]), min_size=5, max_size=5)


@given(columns, columns)
def test_first_order_dominance_is_that_of_the_cdfs(one, two):
    points = np.array([-3.0, -2.0, -1.0, 0.0, 1.0, 3.0])
    cdfs = [np.mean(np.array(c)[:, None] <= points, axis=0) for c in (one, two)]
    wanted = bool((cdfs[0] <= cdfs[1]).all() and (cdfs[0] < cdfs[1]).any())
    assert first_order([np.array(one)], [np.array(two)], np.full(5, 0.2)) == wanted


def test_first_order_weighs_models():
    good, bad = np.array([1.0, 1.0]), np.array([-1.0, -1.0])
    assert first_order([good, bad], [bad, good], np.array([0.35, 0.35, 0.15, 0.15]))
    assert not first_order([good, bad], [bad, good], np.full(4, 0.25))


# comparing

def test_differences_are_paired_and_antisymmetric_in_their_means(setup):
    found = compare(options(setup, ["rlhf", "ai-control", "scaling"]))
    means = [o.forecast.ensemble["net_effect"].mean for o in found.options]
    assert means == sorted(means, reverse=True)
    for pair in found.pairs:
        assert pair.first < pair.second
        assert_allclose(pair.ensemble.mean, means[pair.first] - means[pair.second], atol=1e-15)
        for at, summary in enumerate(pair.models):
            one, two = (found.options[i].net[at] for i in (pair.first, pair.second))
            assert summary == summarise(one - two, Weighing(1_500), 0.9)
    total = found.nothing + sum(found.chance(i) for i in range(3))
    assert_allclose(total, 1.0, atol=1e-12)


def test_policies_of_one_project_share_its_luck_and_two_projects_do_not(setup):
    rlhf = find_project("rlhf", setup)
    twin = replace(rlhf, name="A twin under another name")
    same, closed, other = (
        score(p, setup, 1_500).draws.values for p in (rlhf, rlhf.published("closed"), twin)
    )
    for name in ("effort", "relevance_residual", "breakthrough", "hit_probability"):
        assert (same[name] == closed[name]).all()
        assert abs(np.corrcoef(same[name], other[name])[0, 1]) < 0.1
    for name in ("agi_arrival", "serial_requirement", "coupling_intercept", "capability_researchers"):
        assert (same[name] == other[name]).all()
    # So that identical proposals are as likely to beat each other.
    pair = compare([Option(str(i), score(p, setup, 1_500)) for i, p in enumerate((rlhf, twin))]).pairs[0]
    assert 0.4 < pair.ensemble.p_positive / (pair.ensemble.p_positive + pair.ensemble.p_negative) < 0.6


def test_every_draw_dominates_where_the_only_difference_is_a_cost_in_time(setup, tmp_path):
    # Without a surge: in a shrinking field it would do more the sooner it comes.
    base = '[project]\nname = "One"\neffort = 5\nduration = 1\n[beliefs]\nserial_speedup = 0.1\n'
    base += "brink_surge = 1\n"
    paths = [tmp_path / "fast.toml", tmp_path / "slow.toml"]
    paths[0].write_text(base + "capability_speedup = 0\n")
    paths[1].write_text(base + "capability_speedup = 0.5\n")
    setup = prepare(["serial_parallel"], use_evidence=False)
    found = compare([Option(p.stem, score(find_project(str(p), setup), setup, 1_000)) for p in paths])
    pair = found.pairs[0]
    assert found.options[pair.first].name == "fast"
    assert pair.dominance.every_draw
    assert pair.dominance.first_order
    assert pair.dominance.every_model
    assert found.chance(1) == 0.0


def test_options_that_are_the_same_tie(setup):
    rlhf = score(find_project("rlhf", setup), setup, 1_000)
    found = compare([Option("a", rlhf), Option("b", rlhf)])
    assert_allclose(found.chance(0), found.chance(1))
    assert not found.pairs[0].dominance.every_draw
    assert not found.pairs[0].dominance.first_order


def test_too_many_options_are_refused(setup):
    rlhf = score(find_project("rlhf", setup), setup, 100)
    with pytest.raises(BadInput, match="difprog rank"):
        compare([Option(str(i), rlhf) for i in range(41)])


# the command

def run(*words: str):
    return CliRunner().invoke(main, ["compare", *words, "--no-evidence", "--draws", "800"])


def test_json_has_the_numbers_of_score_and_terminal_those_of_json():
    found = run("rlhf", "ai-control", "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["schema"] == "difprog.compare/1"
    scored = CliRunner().invoke(main, ["score", "rlhf", "--no-evidence", "--draws", "800", "--json"])
    alone = json.loads(scored.stdout)
    rlhf = next(p for p in told["projects"] if p["name"].startswith("Reinforcement"))
    assert rlhf["ensemble"] == alone["ensemble"]
    for mine, other in zip(rlhf["models"], alone["models"], strict=True):
        assert all(other[key] == value for key, value in mine.items() if key != "p_best")
    assert {(p["first"], p["second"]) for p in told["pairs"]} == {
        (told["projects"][0]["name"], told["projects"][1]["name"])
    }
    printed = run("rlhf", "ai-control")
    from difprog.forecast.summary import MICRODOOM
    from difprog.render.format import percent, with_error

    for project in told["projects"]:
        net = project["ensemble"]["net_effect"]
        assert with_error(net["mean"], net["mcse"], MICRODOOM, sign=True) in printed.stdout
        assert percent(project["p_best"], 800) in printed.stdout
    difference = told["pairs"][0]["ensemble"]
    assert with_error(difference["mean"], difference["mcse"], MICRODOOM, sign=True) in printed.stdout


def test_one_project_is_compared_under_its_policies():
    told = json.loads(run("rlhf", "--json").stdout)
    assert {p["name"] for p in told["projects"]} == {"open", "delayed", "restricted", "closed"}
    assert len(told["pairs"]) == 6
    assert_allclose(told["nothing"]["p_best"] + sum(p["p_best"] for p in told["projects"]), 1)


def test_all_bad_projects_are_reported_at_once():
    found = run("rhlf", "ai-contrl")
    assert found.exit_code == 2
    assert found.stdout == ""
    assert 'did you mean "rlhf"?' in found.stderr
    assert 'did you mean "ai-control"?' in found.stderr


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_screen_and_no_name_is_obeyed(width, tmp_path, monkeypatch):
    path = tmp_path / "evil.toml"
    name = "[bold red]x[/]\\u001b[2J\\u202e" + "long " * 30
    path.write_text(f'[project]\nname = "{name}"\neffort = 5\nduration = 1\ncost = 1e6\n')
    monkeypatch.setenv("COLUMNS", str(width))
    found = run(str(path), "rlhf", "scaling")
    assert found.exit_code == 0
    assert max(map(len, found.stdout.splitlines())) <= width
    assert "\x1b" not in found.stdout
    assert "\u202e" not in found.stdout
    assert "[bold red]x" in found.stdout


def test_value_for_money_and_of_time_are_ratios_of_expectations(setup, tmp_path: Path):
    path = tmp_path / "p.toml"
    path.write_text('[project]\nname = "P"\neffort = "2 to 9"\nduration = 1\ncost = "1e6 to 4e6"\n')
    found = score(find_project(str(path), setup), setup, 1_000)
    told = entry(Row(1, "p", found.project.source), found)
    effort = found.models[0].beliefs["effort"].shape.mean
    assert_allclose(
        told["value_of_time"]["microdooms_per_fte_year"], found.ensemble["net_effect"].mean * 1e6 / effort
    )
    told = told["value_for_money"]
    cost = found.models[0].beliefs["cost"].shape.mean
    assert_allclose(
        told["microdooms_per_million_usd"], found.ensemble["net_effect"].mean * 1e6 / (cost / 1e6)
    )
    free = score(find_project("toy", setup), setup, 100)
    assert entry(Row(1, "p", free.project.source), free)["value_for_money"] is None
    assert data.dumps({"a": told})
