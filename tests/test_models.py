"""The models as files: nesting, loading, a user's own, and what the layers may import."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from difprog.base.errors import BadInput
from difprog.cli import main
from difprog.forecast import structure
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
