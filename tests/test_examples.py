"""The examples run as they stand, and the notebook says what it was committed with."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import nbformat
import pytest

import difprog
from tests.pages import text_differences

EXAMPLES = Path(__file__).parent.parent / "examples"
NOTEBOOK = EXAMPLES / "first_screen.ipynb"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a copy of the examples."""
    copy = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copy)
    monkeypatch.chdir(copy)
    return copy


def said(script: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines that a script prints."""
    runpy.run_path(script)
    return capsys.readouterr().out.splitlines()


def test_a_model_of_one_s_own_is_treated_like_those_that_ship(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said("own_model.py", capsys)[-6:]
    base, own = (float(line.split()[1]) for line in lines[:2])
    assert own < base, "to be pushed further costs"
    assert float(lines[2].split()[0]) > 0
    channels = dict(re.findall(r"(\w+) ([-+]\d+)", lines[4].partition(" ")[2]))
    assert float(channels["compensation"]) < 0
    assert "compensation" not in lines[3].partition(" ")[2]
    assert sum(map(float, channels.values())) == pytest.approx(own, abs=2.5), "they add up, each rounded"
    assert lines[5] == "True", "switched off it is the base race, to the bit"


def test_a_table_becomes_a_budget(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said("budget.py", capsys)
    prices = [float(re.sub(r".*?([-+][\d.]+) microdooms per.*", r"\1", line)) for line in lines[:6]]
    assert prices == sorted(prices, reverse=True)
    funded = [line for line in lines if line.startswith("fund")]
    costs = [float(re.sub(r".*\$ *([\d,]+) .*", r"\1", line).replace(",", "")) for line in funded]
    assert 0 < sum(costs) <= 1.5e6
    assert sum("Debate" in line for line in funded) <= 1, "of a group one at most"
    frontier = [float(line.split()[-5]) for line in lines if line.endswith("of 6 rows")]
    assert frontier == sorted(frontier)
    assert len(frontier) > 2


#: The first lines of Python on a page, by the kind of page.
PYTHON = {".md": r"```python\n(.*?)```", ".rst": r"code-block:: python\n+(.*?)\n\n\w"}


@pytest.mark.parametrize("page", ["README.md", "docs/python.rst"])
def test_the_lines_of_python_on_the_pages_run(page: str, folder: Path) -> None:
    text = (EXAMPLES.parent / page).read_text()
    found = re.search(PYTHON[Path(page).suffix], text, re.DOTALL)
    assert found is not None
    lines = textwrap.dedent(found[1]).replace('"rlhf"', '"rlhf", draws=400, use_evidence=False')
    (folder / "sooner.toml").rename("mine.toml")
    names: dict[str, Any] = {}
    exec(lines, names)
    assert names["forecast"].summary("net_effect").dims == ("reading", "statistic")
    assert "net_effect" in names["forecast"].data["posterior"]


def read(notebook: Path) -> Any:
    """Return a notebook, of a form that is one."""
    found = nbformat.read(notebook, as_version=4)
    nbformat.validate(found)
    return found


def words(cell: Any) -> str:
    """Return what a cell's outputs say: as text, and the text of their HTML."""
    found = []
    for output in cell.get("outputs", []):
        data = {"text/plain": output.get("text", ""), **output.get("data", {})}
        found += [data["text/plain"], re.sub(r"<[^>]*>", "", data.get("text/html", ""))]
    return "\n".join(found)


def test_the_notebook_says_what_it_was_committed_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, shipped_evidence: None
) -> None:
    """``jupyter execute --inplace examples/first_screen.ipynb`` writes it again."""
    difprog.score("rlhf", draws=300)  # skips where the kept evidence is not of this version
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(folder.parent / name.lower()))
    execute = [sys.executable, "-c", "from nbclient.cli import main; main()", "--output", "again.ipynb"]
    done = subprocess.run([*execute, NOTEBOOK.name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kept, fresh = read(NOTEBOOK), read(folder / "again.ipynb")
    for number, (cell, again) in enumerate(zip(kept.cells, fresh.cells, strict=True)):
        assert not list(text_differences(words(cell), words(again))), f"cell {number}"


def test_the_notebook_shows_the_first_screen_once_and_is_small() -> None:
    code = [cell for cell in read(NOTEBOOK).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run from top to bottom"
    (screen,) = code[0].outputs
    page = screen.data["text/html"]
    for piece in ("microdooms averted", "Mixed by credence", "Where the worlds lie", "●", "◂ harms"):
        assert piece in page
    assert len(screen.data["text/plain"]) < 300
    assert NOTEBOOK.stat().st_size < 50_000
