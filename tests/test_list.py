"""What there is, by name; and what was probably meant by a name that there is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from difprog.base import files
from difprog.cli import main
from difprog.models.model import shipped_models


@pytest.fixture
def run(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def runner(*words, status=0):
        result = CliRunner().invoke(main, list(words))
        assert result.exit_code == status, (result.output, result.exception)
        return result.output

    return runner


def test_everything_that_ships_is_listed(run):
    found = json.loads(run("list", "--json"))["found"]
    names = {(one["kind"], one["name"]) for one in found}
    assert {("proposals", "rlhf"), ("portfolios", "grants"), ("scenarios", "short")} <= names
    assert {name for kind, name in names if kind == "models"} == set(shipped_models())
    assert all(one["title"] and Path(one["path"]).is_file() for one in found)
    text = run("list")
    for words in ("difprog score NAME", "--scenario NAME", "rlhf", "Reinforcement learning", "grants"):
        assert words in text


def test_files_here_and_of_one_s_own_are_listed_with_what_they_hide(run, home, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    Path("rlhf.toml").write_text("[project]\nname = 'Mine'\n")
    Path("beliefs.toml").write_text("[beliefs]\nskill = 1\n")
    Path("broken.toml").write_text("[project\n")
    own = home / "projects"
    own.mkdir(parents=True)
    (own / "ours.toml").write_text("[project]\nname = 'Ours'\n")
    found = {one["name"]: one for one in json.loads(run("list", "--json"))["found"]}
    assert (found["rlhf"]["place"], found["rlhf"]["title"]) == ("here", "Mine")
    assert found["rlhf"]["hides"] == str(files.shipped("priors", "projects", "rlhf.toml"))
    assert found["ours"]["place"] == "yours"
    assert "beliefs" not in found
    assert "broken" not in found
    assert "hides priors/projects/rlhf.toml" in run("list")


@pytest.mark.parametrize("width", ["60", "80", "140", "200"])
def test_the_list_fits_its_width(run, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    assert all(len(line.rstrip()) <= int(width) for line in run("list").splitlines())


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("scor", "rlhf"), '"score"'),
        (("SCORE", "rlhf"), '"score"'),
        (("Lst",), '"list"'),
        (("RLHF",), '"difprog score rlhf"'),
        (("score", "RLHF"), '"rlhf"'),
        (("score", "rlfh"), '"rlhf"'),
        (("score", "rlhf", "--model", "OVERHNG"), '"overhang"'),
        (("score", "rlhf", "--scenario", "Shrt"), '"short"'),
        (("score", "agent"), '"agent-foundations"'),
        (("explain", "microdom"), '"microdoom"'),
        (("explain", "rlhf", "--model", "overhang", "--no-evidence", "--know", "agi"), '"agi_arrival"'),
        (("priors", "SHOW", "leak"), '"show"'),
        (("log", "resolv"), '"resolve"'),
        (("models", "Shw"), '"show"'),
        (("priors", "set", "world", "agi_arrival", "family=normal"), '"distribution"'),
    ],
)
def test_what_was_probably_meant_is_said(run, words, near):
    assert f"did you mean {near}?" in run(*words, status=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--draws", "many"), 'is no number, such as 4000, "10k" or 1e5'),
        (("--draws", "1.5"), "is no whole number"),
        (("--draws", "10M"), "draws"),
        (("--seed", "x"), "is no whole number of 0 or more, such as 1"),
        (("--prob", "often"), 'is no number, such as 0.9 or "90%"'),
        (("--prob", "90"), "write 90%"),
        (("--believe", "p_success=80"), 'write "80%"'),
        (("--believe", "p_success=1:4"), '"1 in 20"'),
    ],
)
def test_an_option_that_is_no_number_says_what_to_write(run, words, said):
    assert said in run("score", "rlhf", *words, status=2)


def test_numbers_of_options_are_read_as_people_write_them(run):
    few = ("score", "toy", "--model", "serial_parallel", "--no-evidence", "--json")
    assert run(*few, "--draws", "1k", "--prob", "80%") == run(*few, "--draws", "1000", "--prob", "0.8")


@pytest.mark.parametrize("group", ["priors", "log", "models", "evidence"])
def test_a_group_lists_its_commands_in_whole_sentences(run, group):
    listed = run(group, "--help").partition("Commands:")[2]
    assert "..." not in listed
    assert listed.strip().endswith(".")


def test_help_completion_and_the_list_load_nothing_heavy():
    heavy = ["pydantic", "numpy", "scipy", "pytensor", "pymc", "arviz", "xarray", "matplotlib", "pandas"]
    script = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from difprog.cli import complete, main\n"
        "for words in (['--help'], ['list'], ['priors', '--help'], ['new', '--help']):\n"
        "    assert CliRunner().invoke(main, words).exit_code == 0, words\n"
        "for found in (complete.models, complete.beliefs, complete.files_of('project')):\n"
        "    assert found(None, None, 's')\n"
        f"print([m for m in {heavy} if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_checking_belief_files_loads_no_pymc():
    script = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from difprog.cli import main\n"
        "assert CliRunner().invoke(main, ['priors', 'check']).exit_code == 0\n"
        "print([m for m in ('pymc', 'pytensor', 'arviz', 'xarray', 'pandas') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
