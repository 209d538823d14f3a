"""What CONTRIBUTING.md says is enough: a model and a dataset are added as it says, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from difprog.cli import COMMANDS
from difprog.evidence import DATASETS
from tests.test_readme import block

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
ROWS = {
    cells[0].strip(): (re.findall(r"`([^`]+)`", cells[1]), cells[2])
    for cells in re.findall(r"^\| (an? [^|]+)\|([^|]+)\|([^|]+)\|$", PAGE, re.MULTILINE)
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a scratch copy of what the program is made of."""
    folder = tmp_path / "clone"
    for part in ("difprog", "models", "priors"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for page in ("README.md", "VOCABULARY.md"):
        shutil.copy(ROOT / page, folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder but compiled ones."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def touched(before: dict[str, bytes], folder: Path) -> list[str]:
    """Return the files that are new or changed."""
    return sorted(name for name, content in contents(folder).items() if before.get(name) != content)


def difprog(folder: Path, *arguments: str, status: tuple[int, ...] = (0,)) -> Any:
    """Run a command of the copy; return the JSON that it prints, or its text."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "difprog", *arguments], cwd=folder, env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode in status, done.stderr
    return json.loads(done.stdout) if "--json" in arguments else done.stdout


def test_a_model_with_a_belief_and_an_effect_of_its_own_is_two_files(clone: Path) -> None:
    before = contents(clone)
    written, then = ROWS["a model"]
    names = [place.replace("NAME", "risk_compensation") for place in written]
    code, beliefs = (ROOT / "examples" / Path(name).name for name in names)
    (schema,) = re.findall(r"^    (#:schema .*)$", PAGE, re.MULTILINE)
    shutil.copy(code, clone / names[0])
    (clone / names[1]).write_text(f"{schema}\n{beliefs.read_text()}")
    assert touched(before, clone) == ["models/risk_compensation.py", "priors/risk_compensation.toml"]

    # What is generated follows from the two, by the one command that is named.
    assert "difprog priors generate" in then
    difprog(clone, "priors", "generate")
    generated = set(touched(before, clone)) - set(names)
    assert {"README.md", "VOCABULARY.md"} <= generated
    assert all(name.endswith((".md", ".schema.json")) for name in generated)

    # It is one of the models, by its bare name, with its belief and its effect.
    few = ("--json", "--no-evidence", "--draws", "300")
    scored = difprog(clone, "score", "agent-foundations", *few)
    answers = {answer["model"]: answer for answer in scored["models"]}
    assert len(answers) == 7
    own, base = answers["risk_compensation"], answers["serial_parallel"]
    assert own["net_effect"]["mean"] < base["net_effect"]["mean"]
    assert own["p_success_without"] == base["p_success_without"]
    assert "compensation" in scored["beliefs"]
    asked = ("explain", "agent-foundations", "--model", "risk_compensation", "--no-drivers")
    assert difprog(clone, *asked, *few)["models"][0]["channels"]["compensation"] < 0


def test_a_dataset_is_two_files_and_makes_no_other_posterior_stale(clone: Path) -> None:
    before = contents(clone)
    written, then = ROWS["a dataset"]
    names = [place.replace("NAME", "surges") for place in written]
    (clone / names[0]).write_text(block(PAGE, "text", "citation"))
    (clone / names[1]).write_text(block(PAGE, "python", "BELIEFS"))
    assert touched(before, clone) == sorted(names)
    assert len(names) <= 2

    # That the belief is a prior from now on follows, by the command that is named.
    assert re.findall(r"`difprog ([^`]+)`", then) == ["priors generate", "evidence fit --ship"]
    assert difprog(clone, "priors", "generate").split() == ["wrote:", "world.toml", "wrote:", "VOCABULARY.md"]
    assert set(touched(before, clone)) == {*names, "priors/world.toml", "VOCABULARY.md"}
    old, new = (tomllib.loads(text.decode()) for text in (before["priors/world.toml"], world(clone)))
    assert new["beliefs"]["brink_surge"].pop("evidence") == "surges"
    assert new == old
    assert difprog(clone, "priors", "generate", "--check") == ""

    listed = {found["dataset"]: found for found in difprog(clone, "evidence", "list", "--json")["datasets"]}
    assert (listed["surges"]["rows"], listed["surges"]["used"]) == (3, 2)
    # What is kept of the others is kept under the key that it has now.
    states = {name: found["state"] for name, found in listed.items()}
    assert states == {**dict.fromkeys(DATASETS, "kept"), "surges": "to be fitted"}
    others = [word for name in DATASETS for word in ("--without", name)]
    short = ("--draws", "600", "--chains", "2", "--json")
    found = difprog(clone, "evidence", "fit", *others, *short, status=(0, 3))["datasets"]["surges"]
    prior, posterior = (found["beliefs"]["brink_surge"][key] for key in ("prior", "posterior"))
    assert posterior[-1] / posterior[0] < prior[-1] / prior[0], "two guesses narrow it"


def world(folder: Path) -> bytes:
    """Return the world's beliefs of a copy."""
    return (folder / "priors/world.toml").read_bytes()


def test_two_datasets_about_one_belief_are_refused(clone: Path) -> None:
    """And so is one about a belief that nobody states: nothing is written then."""
    before = contents(clone)
    for name, belief in (("second", "agi_arrival"), ("third", "no_such_belief")):
        shutil.copy(clone / "priors/evidence/timelines.csv", clone / f"priors/evidence/{name}.csv")
        (clone / f"difprog/evidence/{name}.py").write_text(f"BELIEFS = ({belief!r},)\n")
    environment = {**os.environ, "PYTHONPATH": str(clone)}
    command = [sys.executable, "-m", "difprog", "priors", "generate"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "timelines.BELIEFS" in done.stderr
    assert "third.BELIEFS" in done.stderr
    assert world(clone) == before["priors/world.toml"]


def test_the_commands_that_it_names_are_there() -> None:
    for name in re.findall(r"`difprog (\w+)", PAGE):
        assert name in COMMANDS
    for module in re.findall(r"`python -m ([\w.]+)`", PAGE):
        assert (ROOT / Path(*module.split("."))).with_suffix(".py").is_file(), module
