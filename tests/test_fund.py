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
from difprog.choose.candidates import candidates
from difprog.choose.decision import decide
from difprog.choose.portfolio import read_portfolio
from difprog.choose.together import Together, together
from difprog.cli import main
from difprog.forecast import forecast
from difprog.forecast.request import Request
from difprog.models.model import load
from difprog.render import budget, funding, html, spending, words
from tests import reference
from tests.helpers import proposal, setup
from tests.hostile import HOSTILE
from tests.test_html import Outline

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
    rows = [*found["chosen"], *found["left_out"]]

    def fits(some: tuple[dict[str, object], ...]) -> bool:
        groups = [row["group"] for row in some if "group" in row]
        return sum(row["cost"] for row in some) <= 1.3e6 and len(groups) == len(set(groups))

    sets = [s for n in range(len(rows) + 1) for s in itertools.combinations(rows, n) if fits(s)]
    best = max(sum(row["net_effect"]["mean"] for row in some) for some in sets)
    assert found["sum_of_parts"] == pytest.approx(best, rel=1e-9)
    assert found["cost"] <= 1.3e6
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
        helpful = [r for r in chosen if r["net_effect"]["mean"] > 0]
        assert len(helpful) == len(chosen)
        assert found["bar"] == 0
    screen = run(table, "--no-evidence", "--draws", 200, "--budget", budget)
    assert screen.exit_code == 0
    assert "the cheapest costs $" in screen.stdout if many == 0 else "Money is left" in screen.stdout


def test_what_the_sentences_say_of_money_and_models_is_so() -> None:
    from difprog.render import funding

    assert funding._agreed(5, 5) == "Each model on its own would fund all 5 too."
    assert funding._agreed(2, 5) == "2 of the 5 would be funded by every model on its own."
    assert funding._agreed(0, 5) == "None of them would be funded by every model on its own."
    assert funding._agreed(1, 1) == "Each model on its own would fund it too."
    assert funding._agreed(0, 1) == "Not every model on its own would fund it."
    content = {"bar": 0.0, "left_out": [], "cost": 5e6, "budget": 5e6}
    assert "Money is left" not in funding._margin(content)
    assert "Money is left" in funding._margin({**content, "budget": 6e6})
    helps = {"cost": 1e6, "net_effect": {"mean": 1e-6}}
    asked = {"budget": 5e6, "max_harm": None, "left_out": [{**helps, "net_effect": {"mean": -1e-6}}]}
    assert funding._nothing(asked) == "nothing in reach is expected to help"
    assert funding._nothing({**asked, "left_out": [{**helps, "cost": 9e6}]}) == "the cheapest costs $9M"
    assert "by this rule" in funding._nothing({**asked, "left_out": [helps]})
    assert "harms more than the cap" in funding._nothing({**asked, "left_out": [helps], "max_harm": 0.01})


def test_rules_caps_and_scenarios_are_answered(table: Path) -> None:
    found = allocated(
        table, "--budget", "700k", "--rule", "worst-model", "--max-harm", "0.2", "--beside", "short",
        "--model", "serial_parallel", "--model", "overhang",
    )  # fmt: skip
    assert found["rule"] == "worst-model"
    assert set(found["scenarios"]) == {"short"}
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
    for amount in ("much", "0", "-3", "5 years"):
        done = run(table, "--budget", amount)
        assert done.exit_code == 2
        assert "--budget" in done.stderr


def test_more_draws_than_are_held_are_refused(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HELD", limits.HELD._replace(most=5 * 6 * 100 - 1))
    with pytest.raises(BadInput, match="draws of a budget's rows"):
        candidates(read_portfolio([str(table)]), Request(draws=100, use_evidence=False))


# What would change the choice


THREE = """name,kind,focus,approach,novelty,effort,duration,cost
theory,alignment,worst,cognitivist,niche,6,2,700000
checks,alignment,pessimistic,behaviourist,mainstream,36,1,600000
practice,alignment,average,engineering,mainstream,14,3,650000
"""


@pytest.mark.parametrize(
    ("budget_of", "other", "before", "after"),
    [
        ("$800k", ("--believe", "agi_by_2030=90%"), {"theory"}, {"checks"}),
        ("$2M", ("--scenario", "soares"), {"theory", "checks", "practice"}, {"theory", "checks"}),
    ],
)
def test_what_is_stated_of_the_outcome_and_scenarios_change_the_set(
    tmp_path: Path, budget_of: str, other: tuple[str, ...], before: set[str], after: set[str]
) -> None:
    """Theory takes time, which there is less of where AGI is near; practice speeds AGI up."""
    table = tmp_path / "three.csv"
    table.write_text(THREE)
    options = ("--budget", budget_of, "--model", "serial_parallel", "--model", "overhang")
    beside = ("--beside", "soares") if "soares" in other else ()
    plain, changed = allocated(table, *options, *beside), allocated(table, *options, *other)
    sets = [{row["name"] for row in found["chosen"]} for found in (plain, changed)]  # type: ignore[attr-defined]
    assert sets == [before, after]
    for found, names in zip((plain, changed), sets, strict=True):
        rows = [*found["chosen"], *found["left_out"]]
        means = {row["name"]: row["net_effect"]["mean"] for row in rows}
        limit = 800_000 if budget_of == "$800k" else 2_000_000
        every = [
            frozenset(row["name"] for row in some)
            for n in range(4) for some in itertools.combinations(rows, n)
            if sum(row["cost"] for row in some) <= limit
        ]  # fmt: skip
        assert names == max(every, key=lambda some: sum(means[name] for name in some))
    if beside:
        # What is said of a scenario beside is what is found under it.
        assert plain["scenarios"] == {"soares": {"kept": len(before & after), "chosen": len(after)}}


def test_where_the_outcome_is_stated_worlds_count_by_weight(table: Path) -> None:
    """Shares of worlds, and what is learnt, by hand on the weighted draws."""
    asked = Request(models=("overhang",), believe=("p_success=85%",), use_evidence=False, draws=800)
    stack = candidates(read_portfolio([str(table)]), asked)
    found = decide(stack, 1.3e6)
    (weights,) = stack.weights
    assert weights is not None
    assert weights.std() > 0.1 * weights.mean()
    total = stack.nets[0][list(found.choice.rows)].sum(axis=0)
    assert found.harmed == pytest.approx(weights[total < 0].sum())
    assert found.choice.expected == pytest.approx(weights @ total)
    assert found.choice.expected == pytest.approx(
        sum(stack.rows[place].net.mean for place in found.choice.rows), rel=1e-9
    )
    turn = found.turns[0]
    value = stack.values[turn.belief]
    order = np.argsort(value)
    lowest = order[np.cumsum(weights[order]) <= 0.1]
    assert turn.low == pytest.approx(weights[lowest] @ total[lowest] / weights[lowest].sum())


# Reviews

REVIEWED = """[project]
name = "{name}"
effort = 5
duration = 2
cost = 500_000

[[reviews]]
reviewer = "keen"
serial_speedup = {{ p5 = {high}, p95 = {higher} }}

[[reviews]]
reviewer = "cool"
serial_speedup = {{ p5 = {low}, p95 = {lower} }}
"""


def test_what_reviewers_would_fund(tmp_path: Path) -> None:
    """One is torn between a champion and a critic, of the other both think fairly well."""
    torn = {"low": 0.0001, "lower": 0.0003, "high": 0.5, "higher": 1.5}
    fair = {"low": 0.05, "lower": 0.06, "high": 0.06, "higher": 0.07}
    for name, ends in (("torn", torn), ("fair", fair)):
        (tmp_path / f"{name}.toml").write_text(REVIEWED.format(name=name, **ends))
    options = ("--budget", "500k", "--model", "serial_parallel", "--model", "overhang")
    found = allocated(tmp_path, *options)
    rows = {row["name"]: row for row in (*found["chosen"], *found["left_out"])}
    said = {name: row["reviews"] for name, row in rows.items()}
    assert said["torn"]["cool"] < said["fair"]["cool"] < said["fair"]["keen"] < said["torn"]["keen"]
    numbers = {name: row["row"] for name, row in rows.items()}
    reviews: dict[str, dict[str, object]] = found["reviews"]  # type: ignore[assignment]
    assert reviews["champion"]["rows"] == [numbers["torn"]]
    assert reviews["consensus"]["rows"] == [numbers["fair"]]
    # A reviewer's word is what the proposal would come to, were it stated outright.
    alone = proposal(
        {"serial_speedup": {"p5": 0.5, "p95": 1.5}}, name="torn", effort=5, duration=2, cost=500_000
    )
    direct = forecast.score(alone, setup("serial_parallel", "overhang"), 400, 1)
    assert said["torn"]["keen"] == pytest.approx(direct.ensemble["net_effect"].mean, rel=1e-9)
    screen = run(tmp_path, "--no-evidence", "--draws", 400, *options)
    assert "reviews of 2 of the 2" in " ".join(screen.stdout.split())


# The memo


def test_the_memo_has_the_decision_first(table: Path, tmp_path: Path) -> None:
    words = ("--no-evidence", "--draws", 300, "--budget", "$1M", "--model", "serial_parallel", "--model",
             "overhang")  # fmt: skip
    assert run(table, *words, "--report", tmp_path / "one").exit_code == 0
    assert run(table, *words, "--report", tmp_path / "one", "--html").exit_code == 0
    files = sorted(p.relative_to(tmp_path / "one").as_posix() for p in (tmp_path / "one").rglob("*.*"))
    assert files == ["budget.html", "budget.md", "budget/cost.svg", "budget/frontier.svg"]
    first = {name: (tmp_path / "one" / name).read_bytes() for name in files}
    assert not any(str(tmp_path).encode() in content for content in first.values())
    page = (tmp_path / "one" / "budget.md").read_text()
    assert page.index("Fund ") < page.index("## Why") < page.index("## What would change it")
    assert page.count("](budget/") == 2
    html = (tmp_path / "one" / "budget.html").read_text()
    carried = html.rpartition('id="difprog-decision">')[2].partition("</script>")[0]
    assert json.loads(carried)["schema"] == "difprog.allocate/1"
    # Again into the same folder: the earlier pages are replaced, nothing else is.
    assert run(table, *words, "--report", tmp_path / "one").exit_code == 0
    assert {name: (tmp_path / "one" / name).read_bytes() for name in files} == first
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == ["budget", "budget.html", "budget.md"]


@pytest.mark.parametrize("text", [t for t in HOSTILE if t.strip()])
def test_no_name_breaks_the_memo(text: str) -> None:
    net = {"mean": 2e-6, "sd": 1e-6, "mcse": 1e-7, "median": 2e-6, "lower": -1e-6, "upper": 5e-6,
           "p_positive": 0.9, "p_negative": 0.1}  # fmt: skip
    row = {"row": 1, "cost": 1e5, "net_effect": net, "per_million": 20.0, "per_million_se": 1.0, "signs": [1],
           "models_in": ["m"], "rules_in": ["expected"]}  # fmt: skip

    def memo(name: str) -> str:
        content = {
            "version": "1", "as_of": "2026-11-20", "draws": 100, "seed": 1, "prob": 0.9, "budget": 1e6,
            "rule": "expected", "max_harm": None, "cost": 1e5, "together": net, "sum_of_parts": 2e-6,
            "interaction": net, "harmed": 0.1, "bar": 0.0, "chosen": [{**row, "name": name}],
            "left_out": [{**row, "row": 2, "name": name, "reviews": {name: 1e-6}, "needed": {"cost": 1e4,
                          "effect": None}}],
            "unread": [{"row": 3, "name": name, "problems": [name]}],
            "frontier": [{"budget": cost, "effect": 2e-6, "chosen": 1} for cost in (1e5, 1e6)],
            "credences": [{"model": "m", "low": 0.0, "credence": 1.0, "high": 1.0, "effect": 2e-6, "kept": 1,
                           "chosen": 1}],
            "rules": {}, "scenarios": {},
            "reviews": {"pool": {"kept": 1, "chosen": 1, "cost": 1e5, "rows": [1]}},
            "hangs_on": [], "disappointment": {"estimated": 0.0, "honest": 0.0, "honest_se": 1.0},
            "information": {"everything": {"value": 0.0, "se": 0.0}, "which_model": {"value": 0.0},
                            "beliefs": {}},
        }  # fmt: skip
        return html.document(name, budget.memo(content), {spending.COST: b"<svg ></svg>", spending.FRONTIER:
                             b"<svg ></svg>"})  # fmt: skip

    texts = {"code", "em", "strong"}
    shapes = [[tag for tag, _ in Outline(memo(name)).found if tag not in texts] for name in (text, "plain")]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("parts", "between", "said"),
    [
        (260, (-60, 1), "would add up to +260: they get in each other's way"),
        (203, (-3, 1), "would add up to 3 more: they get in each other's way"),
        (197, (3, 1), "would add up to 3 less: they help each other"),
        (201, (-1, 1), "add up to +200: what they do to each other does not show"),
    ],
)
def test_the_parts_are_not_said_to_differ_from_what_looks_the_same(
    parts: float, between: tuple[float, float], said: str
) -> None:
    both = words.summary({"mean": 200e-6, "mcse": 20e-6})
    apart = words.summary({"mean": between[0] * 1e-6, "mcse": between[1] * 1e-6})
    assert funding.by_parts(both, parts * 1e-6, apart) == f"One by one they {said}."


# What a set comes to


def joint(made: list[forecast.Forecast]) -> Together:
    """Return what projects come to together."""
    first = made[0]
    projects = [(one.project.name, one.draws) for one in made]
    return together(projects, [answer.credence for answer in first.models], first.prob)


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
    found = joint(made)
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
    assert (joint([one]).net == one.draws.net_effect).all()


def test_the_interaction_is_added_to_exact_parts() -> None:
    """Breakthroughs are drawn for what projects do to each other only, not for what each does."""
    under = setup("serial_parallel", "overhang")
    made = [forecast.score(proposal(name=name, effort=400), under, 2_000, 1) for name in ("a", "b", "c")]
    found = joint(made)
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
        joint(made)
