"""Every screen at every width: no line is longer than the terminal, and no number is cut."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from difprog.base import files
from difprog.choose import candidates, decision
from difprog.cli import main
from difprog.models.model import shipped_models

FAST = ["--no-evidence", "--draws", "300"]
SOME = ["--model", "serial_parallel", "--model", "narrow_superhuman"]
SCREENS = {
    "score": ["score", "rlhf", *FAST],
    "score --full": ["score", "rlhf", "--full", *FAST],
    "score --beliefs": ["score", "rlhf", "--beliefs", *FAST],
    "explain": ["explain", "rlhf", *FAST, *SOME],
    "compare": ["compare", "rlhf", "sandwiching", "agent-foundations", *FAST, *SOME],
    "compare policies": ["compare", "rlhf", *FAST, *SOME],
    "explain --pilot": [
        "explain", "rlhf", "--no-drivers", "--pilot", "agi_arrival +- 20% for $50k",
        "--pilot", "serial_speedup +- 2 days for $1k", *FAST, *SOME,
    ],
    "allocate": ["allocate", "grants", "--budget", "$2M", *FAST, *SOME],
    "list": ["list"],
    "priors list": ["priors", "list"],
    "priors show": ["priors", "show", "agi_arrival"],
    "models list": ["models", "list"],
    "models show": ["models", "show", "narrow_superhuman"],
    "glossary": ["glossary"],
}
WIDTHS = (60, 80, 140, 200)

#: A number that is cut: digits that end in the mark of what was left out.
CUT = re.compile(r"\d…|[+−]…")


def check(output: str, width: int) -> None:
    for line in output.splitlines():
        assert cell_len(line.rstrip()) <= width, line
        assert not CUT.search(line), line


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a budget decided once for all widths: it takes seconds, and no width changes it."""
    for module, function in ((candidates, candidates.candidates), (decision, decision.decide)):
        monkeypatch.setattr(module, function.__name__, partial(once, function))


def once(function: Callable[..., Any], *given: object, **more: object) -> Any:
    if function not in DECIDED:
        DECIDED[function] = function(*given, **more)
    return DECIDED[function]


DECIDED: dict[Callable[..., Any], Any] = {}


@pytest.mark.usefixtures("decided")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_fits_and_cuts_no_number(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    done = CliRunner().invoke(main, SCREENS[name])
    assert done.exit_code == 0, (done.output, done.exception)
    check(done.output, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_ranking_fits_and_cuts_no_number(
    width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "portfolio.csv"
    table.write_text(
        "name,kind,effort,duration,cost,novelty\n"
        "A theory of agents with a long name that takes up room on a screen,alignment,4,2,$900k,niche\n"
        "Sandwiching,alignment,6 to 15,2,$2.5M,mainstream\nScaling,capabilities,20,1,$30M,mainstream\n"
    )
    monkeypatch.setenv("COLUMNS", str(width))
    done = CliRunner().invoke(main, ["rank", str(table), *FAST, *SOME])
    assert done.exit_code == 0, (done.output, done.exception)
    check(done.output, width)


@pytest.mark.parametrize("width", [60, 80])
def test_names_that_begin_alike_are_told_apart(
    width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "portfolio.csv"
    rows = [f"A fellowship in the theory of agents, class of {year}" for year in (2018, 2020, 2021)]
    lines = [f'"{name}",alignment,4,2,$900k\n' for name in rows]
    table.write_text("name,kind,effort,duration,cost\n" + "".join(lines))
    monkeypatch.setenv("COLUMNS", str(width))
    for options in ([], ["--by", "per-dollar"]):
        output = CliRunner().invoke(main, ["rank", str(table), *options, *FAST, *SOME]).output
        check(output, width)
        assert "…" not in output
        assert all(str(year) in output for year in (2018, 2020, 2021))
        assert ("per $1M" in output.split("mean ± Monte Carlo")[0]) or not options


def test_words_are_not_cut_to_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of beliefs at 60 columns: no column is left with a few letters a line."""
    monkeypatch.setenv("COLUMNS", "60")
    output = CliRunner().invoke(main, SCREENS["priors list"]).output
    assert "years from" in output
    assert "alignment" in output
    assert len(output.splitlines()) < 400


@pytest.mark.parametrize("width", WIDTHS)
def test_the_answer_is_on_the_first_screen(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns at most 45 lines for six models, so that all of it shows where the terminal has 50."""
    monkeypatch.setenv("COLUMNS", str(width))
    lines = CliRunner().invoke(main, SCREENS["score"]).output.splitlines()
    more = len(shipped_models()) - 6
    assert len(lines) <= (45 + 2 * more if width >= 80 else 60 + 3 * more)
    # At 60 columns the lines on what it was drawn under take one more.
    assert "Mixed by credence" in "".join(lines[5:7])
    assert lines[-1].startswith("difprog report rlhf")


def test_what_is_published_stands_beside_a_ranking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "portfolio.csv"
    table.write_text("name,kind,effort,duration,cost\nA,alignment,4,2,$900k\nB,alignment,6 to 15,2,$2.5M\n")
    monkeypatch.setenv("COLUMNS", "200")
    options = ["--report", str(tmp_path / "memo"), *FAST, *SOME]
    screen = " ".join(CliRunner().invoke(main, ["rank", str(table), *options]).output.split())
    (memo,) = (tmp_path / "memo").glob("*.md")
    for page in (screen, memo.read_text(encoding="utf-8")):
        assert "estimate +20, funders' bars +0.10 to +2.0" in page
        assert "estimates +0.60 to +4.9" in page
        assert "per FTE-year" in page


@pytest.mark.parametrize(("name", "capabilities"), [("capability-work-now", True), ("inclusion", False)])
def test_models_that_are_no_independent_votes_are_named(
    name: str, capabilities: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`synthesis` opens all that others open; under `overhang` any capability work lengthens an era."""
    monkeypatch.setenv("COLUMNS", "100")
    output = CliRunner().invoke(main, ["score", name, "--no-evidence", "--draws", "4000"]).output
    said = " ".join(output.split())
    assert "The models disagree about the sign." in said
    assert re.search(r"synthesis has the mechanisms of [a-z_, ]*overhang[a-z_ ]* in it: no independent", said)
    by_construction = "Under overhang and synthesis capability work lengthens the time after the paradigm"
    assert (by_construction in said) == capabilities


@pytest.mark.parametrize("name", ["score", "explain", "compare", "compare scenarios", "rank", "allocate"])
def test_years_from_long_ago_are_said_with_the_command_that_mends_it(name: str, tmp_path: Path) -> None:
    old, table = tmp_path / "old.toml", tmp_path / "table.csv"
    old.write_text("as_of = 2020-01-01\n")
    table.write_text("name,kind,effort,duration,cost\nA,alignment,4,2,$900k\nB,alignment,6,2,$2.5M\n")
    command = {
        "compare scenarios": ["compare", "rlhf", "--scenario", "short", "--scenario", "long"],
        "rank": ["rank", str(table)],
        "allocate": ["allocate", str(table), "--budget", "$1M"],
    }.get(name, SCREENS.get(name, []))
    done = CliRunner().invoke(main, [*command, "--priors", str(old), *FAST, *SOME])
    assert done.exit_code == 0, (done.output, done.exception)
    said = " ".join(done.output.split())
    assert re.search(r"Years are counted from 2020-01-01, [\d,]+ days ago; difprog evidence fit brings", said)


def test_a_page_says_from_when_on_it_is_old(tmp_path: Path) -> None:
    """The same on every day, so that the same inputs give the same bytes."""
    done = CliRunner().invoke(main, ["report", "rlhf", "-o", str(tmp_path), *FAST, *SOME])
    assert done.exit_code == 0, (done.output, done.exception)
    (page,) = tmp_path.glob("*.md")
    start = tomllib.loads(files.shipped("priors", "world.toml").read_text(encoding="utf-8"))["as_of"]
    said = f"Years are counted from {start}; after {start + timedelta(days=90)} difprog evidence fit brings"
    assert said in page.read_text(encoding="utf-8")
