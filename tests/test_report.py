"""The written report end to end: files, bytes, saved runs, the examples in the repository."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings

from difprog.base.files import shipped
from difprog.cli import main
from difprog.render import report
from difprog.render.scenarios import verdict
from difprog.runs import carried  # noqa: F401 - or it would take the forecast's parts while they are replaced
from tests.hostile import TEXTS
from tests.pages import differences

FAST = ["--model", "serial_parallel", "--draws", "300", "--no-evidence"]
REPORTS = Path(__file__).parent.parent / "reports"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, list(arguments))


def tree(folder: Path) -> dict[str, bytes]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def test_a_report_is_a_page_and_its_figures(tmp_path: Path) -> None:
    done = run("report", "rlhf", "-o", str(tmp_path / "out"), *FAST)
    assert done.exit_code == 0
    name = "reinforcement-learning-from-human-feedback"
    assert set(tree(tmp_path / "out")) == {
        f"{name}.md", f"{name}/distribution.svg", f"{name}/channels.svg", f"{name}/drivers.svg",
    }  # fmt: skip
    page = (tmp_path / "out" / f"{name}.md").read_text()
    for path in re.findall(r"\]\(([^)]*\.svg)\)", page):
        assert (tmp_path / "out" / path).is_file()
    assert str(tmp_path) not in page
    assert "difprog report rlhf --model serial_parallel --draws 300" in page


def test_the_same_command_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert run("report", "rlhf", "-o", str(tmp_path / folder), *FAST).exit_code == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_saved_run_gives_the_same_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved, direct, again = (str(tmp_path / name) for name in ("run", "direct", "again"))
    options = [*FAST, "--publication", "closed", "--seed", "7", "--believe", "p_success=50%"]
    assert run("score", "rlhf", *options, "--save", saved).exit_code == 0
    assert run("report", "rlhf", "-o", direct, *options).exit_code == 0

    def no_sampling(*_: Any, **__: Any) -> None:
        raise AssertionError("samples")

    # What the saved run has is not drawn; the other policies' own beliefs are.
    monkeypatch.setattr("difprog.forecast.forecast.score", no_sampling)
    monkeypatch.setattr("difprog.forecast.forecast.draw", no_sampling)
    done = run("report", "--from", saved, "-o", again)
    assert done.exit_code == 0, done.output
    assert tree(tmp_path / "direct") == tree(tmp_path / "again")


def test_the_memo_says_in_how_many_scenarios_the_sign_holds(tmp_path: Path) -> None:
    """Over the beliefs in use, and not under a scenario twice."""
    ships = {path.stem for path in shipped("priors", "scenarios").glob("*.toml")}
    for more, left in (((), ships), (("--scenario", "short"), ships - {"short"})):
        out = tmp_path / "-".join(["out", *more])
        assert run("report", "rlhf", "-o", str(out), *FAST, *more).exit_code == 0
        page = (out / "reinforcement-learning-from-human-feedback.md").read_text()
        section = page.partition("## Under other worldviews\n")[2].partition("\n## ")[0]
        rows = re.findall(r"^\| `?([a-z-]+)`? \|.*\| ([a-z ]+) \|$", section, re.MULTILINE)
        assert {name for name, _ in rows if name in ships} == left
        assert "at 300 draws" in section
        standing = re.search(r"\*\*as beliefs stand\*\* \|.*\| ([a-z ]+) \|$", section, re.MULTILINE)
        assert standing is not None
        same = sum(said == standing[1] for name, said in rows if name in left)
        told = sum(said != "cannot be told" for name, said in rows if name in left)
        assert f"{told if standing[1] == 'cannot be told' else same} of {len(left)} scenarios" in section


def test_the_memo_names_the_scenarios_that_do_not_admit_what_is_stated(tmp_path: Path) -> None:
    """Also when it is made again from the page itself."""
    words = ("--html", "-o", str(tmp_path), "--no-evidence", "--draws", "500", "--model", "overhang")
    assert run("report", "rlhf", *words, "--believe", "p_success=95%").exit_code == 0
    (page,) = tmp_path.glob("*.html")
    first = page.read_text()
    assert re.search(r"Left out: .*pessimist.* and .*soares.*, under which the forecast cannot", first)
    again = run("report", "--from", str(page), "-o", str(tmp_path / "again"))
    assert again.exit_code == 0, again.stderr
    assert (tmp_path / "again" / page.name).read_text() == first


def test_what_is_said_of_signs() -> None:
    assert verdict([("", 1), ("a", 1), ("b", -1), ("c", 0)]) == (
        "The sign holds in 1 of 3 scenarios; it turns under b; it cannot be told under c."
    )
    assert verdict([("", 0), ("a", 1), ("b", 0)]) == (
        "As beliefs stand the sign cannot be told; it can in 1 of 2 scenarios."
    )


@pytest.mark.parametrize(
    "arguments", [[], ["rlhf", "--from", "somewhere"], ["--from", "/no/such/run"], ["no-such-project"]]
)
def test_bad_input_is_one_line_and_writes_nothing(arguments: list[str], tmp_path: Path) -> None:
    done = run("report", *arguments, "-o", str(tmp_path / "out"))
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert not (tmp_path / "out").exists()


@lru_cache
def setup() -> Any:
    from difprog.forecast.setup import prepare

    return prepare(["serial_parallel"], use_evidence=False)


@given(TEXTS, TEXTS, TEXTS)
@settings(
    max_examples=6, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)  # a report takes a second: no time to shrink
def test_no_proposal_writes_outside_or_breaks_its_page(
    tmp_path_factory: pytest.TempPathFactory, name: str, summary: str, source: str
) -> None:
    from difprog.forecast import forecast
    from difprog.forecast.setup import find_project

    folder = tmp_path_factory.mktemp("hostile")
    first, second, third = (
        json.dumps(t, ensure_ascii=False).replace("\x7f", "\\u007f") for t in (f"{name}x", summary, source)
    )
    (folder / "hostile.toml").write_text(
        f"[project]\nname = {first}\nsummary = {second}\n"
        f"effort = {{ p5 = 1, p95 = 10, source = {third} }}\nduration = 1\n",
        encoding="utf-8",
    )
    found = forecast.score(find_project(str(folder / "hostile.toml"), setup()), setup(), 100)
    written = report.write(report.gathered(found), folder / "out" / "inner")
    assert {p.name for p in folder.iterdir()} == {"hostile.toml", "out"}
    assert [p.name for p in (folder / "out").iterdir()] == ["inner"]
    for path in written:
        assert path.resolve().is_relative_to((folder / "out" / "inner").resolve())
    for path in written[1:]:
        ET.parse(path)


def test_a_source_of_hostile_text_is_shown_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[project]\nname = "p | [x](javascript:alert(1))"\neffort = 1\nduration = 1\n')
    done = run("report", str(file), "-o", str(tmp_path / "out"), *FAST)
    assert done.exit_code == 0
    page = (tmp_path / "out" / "p-x-javascript-alert-1.md").read_text()
    assert page.startswith("# p &#124; \\[x\\](javascript\\:alert(1))\n")


@pytest.mark.slow
def test_the_examples_in_the_repository_are_those_of_this_version(tmp_path: Path) -> None:
    """``python -m difprog.render.report`` writes them."""
    report.examples(tmp_path)
    compare(tmp_path, report.EXAMPLES)


def test_an_example_in_the_repository_is_that_of_this_version(tmp_path: Path) -> None:
    report.examples(tmp_path, report.EXAMPLES[:1])
    compare(tmp_path, report.EXAMPLES[:1])


def compare(folder: Path, examples: tuple[str, ...]) -> None:
    made = tree(folder)
    assert len(made) == 4 * len(examples)
    for name, data in made.items():
        found = differences(name, (REPORTS / name).read_bytes(), data)
        assert not found, f"{name} is not what `python -m difprog.render.report` writes: {found}"


def test_the_comparison_sees_what_matters_and_nothing_else() -> None:
    page = (REPORTS / "agent-foundations.md").read_text()
    figure = (REPORTS / "agent-foundations" / "drivers.svg").read_text()
    number = re.search(r"\+\d\d ± \d", page)
    assert number is not None
    stands = int(number[0][1:3])
    other = stands + (2 if (stands + 2) % 10 else 3)  # a number that ends in 0 may have been cut there
    changes = [
        (page, number[0], f"+{stands + 1}{number[0][3:]}", True),
        (page, number[0], f"+{other}{number[0][3:]}", False),
        (page, "helps", "harms", False), (page, "\n\n", "\n", False),
    ]  # fmt: skip
    hashed = re.search(r'id="([a-z][0-9a-f]{10})"', figure)
    moved = re.search(r'<use [^>]*x="(\d+\.\d+)"', figure)
    assert hashed is not None
    assert moved is not None
    near, far = (f"{float(moved[1]) + by:.6f}" for by in (1e-6, 0.5))
    changes += [
        (figure, hashed[1], hashed[1][0] + "0123456789", True), (figure, moved[1], near, True),
        (figure, moved[1], far, False), (figure, "#0072B2".lower(), "#D55E00".lower(), False),
        (figure, "<!-- mean", "<!-- meal", False), (figure, "axes_1", "axis_1", False),
    ]  # fmt: skip
    for text, old, new, same in changes:
        assert old in text
        name = "a.svg" if text is figure else "a.md"
        found = differences(name, text.encode(), text.replace(old, new).encode())
        assert (not found) is same, (old, new, found)


def test_examples_ship() -> None:
    for name in report.EXAMPLES:
        assert shipped("priors", "projects", f"{name}.toml").is_file()
