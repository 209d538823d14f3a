"""The README and the pages under docs say what is so: tables, commands, examples, links, the picture."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from difprog.cli import COMMANDS, main
from difprog.library import reference
from difprog.models.model import load, shipped_models
from difprog.render import picture
from tests.pages import text_differences

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
OWN_MODEL = (ROOT / "docs" / "own-model.md").read_text()
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def test_the_table_of_models_is_what_the_files_say() -> None:
    """``difprog priors generate`` writes it again."""
    assert reference.with_models(README) == README
    assert all(f"| `{name}` | {load(name).title} (" in README for name in shipped_models())


def test_the_commands_exist() -> None:
    for name in COMMANDS:
        assert f"`difprog {name}" in README
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


def test_the_two_commands_that_set_it_up_are_as_the_gate_reads_them() -> None:
    first = re.findall(r"^```sh\n(.*)$", README, re.MULTILINE)
    assert len([line for line in first if line.startswith("python -m venv")]) == 2
    for form in ("pipx install .", "uv tool install ."):
        assert form in README


def block(page: str, language: str, marker: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return str(next(found for found in blocks if marker in found))


def test_the_proposal_is_one(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(block(README, "toml", "[project]"))
    options = ["--no-evidence", "--draws", "300", "--json"]
    done = CliRunner().invoke(main, ["score", str(tmp_path / "p.toml"), *options])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["project"]["name"] == "Sandwiching on medical advice"
    assert found["beliefs"]["effort"]["p5"] == pytest.approx(6)
    assert found["beliefs"]["cost"]["p50"] == 2.5e6
    assert found["beliefs"]["capability_speedup"]["p95"] == pytest.approx(7 / 365.25, rel=1e-3)


def test_the_model_of_one_s_own_works_as_written(tmp_path: Path) -> None:
    model = tmp_path / "pause.py"
    model.write_text(block(OWN_MODEL, "python", "TITLE"))
    (tmp_path / "pause.toml").write_text(block(OWN_MODEL, "toml", "beliefs.pause_probability"))
    off = tmp_path / "off.toml"
    off.write_text('[beliefs.pause_probability]\nvalue = 0\nsource = "off"\n')
    command = block(OWN_MODEL, "sh", "difprog score").replace("./pause.py", str(model)).split()[1:]
    options = ["--no-evidence", "--draws", "300", "--json"]
    done = CliRunner().invoke(main, [*command, *options])
    assert done.exit_code == 0, done.output
    own, base = json.loads(done.stdout)["models"]
    assert own["model"] == "pause"
    assert own["p_success_without"]["mean"] > base["p_success_without"]["mean"]
    # Without its mechanism it is the base race.
    again = CliRunner().invoke(main, [*command, *options, "--priors", str(off)])
    own, base = json.loads(again.stdout)["models"]
    assert own["net_effect"]["mean"] == pytest.approx(base["net_effect"]["mean"], rel=1e-9)
    assert CliRunner().invoke(main, ["models", "show", str(model)]).exit_code == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_layout_names_folders_and_modules_that_there_are() -> None:
    """Every module by its folder, in the page and on disk."""
    said = (ROOT / "ARCHITECTURE.md").read_text()
    folders = {path.name for path in (ROOT / "difprog").iterdir() if (path / "__init__.py").is_file()}
    rows = dict(re.findall(r"^\| `(\w+)/` \| (.*) \|$", said, re.MULTILINE))
    assert set(rows) == folders
    for folder, row in rows.items():
        for name in re.findall(r"`(\w+)\.py`", row):
            assert (ROOT / "difprog" / folder / f"{name}.py").is_file(), (folder, name)


def words(svg: str) -> str:
    """Return the lines of text of a picture."""
    pieces = re.findall(r'<text class="difprog-r\d+" x="[^"]*" y="([^"]*)"[^>]*>(.*?)</text>', svg)
    lines: dict[str, str] = {}
    for y, text in pieces:
        lines[y] = lines.get(y, "") + html.unescape(text).replace("\xa0", " ")
    return "\n".join(line.rstrip() for line in lines.values())


def test_the_picture_is_one_and_fetches_nothing() -> None:
    svg = (ROOT / picture.PLACE).read_text()
    ET.fromstring(svg)
    assert "url(http" not in svg
    assert "@import" not in svg
    assert "Mixed by credence" in words(svg)
    assert str(picture.PLACE) in README


def test_the_picture_is_of_this_version(shipped_evidence: None) -> None:
    """``python -m difprog.render.picture`` makes it."""
    assert not list(text_differences(words((ROOT / picture.PLACE).read_text()), words(picture.picture())))
