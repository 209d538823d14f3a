"""The README says what is so: its commands, its output."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from difprog.cli import COMMANDS, main
from difprog.models.model import load, shipped_models
from tests.pages import text_differences

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


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
