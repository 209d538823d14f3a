"""PyMC makes the forecast: from the command line and from Python, and only where one is made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

import difprog
from difprog.cli import main
from difprog.forecast.forecast import Forecast
from tests.helpers import MODELS

#: Loaded by whoever makes a forecast, and by nobody else.
LIBRARIES = ("pymc", "pytensor", "arviz", "xarray")


def fresh(code: str) -> str:
    """Run code in a process of its own; return its last line."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def loaded(*words: str) -> list[str]:
    """Return which of the libraries a command loads, in a process of its own."""
    return list(json.loads(fresh(
        "import sys, json\nfrom difprog.cli import main\n"
        f"try:\n    main({list(words)!r})\nexcept SystemExit as done:\n    assert not done.code, done.code\n"
        f"print(json.dumps([m for m in {LIBRARIES!r} if m in sys.modules]))"
    )))  # fmt: skip


def test_a_forecast_from_the_command_line_is_made_by_pymc() -> None:
    assert "pymc" in loaded("score", "rlhf", "--no-evidence", "--draws", "200")


def test_no_solver_is_loaded_for_a_forecast_whose_evidence_is_kept() -> None:
    """All that it fits, percentiles, it fits itself; PyMC's own modules come once graphs are compiled."""
    assert fresh(
        "import sys\nfrom difprog.forecast.conditioning import question_of\n"
        "from difprog.forecast.setup import find_project, prepare\ns = prepare(('serial_parallel',))\n"
        "question_of(find_project('rlhf', s), s)\n"
        "print([m for m in sys.modules if m.startswith('scipy.optimize')])"
    ) == "[]"


@pytest.mark.parametrize(
    "words",
    [("--help",), ("priors", "check", "world"), ("list",), ("priors", "show", "agi_arrival")],
    ids=" ".join,
)
def test_what_makes_no_forecast_loads_none_of_it(words: tuple[str, ...]) -> None:
    assert loaded(*words) == []


def test_help_loads_nothing_heavy_at_all() -> None:
    heavy = (*LIBRARIES, "numpy", "scipy", "pandas", "matplotlib", "pydantic", "rich")
    assert fresh(
        "import sys\nfrom difprog.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as done:\n    assert not done.code\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    ) == "[]"


# From Python


@pytest.fixture(scope="module")
def forecast() -> Forecast:
    return difprog.score("scaling", draws=3000, seed=3, use_evidence=False)


@pytest.fixture(scope="module")
def model() -> Any:
    return difprog.model("scaling", use_evidence=False)


def test_the_draws_are_labelled(forecast: Forecast) -> None:
    import xarray as xr

    assert isinstance(forecast.data, xr.DataTree)
    posterior = forecast.data["posterior"]
    assert posterior["p_success"].dims == ("chain", "draw", "reading", "world")
    assert posterior["net_effect"].dims == ("chain", "draw", "reading")
    assert set(posterior["reading"].values) == set(MODELS)
    assert list(posterior["world"].values) == ["without", "hit", "miss"]
    assert posterior.sizes["draw"] == 3000


def test_the_labelled_draws_are_those_of_the_summaries(forecast: Forecast) -> None:
    posterior = forecast.data["posterior"]
    for answer in forecast.models:
        here = posterior.sel(reading=answer.model.name)
        assert float(here["net_effect"].mean()) == pytest.approx(answer.net.mean, rel=1e-12, abs=1e-18)
        without = here["p_success"].sel(world="without")
        assert float(without.mean()) == pytest.approx(answer.summaries["p_success_without"].mean, rel=1e-12)
        for name in ("parallel_speedup", "capability_speedup"):
            assert float(here[name].mean()) == pytest.approx(answer.summaries[name].mean, rel=1e-12)


def test_the_kept_draws_carry_the_weights_of_what_was_stated(tmp_path: Path) -> None:
    """So that who opens them with ArviZ alone finds the printed numbers."""
    import arviz as az

    words = ["score", "scaling", "--no-evidence", "--draws", "500", "--json", "--save", str(tmp_path / "run")]
    printed = CliRunner().invoke(main, [*words, "--believe", "p_success=50%"])
    assert printed.exit_code == 0, printed.output
    with az.from_netcdf(tmp_path / "run" / "draws.nc") as tree:
        weighted = tree["posterior"]["net_effect"] * tree["sample_stats"]["weight"]
        found = weighted.sum(("chain", "draw")).to_series().to_dict()
    assert found == {
        m["model"]: pytest.approx(m["net_effect"]["mean"], rel=1e-12, abs=1e-18)
        for m in json.loads(printed.stdout)["models"]
    }


def test_arviz_summarises_the_draws(forecast: Forecast) -> None:
    import arviz as az

    table = az.summary(forecast.data, var_names=["net_effect", "agi_arrival"], round_to="none")
    mean = table.loc["net_effect[synthesis]", "mean"]
    answer = next(a for a in forecast.models if a.model.name == "synthesis")
    assert float(mean) == pytest.approx(answer.net.mean, rel=1e-9)
    assert any(row.startswith("agi_arrival") for row in table.index)


def test_the_model_can_be_drawn_as_a_graph(model: Any) -> None:
    from pymc.model_graph import ModelGraph

    parents = ModelGraph(model).make_compute_graph(var_names=["net_effect"])
    assert "p_success" in parents["net_effect"]
    assert {"agi_arrival", "parallel_requirement", "parallel_speedup"} & parents.keys()


def test_nothing_in_the_model_is_computed_in_single_precision(model: Any) -> None:
    """Whole numbers and halves, as beliefs that are points often are, would be held so by PyTensor."""
    from pytensor.graph.traversal import ancestors

    made = [node for node in ancestors([model["net_effect"]]) if hasattr(node.type, "dtype")]
    assert not [node for node in made if node.type.dtype.startswith("float") and node.type.dtype != "float64"]
    assert not [node.name for node in model.deterministics if node.type.dtype != "float64"]


def test_the_model_has_the_law_of_the_forecast_s_draws(model: Any, forecast: Forecast) -> None:
    """PyMC's own draws, from seeds that have nothing to do with ours."""
    import pymc as pm

    from difprog.forecast import compiled

    names = ("agi_arrival", "p_success", "net_effect")
    count = 400
    drawn = pm.draw([model[n] for n in names], draws=count, random_seed=11, mode=compiled.mode())
    posterior = forecast.data["posterior"]
    compared = [(drawn[0], posterior["agi_arrival"].values[0], "agi_arrival")]
    for place, reading in enumerate(model.coords["reading"]):
        here = posterior.sel(reading=reading)
        for world in ("without", "hit", "miss"):
            ours = here["p_success"].sel(world=world).values[0]
            theirs = drawn[1][:, place, model.coords["world"].index(world)]
            compared.append((theirs, ours, f"p_success {reading} {world}"))
        compared.append((drawn[2][:, place], here["net_effect"].values[0], f"net_effect {reading}"))
    # With the level shared out (Bonferroni), a law that holds is refused once in 10,000 such tests.
    for theirs, ours, name in compared:
        assert stats.ks_2samp(theirs, ours, method="asymp").pvalue > 1e-4 / len(compared), name


def test_another_belief_leaves_every_other_s_draws_bit_for_bit(forecast: Forecast, tmp_path: Path) -> None:
    priors = tmp_path / "mine.toml"
    priors.write_text('[beliefs]\nserial_requirement = { p10 = 2, p90 = 30, source = "test" }\n')
    edited = difprog.score("scaling", draws=3000, seed=3, use_evidence=False, priors=(str(priors),))
    changed = [
        name for name, value in forecast.draws.values.items()
        if not np.array_equal(value, edited.draws.values[name])
    ]  # fmt: skip
    assert changed == ["serial_requirement"]
    assert not np.array_equal(forecast.draws.without, edited.draws.without)
