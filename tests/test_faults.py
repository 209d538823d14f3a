"""Faults that were found once: what the commands answer to the files and options that broke them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from difprog.base import limits
from difprog.cli import main

PROPOSAL = '[project]\nname = "P"\neffort = 1\nduration = 1\n'
ONE = ("--draws", "100", "--no-evidence", "--model", "serial_parallel")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("p.toml").write_text(PROPOSAL)
    return tmp_path


def call(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, list(words), input=text)


def refused(*words: str) -> str:
    """Check that a command refuses its input in words; return them."""
    found = call(*words)
    assert found.exit_code == 2, (words, found.output)
    assert found.stdout == ""
    assert "a bug" not in found.stderr
    return found.stderr


def fine(*words: str) -> str:
    """Check that a command does its work and has nothing to complain of; return what it prints."""
    found = call(*words)
    assert found.exit_code == 0, (words, found.stderr)
    assert "Warning" not in found.stderr
    return found.stdout


def strict(text: str) -> Any:
    """Return JSON, which has no NaN and no infinity."""

    def no_number(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=no_number)


# ---- values of a wrong type, numbers of a wild size


@pytest.mark.parametrize(
    "wrong", ["[beliefs.leak]\nbounds = [0.9, 0.1]\n", "[beliefs]\nleak = [1]\n", "[beliefs]\nskill = [[]]\n"]
)
def test_a_list_where_a_value_is_due_is_named(wrong: str) -> None:
    Path("layer.toml").write_text(wrong)
    Path("q.toml").write_text(PROPOSAL + wrong)
    key = "skill" if "skill" in wrong else "leak"
    for words in (("score", "p.toml"), ("rank", "p.toml"), ("compare", "p.toml", "rlhf")):
        assert f"layer.toml: beliefs.{key}" in refused(*words, *ONE, "--priors", "layer.toml")
    assert f"layer.toml: beliefs.{key}" in refused("evidence", "list", "--priors", "layer.toml")
    assert f"q.toml: beliefs.{key}" in refused("score", "q.toml", *ONE)
    assert f"q.toml: beliefs.{key}" in refused("compare", "p.toml", "q.toml", *ONE)


def test_a_belief_without_a_finite_mean_is_shown_as_json() -> None:
    Path("wide.toml").write_text("[beliefs.researchers]\np10 = 1e-25\np90 = 1e25\n")
    for words in (("list", "wide.toml"), ("show", "wide.toml", "researchers"), ("diff", "wide.toml")):
        strict(fine("priors", *words, "--json"))


@pytest.mark.parametrize("line", ["cost = 1e-300", "effort = 0x" + "f" * 4000, "effort = 1e300"])
def test_one_wild_row_does_not_end_a_ranking(line: str) -> None:
    text = PROPOSAL.replace("effort = 1\n", "") if line.startswith("effort") else PROPOSAL
    Path("wild.toml").write_text(f"{text}{line}\n")
    ranked = call("rank", "p.toml", "wild.toml", *ONE, "--json")
    assert ranked.exit_code in (0, 3), ranked.stderr  # 3 where the wild row itself is refused
    assert "P" in {each["name"] for each in strict(ranked.stdout)["projects"]}
    for words in (("compare", "p.toml", "wild.toml"), ("score", "wild.toml")):
        found = call(*words, *ONE, "--json")
        assert found.exit_code in (0, 2), found.stderr
        if found.exit_code == 0:
            strict(found.stdout)


def test_a_review_beyond_all_numbers_is_refused() -> None:
    review = '[[reviews]]\nreviewer = "A"\nserial_speedup = "-1e160 to 1e161 years"\n'
    Path("r.toml").write_text(PROPOSAL + review)
    assert "serial_speedup" in refused("score", "r.toml", *ONE)


def test_a_search_for_a_break_even_ends_or_says_that_it_found_none() -> None:
    """An effort of millions of years over a duration of which nothing is known."""
    Path("e.toml").write_text(
        '[project]\nname = "E"\neffort = 5e6\n'
        'duration = { p49 = 0.2, p51 = 64104, distribution = "loguniform" }\n'
    )
    words = ("e.toml", "--draws", "300", "--no-evidence", "--model", "narrow_superhuman", "--no-drivers")
    strict(fine("explain", *words, "--json"))
    fine("explain", *words)


def test_probabilities_of_0_and_1_stay_put() -> None:
    """However strong an effect on its odds is, what is certain stays so: it has no effect at all."""
    none = ("capability_speedup", "parallel_speedup", "serial_speedup", "timeline_shortening", "lead_effect",
            "breadth_effect")  # fmt: skip
    rest = "".join(f"{name} = 0\n" for name in none)
    for value in ("0.0", "1.0"):
        Path("s.toml").write_text(
            f"{PROPOSAL}[beliefs]\nadoption = {value}\nadoption_effect = -37\n{rest}"
        )
        words = ("--draws", "500", "--no-evidence", "--model", "alignment_tax", "--json")
        found = strict(fine("score", "s.toml", *words))
        assert found["models"][0]["net_effect"]["mean"] == 0.0


@pytest.mark.parametrize("ceiling", ["", "field_ceiling = 1e9\n"])
def test_a_field_that_grows_beyond_all_numbers_is_no_warning(ceiling: str) -> None:
    Path("p.toml").write_text(f"{PROPOSAL}[beliefs]\nresearcher_growth = 5000\n{ceiling}")
    for model in ("serial_parallel", "overhang"):
        kept = f"{model}.jsonl"
        fine("log", "add", "p.toml", "--draws", "100", "--no-evidence", "--model", model, "--file", kept)
        for line in Path(kept).read_text().splitlines():
            strict(line)


def test_a_number_beyond_32_bits_is_not_warned_of() -> None:
    Path("layer.toml").write_text("[beliefs]\nresearchers = 1e60\nbrink_surge = 1e-60\n")
    strict(fine("score", "p.toml", *ONE, "--priors", "layer.toml", "--json"))


def test_what_a_name_means_is_said_as_json_too() -> None:
    assert strict(fine("priors", "path", "world", "--json"))["path"].endswith("world.toml")


def test_chances_of_the_outcome_go_into_a_file_that_has_beliefs() -> None:
    Path("mine.toml").write_text("# mine\n[beliefs.skill]\np5 = 1\np95 = 2\n# end\n")
    fine("priors", "elicit", "outcomes", "--percentiles", "p_success=80%", "--file", "mine.toml", "--yes")
    assert tomllib.loads(Path("mine.toml").read_text())["outcomes"] == {"p_success": 0.8}


def test_a_row_that_a_limit_of_harm_keeps_out_needs_no_cost() -> None:
    """Forced in at its cost it breaks the limit, whatever else is funded; that is an answer, not an end."""
    rows = "A,1 to 9,1,70000,applications\nB,0.1 to 90,0.2,30000,alignment\nC,1 to 99,2,50000,capabilities\n"
    Path("t.csv").write_text(f"name,effort,duration,cost,kind\n{rows}")
    for rule in ("expected", "worst-model", "regret"):
        words = ("allocate", "t.csv", "--budget", "$1", "--rule", rule, "--max-harm", "1e-9", *ONE)
        strict(fine(*words, "--json"))
        fine(*words)


# ---- limits


@pytest.mark.parametrize("command", ["score", "explain", "compare", "rank", "report"])
def test_more_draws_than_memory_holds_are_refused(command: str) -> None:
    said = refused(command, "p.toml", "--draws", "10000000")
    assert "too many draws: at most 1,000,000 are taken (got 10,000,000)" in " ".join(said.split())


def test_more_than_memory_holds_is_not_compared() -> None:
    many = ("--draws", "1000000", "--no-evidence")
    for words in (("p.toml", "rlhf", "scaling"), ("p.toml", "--scenario", "short", "--scenario", "long")):
        said = " ".join(refused("compare", *words, *many).split())
        assert "too many draws of what is compared: at most 12,000,000 are taken (got 18,000,000)" in said


@pytest.mark.parametrize("day", ["0001-01-01", "1970-01-01", "9999-12-31"])
def test_years_are_counted_from_a_date_of_these_decades(day: str) -> None:
    Path("layer.toml").write_text(f"as_of = {day}\n")
    assert "layer.toml: as_of: must lie between" in refused("score", "p.toml", *ONE, "--priors", "layer.toml")


def test_a_table_of_too_many_columns_is_refused() -> None:
    names = ",".join(f"c{n}" for n in range(20_000))
    Path("t.csv").write_text(f"name,effort,duration,{names}\nA,1,1{',' * 20_000}\n")
    assert f"at most {limits.COLUMNS.most:,}" in refused("rank", "t.csv", *ONE)


def test_too_many_reviews_are_refused() -> None:
    reviews = "".join(
        f'[[reviews]]\nreviewer = "R{n}"\nparallel_speedup = {{ p10 = 1, p90 = 9 }}\n' for n in range(100)
    )
    Path("r.toml").write_text(PROPOSAL + reviews)
    assert f"at most {limits.REVIEWERS.most}" in refused("score", "r.toml", *ONE)


def test_every_limit_is_on_its_page() -> None:
    page = Path(__file__).parent.parent / "docs" / "hardness.md"
    assert limits.markdown() in page.read_text("utf-8")


# ---- files that are none


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_what_is_no_regular_file_is_not_read() -> None:
    os.mkfifo("pipe.toml")
    Path("zero.toml").symlink_to("/dev/zero")
    Path("loop.toml").symlink_to("loop.toml")
    for name in ("pipe.toml", "zero.toml", "loop.toml"):
        for words in (("priors", "edit"), ("priors", "check"), ("score",), ("rank",)):
            assert name in refused(*words, name)
        assert name in refused("priors", "set", name, "skill", "value=1")
        assert name in refused("score", "p.toml", *ONE, "--priors", name)


# ---- screens


@pytest.mark.parametrize("width", ["0", "1", "-5", "many"])
def test_odd_widths_still_show_an_answer(width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    for words in (("score", "p.toml", *ONE), ("rank", "p.toml", *ONE), ("priors", "show", "skill"),
                  ("priors", "plot", "skill")):  # fmt: skip
        assert len(fine(*words).strip()) > 50


def test_wide_beliefs_have_ticks_that_are_numbers_of_them() -> None:
    Path("wide.toml").write_text(
        '[beliefs.researchers]\np5 = 1\np95 = 1e6\ndistribution = "lognormal"\n'
    )
    shown = fine("priors", "show", "wide.toml", "researchers")
    assert not re.search(r"\b1e6\b.*\b0\b\s*$", shown)


# ---- messages


def test_a_model_that_fails_is_the_only_thing_that_is_said() -> None:
    said = refused("score", "p.toml", "--model", "no-such-model")
    assert "credences" not in said


def test_a_folder_is_a_portfolio_without_a_slash() -> None:
    Path("sub").mkdir()
    Path("sub", "q.toml").write_text(PROPOSAL)
    assert "P" in fine("rank", "sub", *ONE)


@pytest.mark.parametrize("name", ["rlhf", "sandwiching"])
def test_a_file_that_hides_a_shipped_one_is_told_of(name: str) -> None:
    Path(f"{name}.toml").write_text(PROPOSAL)
    assert f'"{name}" is {name}.toml in the working folder' in call("score", name, *ONE).stderr


def test_a_belief_file_of_the_working_folder_is_told_of() -> None:
    Path("world.toml").write_text("[beliefs]\nskill = 1\n")
    said = call("priors", "list", "world").stderr
    assert "world.toml in the working folder" in said
    assert "--priors world.toml" in said


@pytest.mark.parametrize("words", [("priors", "check", "short"), ("priors", "show", "short", "skill")])
def test_a_belief_file_of_the_working_folder_that_hides_a_scenario_is_told_of(words: tuple[str, ...]) -> None:
    Path("short.toml").write_text("[beliefs]\nskill = 1\n")
    assert '"short" is short.toml in the working folder, not the one that ships' in call(*words).stderr


def test_json_holds_nothing_that_a_terminal_obeys() -> None:
    name = "\u2066x\u2069 \x9b31m \u2028"
    Path("odd.toml").write_text(PROPOSAL.replace('"P"', json.dumps(name)))
    shown = fine("score", "odd.toml", *ONE, "--json")
    assert not re.search("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown)
    assert json.loads(shown)["project"]["name"] == name


def test_a_file_that_can_be_written_is_changed_whatever_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").write_text("a file")
    Path("mine.toml").write_text("# mine\n")
    monkeypatch.setenv("DIFPROG_HOME", str(Path("file", "home").resolve()))
    fine("priors", "set", "mine.toml", "skill", "1 to 2", "--source", "me")
    assert "[beliefs.skill]" in Path("mine.toml").read_text()


# ---- reports and tables


def test_reports_of_like_names_do_not_overwrite_each_other() -> None:
    pages = Path("out")
    pages.mkdir()
    (pages / "index.md").write_text("written by hand\n")
    for name in ("Plan A+", "Plan A-", "index"):
        Path("q.toml").write_text(PROPOSAL.replace('"P"', json.dumps(name)))
        fine("report", "q.toml", "-o", "out", *ONE)
    assert (pages / "index.md").read_text() == "written by hand\n"
    texts = [page.read_text("utf-8") for page in sorted(pages.glob("*.md"))]
    assert len(texts) == 4
    fine("report", "q.toml", "-o", "out", *ONE)
    assert len(list(pages.glob("*.md"))) == 4


@pytest.mark.parametrize("mark", ["=", "\uff1d", "+", "\uff0b", "@", "\uff20", "\t="])
def test_no_cell_of_a_table_is_a_formula(mark: str) -> None:
    text = json.dumps(f"{mark}cmd|' /C calc'!A0", ensure_ascii=False)
    Path("q.toml").write_text(PROPOSAL.replace('"P"', text.replace("\\t", " ")), "utf-8")
    fine("rank", "q.toml", *ONE, "--csv", "out.csv")
    cells = ",".join(Path("out.csv").read_text("utf-8").splitlines()).split(",")
    named = [cell.strip('" ') for cell in cells if "cmd" in cell]
    assert named
    assert not any(cell.startswith(mark.strip()) for cell in named)


# ---- other interpreters


@pytest.mark.slow
def test_python_without_docstrings() -> None:
    """Nothing is kept compiled for it: PyMC and all the rest is compiled anew."""
    done = subprocess.run(
        [sys.executable, "-OO", "-m", "difprog", "score", "p.toml", *ONE],
        capture_output=True, text=True, timeout=180, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or "Python runs without docstrings" in done.stderr
