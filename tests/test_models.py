"""The models as files: nesting, loading, a user's own, and what the layers may import."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from difprog.forecast.simulate import Question, draw

from difprog.base.errors import BadInput
from difprog.beliefs.beliefs import neutral
from difprog.cli import main
from difprog.forecast import forecast, pymc_model
from difprog.models import graph
from difprog.models.model import load, shipped_models
from difprog.race.effects import Facts
from difprog.race.parameters import PARAMETERS, Group
from tests.helpers import names, project, score, setup

ROOT = Path(__file__).parent.parent
MODELS = sorted(shipped_models())


def view(name: str, model: str) -> Question:
    return forecast.questions(project(name), setup(model))[0][0]


@pytest.mark.parametrize("name", ["rlhf", "sandwiching", "inclusion", "scaling"])
@pytest.mark.parametrize("model", MODELS)
def test_synthesis_with_what_a_model_lacks_at_neutral_is_that_model_exactly(model: str, name: str) -> None:
    everything = view(name, "synthesis")
    smaller = view(name, model)
    held = {
        belief: neutral(PARAMETERS[belief])
        for belief in everything.beliefs
        if belief not in smaller.beliefs and PARAMETERS[belief].neutral is not None
    }
    kept = {n: b for n, b in everything.beliefs.items() if n in smaller.beliefs or n in held}
    assert set(kept) == set(everything.beliefs), "every further belief has a neutral value"
    nested = draw(replace(everything, beliefs={**kept, **held}), 3000, 5)
    alone = draw(smaller, 3000, 5)
    for chance in ("without", "if_hit", "if_miss", "net_effect"):
        first, second = (np.asarray(getattr(d.chances, chance)) for d in (nested, alone))
        assert (first == second).all(), chance


@pytest.mark.parametrize("name", MODELS)
def test_a_model_file_is_short_and_imports_the_race_and_the_effects_only(name: str) -> None:
    text = shipped_models()[name].read_text()
    assert len(text.splitlines()) <= 75
    imported = {
        node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)
    }
    assert imported <= {"difprog.race.race", "difprog.race.effects", "difprog.race.parameters"}
    model = load(name)
    assert len(model.argument) > 200
    assert len(model.assumes) >= 2
    assert all(model.opens.values())


def test_no_list_of_models_is_kept_anywhere() -> None:
    for path in (ROOT / "difprog").rglob("*.py"):
        text = path.read_text()
        named = [name for name in MODELS if f'"{name}"' in text]
        assert len(named) <= 2, (path, named)


@pytest.mark.parametrize("model", MODELS)
def test_the_default_priors_name_a_source_for_every_belief(model: str) -> None:
    for name in names([]):
        for belief in view(name, model).beliefs.values():
            if belief.name not in ("effort", "duration", "cost"):
                assert belief.source, (belief.name, belief.layer)


def test_the_pymc_model_has_the_same_law_as_the_sampler() -> None:
    import pymc as pm

    question = view("mechanistic-interpretability", "synthesis")
    shapes = {n: b.shape for n, b in question.beliefs.items()}
    with pymc_model.build(question.model, question.facts, shapes) as built:
        pass
    net, p = built["net_effect"], built["p_success_without"]
    drawn = np.array(pm.draw([p, net], draws=3000, random_seed=1))
    ours = draw(replace(question, posterior=None), 20_000, 1).chances
    for column, other in zip(drawn, (ours.without, ours.net_effect), strict=True):
        error = np.hypot(column.std() / len(column) ** 0.5, other.std() / len(other) ** 0.5)
        assert abs(column.mean() - other.mean()) < 4 * error
        for level in (0.25, 0.5, 0.75):
            below = np.mean(other <= np.quantile(column, level))
            assert abs(below - level) < 0.05


@pytest.mark.parametrize("model", MODELS)
def test_the_graph_is_what_the_model_reads(model: str) -> None:
    found = graph.reads(load(model))
    assert {"parallel_speedup", "serial_speedup", "capability_speedup", "p_success"} <= set(found)
    assert "agi_arrival" in found["p_success"]
    opened = {n for n in load(model).opens if PARAMETERS[n].group is not Group.EFFECT}
    stated = {"relevance", "coupling"}
    everything = {name for names_ in found.values() for name in names_}
    assert opened - stated <= everything, "a mechanism that is opened is read by something"
    assert graph.mermaid(load(model)).startswith("flowchart")


def test_a_fact_switches_relevance_off() -> None:
    found = graph.reads(load("serial_parallel"), Facts(kind="capabilities"))
    assert "relevance_intercept" not in found.get("parallel_speedup", ())


WRONG = {
    "syntax": ("def f(:\n", "is not Python"),
    "raises": ("raise RuntimeError('no')\n", "cannot be run"),
    "empty": ("x = 1\n", "TITLE"),
    "opens": (
        "from difprog.race.effects import derive\nfrom difprog.race.race import success\n"
        "TITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {'overhnag': 'y'}\n",
        "overhang",
    ),
    "no probability": (
        "from difprog.race.effects import derive\nTITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {}\n"
        "def success(w, e, xp):\n    return 2.0 + 0 * w.agi_arrival\n",
        "no probability",
    ),
    "fails": (
        "from difprog.race.effects import derive\nTITLE = CITES = 'x'\nASSUMES = ('a',)\nOPENS = {}\n"
        "def success(w, e, xp):\n    return w.nonesuch\n",
        "nonesuch",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_no_model_is_an_error_of_its_author(tmp_path: Path, case: str) -> None:
    text, words = WRONG[case]
    file = tmp_path / "mine.py"
    file.write_text(text)
    done = CliRunner().invoke(main, ["score", "rlhf", "--model", str(file), "--draws", "200"])
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
    file.write_text(shipped_models()["overhang"].read_text())
    done = CliRunner().invoke(main, ["score", "rlhf", "--model", "overhang", "--model", str(file)])
    assert done.exit_code == 2
    assert "two models" in done.stderr


def test_switching_a_mechanism_changes_no_other_belief_s_draws() -> None:
    small, large = score("rlhf", "serial_parallel", draws=500), score("rlhf", "synthesis", draws=500)
    for name, values in small.draws.values.items():
        assert np.array_equal(values, large.draws.values[name]), name
