"""The models as files: nesting, loading, a user's own, and what the layers may import."""

from __future__ import annotations

import ast
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from difprog.base.errors import BadInput
from difprog.beliefs.distributions import Distribution
from difprog.beliefs.families import FAMILIES
from difprog.cli import main
from difprog.forecast import structure
from difprog.forecast.compiled import quantile
from difprog.forecast.evaluation import check
from difprog.forecast.graph import build
from difprog.forecast.lowering import Lowered
from difprog.forecast.sampling import draw
from difprog.forecast.variants import Variants
from difprog.models.model import load, shipped_models, vocabulary
from difprog.race.parameters import CRITERIA, FACTS, Group
from tests.helpers import MODELS, evaluated, names, question, score
from tests.test_reference import FACTS as FACTS_
from tests.test_reference import WORLD

ROOT = Path(__file__).parent.parent
FEW = ("--json", "--draws", "2000", "--no-evidence")


@pytest.mark.parametrize("name", MODELS)
def test_a_model_file_is_short_and_imports_the_race_and_the_effects_only(name: str) -> None:
    text = shipped_models()[name].read_text()
    assert len(text.splitlines()) <= 110
    imported = {
        node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)
    }
    assert all(name and name.startswith("difprog.race") for name in imported - {"typing", "types"})
    model = load(name)
    assert len(model.argument) > 200
    assert len(model.assumes) >= 2
    assert all(model.opens.values())


def test_no_list_of_models_is_kept_anywhere() -> None:
    for path in (ROOT / "difprog").rglob("*.py"):
        text = path.read_text()
        named = [name for name in MODELS if f'"{name}"' in text]
        assert len(named) <= 2, (path, named)


def test_the_default_priors_name_a_source_for_every_belief() -> None:
    for name in names([]):
        for view in question(name).views:
            for belief in view.beliefs.values():
                if belief.name not in ("effort", "start", "duration", "cost"):
                    assert belief.source, (belief.name, belief.layer)


@pytest.mark.parametrize("model", MODELS)
def test_the_graph_is_what_the_model_reads(model: str) -> None:
    found = structure.reads(load(model))
    assert {"parallel_speedup", "serial_speedup", "capability_speedup", "p_success"} <= set(found)
    assert "agi_arrival" in found["p_success"]
    opened = {n for n in load(model).opens if vocabulary()[n].group is not Group.EFFECT}
    stated = {"relevance", "coupling"}
    everything = {name for names_ in found.values() for name in names_}
    assert opened - stated <= everything, "a mechanism that is opened is read by something"
    assert structure.mermaid(load(model)).startswith("flowchart")


@pytest.mark.parametrize("model", MODELS)
def test_what_a_belief_moves_is_what_the_graph_says_that_it_moves(model: str) -> None:
    """Each belief in turn is a tenth less: numbers that change are those that it leads to in the graph."""
    amounts = {name: FACTS_[name] for name in ("effort", "start", "duration", "cost")}
    worlds = {n: v for n, v in {**WORLD, **amounts}.items() if n in load(model).reads}
    moved = {n: 0.9 * v if 0 < v < math.inf else 0.1 if v == 0 else 1e4 for n, v in worlds.items()}
    columns = [worlds, *({**worlds, name: value} for name, value in moved.items())]
    facts = {fact: values[0] for fact, values in FACTS.items()}
    drawn = evaluated(
        {name: np.array([column[name] for column in columns]) for name in worlds}, [model],
        criteria=CRITERIA, **facts,
    )  # fmt: skip
    said = structure.reads(load(model))
    found = {"p_success": drawn.without, "hit_probability": drawn.chance_of_hit, **drawn.effects_hit}
    changes = 0
    for quantity, values in found.items():
        numbers = np.broadcast_to(values, (1, len(columns)))[0]
        for place, name in enumerate(moved, 1):
            if numbers[place] != numbers[0]:
                assert name in said.get(quantity, ()), (name, quantity)
                changes += 1
    assert changes > 30


WRONG = {
    "syntax": ("def f(:\n", "is not Python"),
    "raises": ("raise RuntimeError('no')\n", "cannot be run"),
    "empty": ("x = 1\n", "TITLE"),
    "opens": (
        "TITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {'overhnag': 'y'}\n",
        "overhang",
    ),
    "no probability": (
        "TITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {}\n"
        "def success(w, e):\n    return 2.0 + 0 * w.agi_arrival\n",
        "no probability",
    ),
    "fails": (
        "TITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {}\n"
        "def success(w, e):\n    return w.nonesuch\n",
        "nonesuch",
    ),
    "axes": (
        "TITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {}\n"
        "def success(w, e):\n    return (0 * w.agi_arrival)[None]\n",
        "must be elementwise",
    ),
    "fails on draws": (
        "TITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {}\n"
        "def success(w, e):\n    return (0 * w.agi_arrival).reshape((1, 1))\n",
        "cannot be evaluated",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_no_model_is_an_error_of_its_author(tmp_path: Path, case: str) -> None:
    text, words = WRONG[case]
    file = tmp_path / "mine.py"
    file.write_text(text)
    done = CliRunner().invoke(main, ["score", "rlhf", "--model", str(file), *FEW])
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_model_s_own_maths_changes_no_bit_of_those_beside_it(tmp_path: Path) -> None:
    """And where it says what the shipped maths says, its numbers are the same."""
    file = tmp_path / "mine.py"
    file.write_text(
        "from difprog.race import race\nTITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {}\n"
        "def success(w, e):\n    return race.success(w, e)\n"
    )
    models = ("overhang", str(file), "serial_parallel")
    found = draw(question("rlhf", *models), 700, 1)
    shipped = draw(question("rlhf", models[0], models[2]), 700, 1)
    place = {name: at for at, name in enumerate(found.question.readings)}
    for name in ("without", "hit", "miss", "net_effect"):
        here, there = getattr(found, name), getattr(shipped, name)
        for at, reading in enumerate(shipped.question.readings):
            assert np.array_equal(here[place[reading]], there[at]), (name, reading)
        assert np.array_equal(here[place["mine"]], here[place["serial_parallel"]]), name
    for at in range(3):  # one reading asked for is the one of all
        assert np.array_equal(found.race.chance(found.effects_hit, [at])[0], found.hit[at])


@pytest.mark.parametrize(
    "says", ["0.25", "pt.constant([[0.25]])", "0.25 + pt.zeros_like(w.agi_arrival) * e.parallel_speedup"]
)
def test_under_a_model_in_which_nothing_matters_nothing_does(tmp_path: Path, says: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import pytensor.tensor as pt\nTITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {}\n"
        f"def success(w, e):\n    return {says}\n"
    )
    found = draw(question("rlhf", str(file)), 50, 1)
    assert (found.without == 0.25).all()
    assert not found.net_effect.any()
    assert not Variants(found).net_effect(list(found.effects_hit), (0,)).any()
    assert not found.effect("an effect that no model of these has").any()


def test_readings_that_differ_about_a_belief_are_those_that_each_is_alone() -> None:
    """On the draws to the bit, and in the PyMC model: one score, and each reading's own quantile of it."""
    asked = question("rlhf", "overhang", "serial_parallel")
    sooner = Distribution(FAMILIES["lognormal"], (1.0, 0.4))
    beliefs = dict(asked.views[1].beliefs)
    beliefs["agi_arrival"] = replace(beliefs["agi_arrival"], shape=sooner)
    apart = replace(asked, views=(asked.views[0], replace(asked.views[1], beliefs=beliefs)))
    found = draw(apart, 300, 1)
    for at, view in enumerate(apart.views):
        alone = draw(replace(apart, views=(view,), certain=apart.certain[at : at + 1]), 300, 1)
        assert np.array_equal(found.value("agi_arrival", at), alone.value("agi_arrival", 0))
        assert np.array_equal(found.net_effect[at], alone.net_effect[0])
    model = build(apart).model
    assert model.named_vars_to_dims["agi_arrival"] == ("reading",)
    run = Lowered({"z": model["agi_arrival_score"]}, [model["agi_arrival"]], {"z": ()})
    want = [quantile(view.beliefs["agi_arrival"].shape, np.array([0.7]))[0] for view in apart.views]
    assert run({"z": np.float64(0.7)})[0] == pytest.approx(want)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1 + 1e-9, -1e-9])
def test_what_is_no_probability_but_for_rounding_is_refused(value: float) -> None:
    asked = question("rlhf", "serial_parallel")
    check(asked, (np.array([[0.0, -1e-13, 1 + 1e-13, 1.0]]),))
    with pytest.raises(BadInput, match="beyond the numbers that a machine holds"):
        check(asked, (np.array([[0.5, value, 0.5]]),))


def test_code_runs_only_when_named_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("raise SystemExit('ran')\n")
    with pytest.raises(BadInput):
        load("mine")


def test_equal_names_of_models_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "overhang.py"
    file.write_text("TITLE = CITES = 'x'\nASSUMES = ('a',)\n")
    done = CliRunner().invoke(main, ["score", "rlhf", "--model", "overhang", "--model", str(file)])
    assert done.exit_code == 2
    assert "two models" in done.stderr


def test_switching_a_mechanism_changes_no_other_belief_s_draws() -> None:
    small, large = score("rlhf", "serial_parallel", draws=500), score("rlhf", "synthesis", draws=500)
    for name, values in small.draws.values.items():
        assert np.array_equal(values, large.draws.values[name]), name
