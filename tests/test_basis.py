"""What an answer rests on is said wherever there is one: whose beliefs, judgements, few draws, old dates."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from difprog.cli import COMMANDS, main
from difprog.forecast.setup import prepare
from difprog.forecast.tails import KHAT_LIMIT
from difprog.render import content, trust, verdict
from difprog.render.words import plain

README = (Path(__file__).parent.parent / "README.md").read_text()
FAST = ("--no-evidence", "--draws", "200")
TABLE = """name,kind,focus,approach,effort,duration,cost
theory,alignment,worst,cognitivist,4,2,400000
training,alignment,pessimistic,engineering,6,1,300000
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A portfolio in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "stack.csv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def own(table: Path) -> None:
    """A belief of one's own in force."""
    done = run("priors", "set", "world", "skill", "value=0.9", "--source", "us")
    assert done.exit_code == 0


ANSWERS = {
    "score": ("score", "rlhf", *FAST),
    "explain": ("explain", "rlhf", "--no-drivers", *FAST),
    "rank": ("rank", "stack.csv", *FAST),
    "compare": ("compare", "rlhf", *FAST),
    "allocate": ("allocate", "stack.csv", "--budget", "500k", *FAST),
}


@pytest.mark.parametrize("words", ANSWERS.values(), ids=ANSWERS)
def test_every_screen_says_whose_beliefs_are_in_use(words: tuple[str, ...], own: None) -> None:
    head = one_line(run(*words).stdout)[:400]
    assert "with your beliefs: skill · " in head
    assert re.search(r"\d+ of \d+ (shared )?beliefs are judgements", head)


@pytest.mark.parametrize("words", ANSWERS.values(), ids=ANSWERS)
def test_every_screen_says_that_beliefs_are_those_that_ship(words: tuple[str, ...], table: Path) -> None:
    head = one_line(run(*words, "--scenario", "short").stdout)[:400]
    assert "scenario short · " in head
    assert "beliefs as they ship · " in one_line(run(*words).stdout)[:400]


def test_the_memos_of_a_portfolio_say_so_too_and_how_they_are_made_again(own: None, tmp_path: Path) -> None:
    for page, words in (("portfolio", ANSWERS["rank"]), ("budget", ANSWERS["allocate"])):
        assert run(*words, "--report", "out").exit_code == 0
        text = (tmp_path / "out" / f"{page}.md").read_text()
        assert "with your beliefs: **skill**" in text
        assert re.search(r"\d+ of \d+ shared beliefs are judgements", text)
        (command,) = re.findall(r"^```sh\n(difprog .*)\n```$", text, re.MULTILINE)
        assert run(*shlex.split(command)[1:]).exit_code == 0
        assert (tmp_path / f"{page}.md").read_text() == text


def test_a_report_s_command_works_with_beliefs_of_one_s_own(own: None, tmp_path: Path) -> None:
    """A file of one's own stands by itself: to name it would look for it beside the proposal."""
    assert run("report", "rlhf", "-o", "out", *FAST).exit_code == 0
    (page,) = (tmp_path / "out").glob("*.md")
    text = page.read_text()
    (command,) = re.findall(r"^```sh\n(difprog .*)\n```$", text, re.MULTILINE)
    assert "--priors" not in command
    assert "Your own beliefs, `world.toml`, are laid over" in text
    assert run(*shlex.split(command)[1:]).exit_code == 0
    assert (tmp_path / "reports" / page.name).read_text() == text


def test_a_report_s_command_names_a_layer_that_was_asked_for(table: Path, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text("[beliefs]\nskill = 0.9\n")
    assert run("report", "rlhf", "--priors", "ours.toml", *FAST).exit_code == 0
    (page,) = (tmp_path / "reports").glob("*.md")
    assert "\ndifprog report rlhf --priors ours.toml" in page.read_text()
    assert "Your own beliefs, " not in page.read_text()


def test_shared_beliefs_are_those_that_the_files_state() -> None:
    """Each once, of the shipped models together; facts of a proposal are not shared."""
    setup = prepare(use_evidence=False)
    found = content.standing(setup)
    stated = {
        name: any(belief.judgement for belief in layer.beliefs[name].values())
        for stack in setup.stacks.values()
        for layer in stack.layers
        for name in layer.beliefs
    }
    assert found["own"] == found["scenarios"] == []
    assert found["beliefs"] == len(stated)
    assert found["judged"] == sum(stated.values())


def ranked(khat: float | None) -> dict[str, object]:
    diagnostics = {} if khat is None else {"khat": khat}
    return {"name": f"k {khat}", "models": [{"diagnostics": {}}, {"diagnostics": diagnostics}]}


def test_proposals_whose_mean_few_draws_carry_are_named() -> None:
    assert trust.heavy_rows([ranked(None), ranked(KHAT_LIMIT)]) == []
    (said,) = trust.heavy_rows([ranked(0.9), ranked(0.2), ranked(0.71)])
    assert "under some model): k 0.9 and k 0.71." in said


def test_an_old_date_is_said_on_the_day_only() -> None:
    start = {"as_of": "2026-01-01"}
    assert trust.stale(start, None) == trust.stale(start, date(2026, 3, 1)) == []
    (said,) = trust.stale(start, date(2026, 6, 1))
    assert "151 days ago" in said


def test_no_amount_that_is_proposed_is_taken_for_a_name_by_the_shell() -> None:
    """In double quotes a shell reads "$2.5M" as the variable 2 and ".5M": half a million dollars."""
    helps = [CliRunner().invoke(main, [*name.split(), "--help"]).stdout for name in COMMANDS]
    code = re.findall(r"`([^`\n]*difprog[^`\n]*|--[^`\n]*)`", README)
    assert not [text for text in (*helps, *code) if re.search(r'"[^"\n]*\$\d', text)]
    done = CliRunner().invoke(main, ["allocate", "grants", "--budget", "M"])
    assert done.exit_code == 2
    assert 'write it like "2.5M"' in done.stderr


@pytest.mark.parametrize(
    ("median", "said"),
    [
        (0.24e-6, "The median is +0.24: half of the worlds lie below it, 90% within"),
        (1e-12, "The median is above 0 by less than 0.001: half of the worlds lie below it, 90% within"),
        (-1e-12, "The median is below 0 by less than 0.001: half of the worlds lie below it, 90% within"),
        (0.0, "The median is 0: 90% of the worlds lie within"),
    ],
)
def test_the_median_in_a_sentence(median: float, said: str) -> None:
    net = {"mean": 5e-6, "sd": 1e-4, "mcse": 1e-6, "median": median, "median_se": 1e-8, "lower": -4e-5,
           "upper": 6e-5, "p_positive": 0.48, "p_negative": 0.35}  # fmt: skip
    found = plain(verdict.middle({"prob": 0.9, "ensemble": {"net_effect": net}}))
    assert found == f"{said} −40 to +60; few worlds carry the mean."
