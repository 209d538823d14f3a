"""From a portfolio to a budget: what a set comes to together, and the command's whole answer."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from difprog.base import limits
from difprog.base.errors import BadInput
from difprog.choose import fund
from difprog.choose.portfolio import read_portfolio
from difprog.choose.together import together
from difprog.cli import main
from difprog.forecast import forecast
from difprog.forecast.request import Request
from difprog.models.model import load
from tests import reference
from tests.helpers import proposal, setup

TABLE = """name,kind,focus,approach,effort,duration,cost,group
big theory,alignment,worst,cognitivist,10,2,1000000,theory
small theory,alignment,worst,cognitivist,4,2,400000,theory
training,alignment,pessimistic,engineering,6,1,300000,
scale,capabilities,average,engineering,30,1,200000,
evaluations,alignment,worst,behaviourist,5,2,250000,
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "stack.csv"
    path.write_text(TABLE)
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["allocate", *map(str, words)], catch_exceptions=False)


def allocated(table: Path, *words: object) -> dict[str, object]:
    done = run(table, "--no-evidence", "--draws", 400, "--json", *words)
    assert done.exit_code == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_the_set_chosen_is_the_best_there_is(table: Path) -> None:
    """Against all sets of the table's rows, by the very means that are printed."""
    found = allocated(table, "--budget", "$1.3M")
    rows = [*found["chosen"], *found["left_out"]]  # type: ignore[misc]

    def fits(some: tuple[dict[str, object], ...]) -> bool:
        groups = [row["group"] for row in some if "group" in row]
        return sum(row["cost"] for row in some) <= 1.3e6 and len(groups) == len(set(groups))  # type: ignore[misc]

    sets = [s for n in range(len(rows) + 1) for s in itertools.combinations(rows, n) if fits(s)]
    best = max(sum(row["net_effect"]["mean"] for row in some) for some in sets)
    assert found["sum_of_parts"] == pytest.approx(best, rel=1e-9)
    assert found["cost"] <= 1.3e6  # type: ignore[operator]
    chosen = {row["name"] for row in found["chosen"]}  # type: ignore[attr-defined]
    assert len(chosen & {"big theory", "small theory"}) <= 1


@pytest.mark.parametrize(("budget", "many"), [("$1k", 0), ("$100M", None)])
def test_budgets_below_the_cheapest_and_above_the_dearest(table: Path, budget: str, many: int | None) -> None:
    found = allocated(table, "--budget", budget)
    chosen: list[dict[str, object]] = found["chosen"]  # type: ignore[assignment]
    if many == 0:
        assert chosen == []
        assert found["together"] is None
    else:
        helpful = [r for r in chosen if r["net_effect"]["mean"] > 0]  # type: ignore[index]
        assert len(helpful) == len(chosen)
        assert found["bar"] == 0
    screen = run(table, "--no-evidence", "--draws", 200, "--budget", budget)
    assert screen.exit_code == 0
    assert "nothing in reach" in screen.stdout if many == 0 else "Money is left" in screen.stdout


def test_rules_caps_and_scenarios_are_answered(table: Path) -> None:
    found = allocated(
        table, "--budget", "700k", "--rule", "worst-model", "--max-harm", "0.2", "--beside", "short",
        "--model", "serial_parallel", "--model", "overhang",
    )  # fmt: skip
    assert found["rule"] == "worst-model"
    assert set(found["scenarios"]) == {"short"}  # type: ignore[call-overload]
    assert {span["model"] for span in found["credences"]} == {"serial_parallel", "overhang"}  # type: ignore[attr-defined]
    for row in found["chosen"]:  # type: ignore[attr-defined]
        assert set(row["models_in"]) <= {"serial_parallel", "overhang"}
        assert set(row["rules_in"]) <= {"expected", "worst-model", "regret"}


def test_rows_without_a_cost_are_left_out_and_counted(table: Path) -> None:
    table.write_text(TABLE + "nameless cost,alignment,worst,cognitivist,1,1,,\n")
    done = run(table, "--no-evidence", "--draws", 200, "--budget", "1M", "--json")
    assert done.exit_code == 3
    (unread,) = json.loads(done.stdout)["unread"]
    assert unread["row"] == 6
    assert "cost" in done.stderr


def test_a_budget_that_is_none_is_refused(table: Path) -> None:
    for budget in ("much", "0", "-3", "5 years"):
        done = run(table, "--budget", budget)
        assert done.exit_code == 2
        assert "--budget" in done.stderr


def test_more_draws_than_are_held_are_refused(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HELD", limits.HELD._replace(most=5 * 6 * 100 - 1))
    with pytest.raises(BadInput, match="draws of a budget's rows"):
        fund.candidates(read_portfolio([str(table)]), Request(draws=100, use_evidence=False))


# What a set comes to

#: Points under which effects are large enough to meet.
POINTS = {
    "agi_arrival": 12, "grace_period": 1, "researchers": 700, "researcher_growth": 0.2, "hit_probability": 1,
    "breakthrough": 1,
}  # fmt: skip


@pytest.mark.parametrize("reading", ["serial_parallel", "narrow_superhuman", "synthesis"])
def test_a_set_of_points_is_the_race_run_by_hand(reading: str) -> None:
    """Effects summed and chances of a solution united, then the independent race of the tests."""
    own = {
        "a": {"parallel_speedup": 40.0, "serial_speedup": 0.5, "capability_speedup": 0.3},
        "b": {"parallel_speedup": 90.0, "serial_speedup": 0.25, "capability_speedup": 0.1},
    }
    if reading != "serial_parallel":
        own["a"]["solution_probability"] = 0.1
        own["b"]["solution_probability"] = 0.2
    under = setup(reading)
    made = [
        forecast.score(proposal({**POINTS, **effects}, name=name), under, 50, 1)
        for name, effects in own.items()
    ]
    found = together(made)
    answer = made[0].models[0]
    for draw in range(5):
        world = {n: float(np.broadcast_to(answer.value(n), (50,))[draw]) for n in answer.beliefs}
        drawn = [
            {n: float(f.draws.effects_hit[n][0, draw]) for n in f.draws.effects_hit} for f in made
        ]
        summed = {n: sum(d[n] for d in drawn) for n in drawn[0]}
        if "solution_probability" in summed:
            summed["solution_probability"] = 1 - (1 - 0.1) * (1 - 0.2)
        seen = reference.seen(reading, world)
        by_hand = reference.chance(seen, summed) - reference.chance(seen, {})
        assert found.net[0, draw] == pytest.approx(by_hand, rel=1e-9, abs=1e-14)
    assert load(reading).name == reading


def test_one_project_together_is_itself() -> None:
    one = forecast.score(proposal(name="one"), setup("serial_parallel", "overhang"), 500, 1)
    assert (together([one]).net == one.draws.net_effect).all()


def test_the_interaction_is_added_to_exact_parts() -> None:
    """Breakthroughs are drawn for what projects do to each other only, not for what each does."""
    under = setup("serial_parallel", "overhang")
    made = [forecast.score(proposal(name=name, effort=400), under, 2_000, 1) for name in ("a", "b", "c")]
    found = together(made)
    parts = sum(f.ensemble["net_effect"].mean for f in made)
    assert found.sum_of_parts.mean == pytest.approx(parts, rel=1e-9)
    assert found.summary.mean == pytest.approx(parts + found.interaction.mean, rel=1e-9)
    assert found.interaction.mean < 0, "large projects after the same work get in each other's way"


def test_proposals_about_other_worlds_are_not_put_together() -> None:
    under = setup("serial_parallel")
    made = [
        forecast.score(proposal(beliefs, name=name), under, 100, 1)
        for name, beliefs in (("a", {}), ("b", {"agi_arrival": 5}))
    ]
    with pytest.raises(BadInput, match="about the world"):
        together(made)
