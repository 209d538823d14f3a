"""The README says what is so: its table of claims, its commands, its output."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from difprog.cli import COMMANDS, main
from difprog.model import load, shipped_models
from tests.pages import text_differences

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CLAIMS = (ROOT / "tests" / "test_claims.py").read_text()


def test_every_claim_of_the_table_is_a_test_and_every_test_is_in_the_table() -> None:
    rows = dict(re.findall(r"^\| ([SKNCG]\d) \| .*? \| (.*) \|$", README, re.MULTILINE))
    tested = set(re.findall(r"def test_([SKNCG]\d)_", CLAIMS))
    assert set(rows) == tested
    counts = {"S": 8, "K": 6, "N": 5, "C": 8, "G": 5}
    assert tested == {f"{letter}{k}" for letter, n in counts.items() for k in range(1, n + 1)}
    failing = set(re.findall(r"xfail\([^@]*?\)\ndef test_([SKNCG]\d)_", CLAIMS, re.DOTALL))
    assert {number for number, says in rows.items() if "fails" in says} == failing


def test_the_table_of_models_is_what_the_files_say() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| .* \|$", README, re.MULTILINE))
    for name in shipped_models():
        assert rows[name] == load(name).title


def test_the_commands_exist() -> None:
    for name in COMMANDS:
        assert f"`difprog {name}" in README
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


def test_the_output_shown_is_the_program_s() -> None:
    command, shown = re.search(r"```console\n\$ difprog (.*)\n(.*?)```", README, re.DOTALL).groups()  # type: ignore[union-attr]
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, command.split())
    printed = "\n".join(line.rstrip() for line in result.stdout.splitlines())
    assert not list(text_differences(printed, shown.rstrip("\n")))


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
