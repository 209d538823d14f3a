"""Statements about the outcome, through the forecast: met exactly, refused in words, errors honest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import difprog
from difprog.base.errors import BadInput
from difprog.beliefs import published
from difprog.beliefs.outcomes import parse_believe
from difprog.choose.scenarios import beside
from difprog.cli import main
from difprog.forecast import believed, forecast
from difprog.forecast.forecast import Forecast
from difprog.forecast.request import Request
from difprog.forecast.setup import prepare
from difprog.library import amend
from difprog.models.model import shipped_models
from difprog.render import markdown, report
from difprog.runs import runs
from difprog.runs.attribution import attribute
from tests.helpers import project, setup

MODELS = ("serial_parallel", "overhang")


def scored(*believe: str, draws: int = 4_000, seed: int = 1, models: tuple[str, ...] = MODELS) -> Forecast:
    """Score a shipped proposal under what is stated."""
    under = replace(setup(*models), believe=parse_believe(believe))
    return forecast.score(project("rlhf"), under, draws, seed)


def test_every_reading_meets_what_is_stated() -> None:
    found = scored("p_success=60%", "agi_by_2040=1 in 2")
    for answer in found.models:
        assert answer.tilt is not None
        assert answer.summaries["p_success_without"].mean == pytest.approx(0.6, abs=1e-9)
        assert dict(zip(answer.tilt.statements, answer.tilt.after, strict=True)) == pytest.approx(
            {"agi_by_2040": 0.5, "p_success": 0.6}, abs=1e-9
        )
        assert answer.tilt.relative_entropy > 0
        assert answer.tilt.effective_draws < found.count
    assert found.ensemble["p_success_without"].mean == pytest.approx(0.6, abs=1e-9)


def test_nothing_stated_changes_no_bit() -> None:
    plain = forecast.score(project("rlhf"), setup(*MODELS), 1_000, 1)
    again = scored(draws=1_000)
    assert [m.summaries for m in plain.models] == [m.summaries for m in again.models]
    assert plain.draws.tilts == ()


def test_draws_count_alike_only_where_they_are_weighed_alike() -> None:
    plain, said = (scored(*words, draws=500).draws for words in ((), ("p_success=60%",)))
    again, other = scored("p_success=60%", draws=500).draws, scored("p_success=0.5", draws=500).draws
    assert plain.counts_like(plain)
    assert said.counts_like(again)
    assert said.same_worlds(again)
    for unlike in (plain, other):
        assert not said.counts_like(unlike)
        assert not unlike.counts_like(said)
        assert not said.same_worlds(unlike)
    assert not plain.same_worlds(scored(draws=500, seed=2).draws)


def test_the_order_of_statements_changes_no_bit() -> None:
    one, two = scored("p_success=0.5", "agi_by_2035=0.4"), scored("agi_by_2035=0.4", "p_success=0.5")
    assert [m.summaries for m in one.models] == [m.summaries for m in two.models]


def test_what_is_stated_as_it_already_is_moves_nothing() -> None:
    plain = scored(models=MODELS[:1])
    mean = plain.models[0].summaries["p_success_without"].mean
    tilted = scored(f"p_success={mean!r}", models=MODELS[:1])
    assert tilted.models[0].net.mean == pytest.approx(plain.models[0].net.mean, rel=1e-9)


def test_summaries_are_those_of_a_resample_by_the_weights() -> None:
    """Rejection sampling: draws kept with a chance in proportion to their weights."""
    answer = scored("p_success=0.6", draws=20_000, models=MODELS[:1]).models[0]
    assert answer.tilt is not None
    weights, net = answer.tilt.weights, answer.drawn("net_effect")
    keep = np.random.default_rng(5).random((40, len(net))) < weights / weights.max()
    kept = np.concatenate([net[row] for row in keep])
    assert len(kept) > 100_000
    assert kept.mean() == pytest.approx(answer.net.mean, abs=4 * net.std() / len(kept) ** 0.5)
    assert (kept > 0).mean() == pytest.approx(answer.net.p_positive, abs=4 * 0.5 / len(kept) ** 0.5)


@pytest.mark.parametrize(("quantity", "draws"), [("net_effect", 20_000), ("parallel_speedup", 2_000)])
def test_errors_are_honest(quantity: str, draws: int) -> None:
    """Over sixty seeds the real spread of the mean is the printed error, weights and all."""
    found = [
        scored("p_success=0.6", seed=seed, draws=draws, models=MODELS[:1]).models[0].summaries[quantity]
        for seed in range(60)
    ]
    spread = np.std([s.mean for s in found], ddof=1)
    assert 0.8 < spread / np.median([s.mcse for s in found]) < 1.25


@pytest.mark.parametrize("said", ["p_success=0.001%", "agi_by_2026=99.9%"])
def test_what_cannot_be_met_is_refused_with_what_can(said: str) -> None:
    with pytest.raises(BadInput) as caught:
        scored(said)
    problem = caught.value.problems[0]
    assert problem.key == said.partition("=")[0]
    assert problem.file == "--believe"
    assert "it can be" in problem.hint
    assert "move most" in problem.hint


def test_a_reading_that_cannot_meet_it_leaves_the_others_named() -> None:
    with pytest.raises(BadInput) as caught:
        scored("p_success=90%", models=("serial_parallel", "alignment_tax"))
    (problem,) = caught.value.problems
    assert "alignment_tax" in str(problem)
    assert problem.hint.endswith("under the others it is met: --model serial_parallel")


def test_a_date_that_is_no_matter_of_chance_can_only_be_as_it_is(tmp_path: Path) -> None:
    priors = tmp_path / "mine.toml"
    priors.write_text("[beliefs]\nagi_arrival = 5\n")
    words = ["score", "rlhf", "--no-evidence", "--draws", "200", "--priors", str(priors)]
    done = CliRunner().invoke(main, [*words, "--believe", "agi_by_2060=50%"])
    assert done.exit_code == 2, done.output
    assert "agi_by_2060" in done.stderr
    assert "100%" in done.stderr


def test_a_year_that_has_ended_is_refused() -> None:
    with pytest.raises(BadInput, match="has ended"):
        scored("agi_by_2020=0.5")


def test_published_chances_are_usable_by_name() -> None:
    for name, entry in published.outcomes().items():
        assert {o.name: o.chance for o in parse_believe([name])} == published.chances(entry)
        assert entry["source"]
        assert entry["asked"]
    with pytest.raises(BadInput, match='did you mean "espai-2023"'):
        parse_believe(["espai-2032"])


def test_the_users_own_layer_makes_it_standing(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("DIFPROG_HOME", str(tmp_path))
    said = "p_success=60%, agi_by_2040=1 in 2"
    run = CliRunner().invoke(
        main, ["priors", "elicit", "outcomes", "--percentiles", said, "--yes"], catch_exceptions=False
    )
    assert run.exit_code == 0
    amend.set_outcomes("world", {"p_success": 0.5})
    under = prepare(MODELS[:1], use_evidence=False)
    answer = forecast.score(project("rlhf"), under, 1_000, 1).models[0]
    assert answer.tilt is not None
    assert answer.tilt.stated == (0.5, 0.5)


def test_json_and_the_screen_say_what_was_stated_and_what_moved() -> None:
    words = ["score", "rlhf", "--no-evidence", "--draws", "1000", "--model", "overhang"]
    words += ["--believe", "p_success=60%"]
    run = CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False)
    (model,) = json.loads(run.stdout)["models"]
    (outcome,) = model["outcomes"]
    assert (outcome["statement"], outcome["stated"]) == ("p_success", 0.6)
    assert outcome["after"] == pytest.approx(0.6, abs=1e-9)
    assert model["relative_entropy"] > 0
    assert len(model["moved"]) == 5
    screen = CliRunner().invoke(main, [*words, "--full"], catch_exceptions=False).stdout
    assert "As you state it, it goes well with 60%" in screen
    assert "What had to move" in screen
    plain = CliRunner().invoke(main, words[:-2], catch_exceptions=False).stdout
    assert "--believe espai-2023" in plain


def test_comparisons_are_weighed() -> None:
    words = ["compare", "rlhf", "sandwiching", "--no-evidence", "--draws", "1000", "--json"]
    words += ["--model", "overhang"]
    plain, stated = (
        json.loads(CliRunner().invoke(main, [*words, *more], catch_exceptions=False).stdout)
        for more in ([], ["--believe", "p_success=60%"])
    )
    means = [
        {p["name"]: p["ensemble"]["net_effect"]["mean"] for p in each["projects"]} for each in (plain, stated)
    ]
    first, second = (p["name"] for p in stated["projects"])
    gap = stated["pairs"][0]["ensemble"]["mean"]
    assert gap == pytest.approx(means[1][first] - means[1][second], rel=1e-9)
    assert means[0] != means[1]


def test_rankings_are_weighed_and_rows_that_differ_about_the_world_left_out(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("name,effort,duration,agi_arrival\na,5,1,\nb,9,1,\nc,9,1,5\n")
    words = ["rank", str(table), "--no-evidence", "--draws", "500", "--model", "overhang", "--json"]
    done = CliRunner().invoke(main, [*words, "--believe", "p_success=60%"], catch_exceptions=False)
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    assert [p["name"] for p in found["projects"]] == ["b", "a"]
    assert "agi_arrival" in done.stderr
    for each in found["projects"]:
        assert each["ensemble"]["p_success_without"]["mean"] == pytest.approx(0.6, abs=1e-9)


def test_scenarios_stand_side_by_side() -> None:
    words = ["compare", "rlhf", "--no-evidence", "--draws", "500"]
    words += ["--scenario", "short", "--scenario", "long"]
    found = json.loads(CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False).stdout)
    assert [one["scenario"] for one in found["scenarios"]] == [None, "short", "long"]
    chances = [one["p_success_without"]["mean"] for one in found["scenarios"]]
    assert chances[1] < chances[0] < chances[2]
    screen = CliRunner().invoke(main, words, catch_exceptions=False).stdout
    assert "of 2 scenarios" in screen


def test_what_stands_beside_a_memo_is_what_the_scenario_gives() -> None:
    """Without evidence, number for number what ``--scenario`` gives; a scenario in use is not said twice."""
    asked = Request(models=("overhang",), use_evidence=False, draws=500, scenarios=("long",))
    found, left_out = beside(asked.score("rlhf"))
    assert not left_out
    assert found[0].name == ""
    assert "long" not in [one.name for one in found]
    for name in ("short", "sotala"):
        (one,) = [each for each in found if each.name == name]
        direct = replace(asked, scenarios=("long", name)).score("rlhf")
        assert one.forecast.ensemble == direct.ensemble


def test_from_python_an_answer_is_labelled_and_drawn() -> None:
    options = {"use_evidence": False, "draws": 500, "models": "overhang"}
    found = difprog.score("rlhf", believe={"p_success": 0.6}, **options)
    without = found.summary("p_success_without").sel(reading="overhang", statistic="mean")
    assert float(without) == pytest.approx(0.6)
    net = found.summary("net_effect")
    assert net.sel(statistic="mean").values.tolist()[-1] == found.ensemble["net_effect"].mean
    assert "microdooms" in found._repr_html_()
    with pytest.raises(KeyError, match="net_effect"):
        found.summary("no such thing")


def test_diff_names_what_was_stated_as_the_cause(tmp_path: Path) -> None:
    words = ["score", "rlhf", "--no-evidence", "--draws", "1000", "--model", "overhang"]
    for name, more in (("one", []), ("two", ["--believe", "p_success=60%"])):
        saved = [*words, *more, "--save", str(tmp_path / name)]
        assert CliRunner().invoke(main, saved, catch_exceptions=False).exit_code == 0
    ends = [runs.load(tmp_path / name) for name in ("one", "two")]
    found = attribute(*ends)
    cause = found.changes[0]
    assert (cause.kind, cause.was, cause.now) == ("outcome", "not stated", "p_success 60%")
    total = found.total.models["overhang"]
    assert cause.models["overhang"]["net_effect"].mean == pytest.approx(total["net_effect"].mean, rel=1e-9)
    (first,) = json.loads((tmp_path / "one" / "summary.json").read_text())["models"]
    before = first["p_success_without"]["mean"]
    assert total["p_success_without"].mean == pytest.approx(0.6 - before, abs=1e-9)


def test_the_report_says_what_was_stated_and_what_moved() -> None:
    request = Request(use_evidence=False, draws=500, models=("overhang",), believe=("p_success=60%",))
    page = markdown.report(report.gathered(request.score("rlhf")))
    assert "## The outcome as stated" in page
    section = page.partition("## The outcome as stated")[2].partition("\n## ")[0]
    assert "60%" in section
    assert section.count("`overhang`") == 1 + 5, "a statement, and five beliefs"
    plain = markdown.report(report.gathered(replace(request, believe=()).score("rlhf")))
    assert "The outcome as stated" not in plain


GRANTS = "name,effort,duration,cost\na,5,1,$100k\nb,9,1,$300k\nc,2,1,$50k\n"


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the commands that look at more than one thing, without a statement."""
    table = folder / "t.csv"
    table.write_text(GRANTS)
    usual = ["--no-evidence", "--draws", "500", "--model", "overhang", "--model", "serial_parallel"]
    return {
        "compare": ["compare", "rlhf", "sandwiching", *usual],
        "rank": ["rank", str(table), *usual],
        "allocate": ["allocate", str(table), "--budget", "$400k", *usual],
    }


@pytest.mark.parametrize("name", ["compare", "rank", "allocate"])
def test_wherever_a_forecast_is_what_was_stated_and_what_moved(name: str, tmp_path: Path) -> None:
    """Once for all projects: what is stated is about the worlds that they share."""
    words = [*commands(tmp_path)[name], "--believe", "p_success=60%", "--believe", "agi_by_2040=3 in 4"]
    screen = CliRunner().invoke(main, words, catch_exceptions=False).stdout
    assert "As you state it, it goes well with 60%" in screen
    assert "AGI comes by the end of 2040 with 75%" in screen
    assert "nats" in screen
    drawn = screen.partition("What had to move")[2].splitlines()
    assert sum("●" in line and " → " in line for line in drawn) == 5
    found = json.loads(CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False).stdout)
    assert found["believe"] == {"agi_by_2040": 0.75, "p_success": 0.6}
    for model in found["models"]:
        said = {o["statement"]: (o["stated"], o["after"]) for o in model["outcomes"]}
        for stated, after in said.values():
            assert after == pytest.approx(stated, abs=1e-9)
        assert model["relative_entropy"] > 0
        assert model["effective_draws"] < 500
        assert len(model["moved"]) == 5


@pytest.mark.parametrize("name", ["compare", "rank", "allocate"])
def test_nothing_stated_says_nothing_of_it(name: str, tmp_path: Path) -> None:
    words = commands(tmp_path)[name]
    screen = CliRunner().invoke(main, words, catch_exceptions=False).stdout
    assert "What had to move" not in screen
    assert "you state" not in screen
    assert '"moved"' not in CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False).stdout


@pytest.mark.parametrize("name", ["rank", "allocate"])
def test_pages_of_many_projects_draw_what_moved(name: str, tmp_path: Path) -> None:
    words = [*commands(tmp_path)[name], "--believe", "p_success=60%", "--report", str(tmp_path / "out")]
    assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    (page,) = (tmp_path / "out").glob("*.md")
    text = page.read_text()
    assert "As you state it" in text
    section = text.partition("## The outcome as stated")[2].partition("\n## ")[0]
    assert section.count("`overhang`") == 1 + 5, "a statement, and five beliefs"
    assert "moved.svg" in section
    assert (tmp_path / "out" / page.stem / "moved.svg").is_file()


def test_scenarios_say_what_was_stated_under_each() -> None:
    words = ["compare", "rlhf", "--no-evidence", "--draws", "500", "--model", "overhang"]
    words += ["--scenario", "short", "--scenario", "long", "--believe", "p_success=50%"]
    screen = CliRunner().invoke(main, words, catch_exceptions=False).stdout
    assert "What you state, under each" in screen
    found = json.loads(CliRunner().invoke(main, [*words, "--json"], catch_exceptions=False).stdout)
    for one in found["scenarios"]:
        assert one["p_success_without"]["mean"] == pytest.approx(0.5, abs=1e-9)
        assert one["models"][0]["relative_entropy"] > 0


def test_the_published_chance_that_is_proposed_can_be_met() -> None:
    """And it is the nearest one to the usual that can be."""
    for models in (("serial_parallel",), tuple(sorted(shipped_models()))):
        plain = forecast.score(project("rlhf"), setup(*models), 4_000, 1)
        name = believed.adoptable(plain.draws)
        assert name is not None
        scored(name, models=models)
        usual = published.outcomes()[believed.USUAL]["p_success"]
        gap = abs(published.outcomes()[name]["p_success"] - usual)
        for other, entry in published.outcomes().items():
            if "p_success" in entry and abs(entry["p_success"] - usual) < gap:
                with pytest.raises(BadInput):
                    scored(other, models=models)
