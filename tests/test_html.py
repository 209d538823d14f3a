"""The report as one HTML file: nothing fetched or run, no text out of its place, made again from itself."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from difprog.cli import main
from difprog.render import figures, html
from difprog.runs import carried
from tests.hostile import HOSTILE
from tests.test_markdown import content
from tests.test_markdown import hostile as hostile_content

FAST = ("--model", "serial_parallel", "--model", "overhang", "--draws", "300", "--no-evidence")


def run(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == status, (done.output, done.exception)
    return done.output


@lru_cache
def page() -> str:
    return html.page(content(), "{}")


class Outline(HTMLParser):
    """The elements of a page and their attributes, and what is left open."""

    EMPTY = frozenset({"meta", "link", "br", "hr", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_nothing_is_fetched_and_nothing_is_run() -> None:
    outline = Outline(page())
    assert not outline.open
    assert [attrs for tag, attrs in outline.found if tag == "script"] == [
        {"type": "application/json", "id": "difprog-inputs"}
    ]
    for tag, attrs in outline.found:
        assert tag not in {"iframe", "object", "embed", "img", "base", "form", "a"}
        assert not any(name.startswith("on") for name in attrs)
        for name in ("src", "href", "xlink:href"):
            assert (attrs.get(name) or "#").startswith(("#", "data:,"))
    assert "default-src 'none'" in page()
    assert not re.search(r"url\((?!#)|@import", page())


def test_names_inside_are_unique_and_every_reference_has_its_name() -> None:
    names = [attrs["id"] for _, attrs in Outline(page()).found if "id" in attrs]
    assert len(set(names)) == len(names)
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', page())) <= set(names)


def test_figures_take_the_page_s_colours() -> None:
    """Light and dark: no colour is left in a figure that the reader's setting does not move."""
    drawn = re.findall(r"<svg .*?</svg>", page(), re.DOTALL)
    assert len(drawn) == 3
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", "".join(drawn))
    assert "prefers-color-scheme: dark" in page()
    assert "@media print" in page()


def tags(text: str) -> list[str]:
    """Return a page's elements but those that mark up a text."""
    return [tag for tag, _ in Outline(text).found if tag not in {"code", "em", "strong"}]


@lru_cache
def harmless() -> list[str]:
    """Return the elements of a page, without figures, where every text is harmless."""
    return tags(html.page(hostile_content("harmless"), carried.dumps({"text": "harmless"})))


@pytest.mark.parametrize("text", [t for t in HOSTILE if t.strip()])
def test_no_text_of_a_file_becomes_an_element(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the text nor in what is carried; figures have a test of their own."""
    stubs = dict.fromkeys(("distribution.svg", "channels.svg", "drivers.svg"), b"<svg ></svg>")
    monkeypatch.setattr(figures, "figures", lambda _: stubs)
    spelled = carried.dumps({"text": text})
    assert json.loads(spelled) == {"text": text}
    assert tags(html.page(hostile_content(text), spelled)) == harmless()


def test_a_page_is_made_again_from_itself_byte_for_byte(tmp_path: Path) -> None:
    beliefs = tmp_path / "mine.toml"
    beliefs.write_text('[beliefs.agi_arrival]\np10 = 2\np90 = 40\nsource = "me <script> & co"\n')
    run("report", "rlhf", "--html", "-o", str(tmp_path / "one"), *FAST, "--priors", str(beliefs),
        "--scenario", "short", "--publication", "closed", "--seed", "7", "--prob", "0.8",
        "--believe", "agi_by_2050=0.6")  # fmt: skip
    beliefs.unlink()
    first = next((tmp_path / "one").iterdir())
    run("report", "--from", str(first), "-o", str(tmp_path / "two"))
    second = next((tmp_path / "two").iterdir())
    assert first.name == second.name == "reinforcement-learning-from-human-feedback.html"
    assert first.read_bytes() == second.read_bytes()
    text = first.read_text()
    assert str(tmp_path) not in text
    assert "--scenario short" in text
    run("report", "--from", str(first), "-o", str(tmp_path / "one"))
    assert [p.name for p in (tmp_path / "one").iterdir()] == [first.name]


def test_a_page_of_a_saved_run_is_that_of_the_forecast(tmp_path: Path) -> None:
    run("score", "rlhf", *FAST, "--save", str(tmp_path / "run"))
    run("report", "--from", str(tmp_path / "run"), "--html", "-o", str(tmp_path / "saved"))
    run("report", "rlhf", *FAST, "--html", "-o", str(tmp_path / "direct"))
    (one,), (two,) = ((tmp_path / name).iterdir() for name in ("saved", "direct"))
    assert one.read_bytes() == two.read_bytes()


def test_what_a_page_carries_is_checked(tmp_path: Path) -> None:
    run("report", "rlhf", "--html", "-o", str(tmp_path), *FAST)
    path = next(tmp_path.iterdir())
    good = path.read_text()
    start = good.rindex('id="difprog-inputs">') + len('id="difprog-inputs">')
    inputs = json.loads(good[start:].partition("</script>")[0])

    def spoilt(**changes: Any) -> str:
        return good[:start] + carried.dumps({**inputs, **changes}) + "</script>"

    files = {sha: text + "\n# more" for sha, text in inputs["files"].items()}
    readings = [{**r, "model": "no_such_model"} for r in inputs["readings"]]
    for text, words in (
        ("<p>hello</p>", "carries no inputs"), (good[:start] + "[1", "can be read"),
        (good[:start] + "[1]</script>", "can be read"), (spoilt(schema="other/1"), "schema"),
        (spoilt(files=files), "damaged"), (spoilt(draws=10**15), "damaged"), (spoilt(seed="x"), "damaged"),
        (spoilt(readings=[]), ""), (spoilt(readings=readings), "not a shipped model"),
        (spoilt(files=3), "damaged"),
        (spoilt(credences={}), "damaged"), (spoilt(beside={"draws": 1, "scenarios": []}), "damaged"),
        (spoilt(beside={**inputs["beside"], "scenarios": [{"scenario": "<b>", "sign": 7}]}), "damaged"),
    ):  # fmt: skip
        path.write_text(text)
        said = run("report", "--from", str(path), "-o", str(tmp_path / "out"), status=2)
        assert words in said
        assert "Traceback" not in said
        assert not (tmp_path / "out").exists()


def test_a_file_of_somebody_else_s_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "reinforcement-learning-from-human-feedback.html"
    theirs.write_text("<title>theirs</title>")
    run("report", "rlhf", "--html", "-o", str(tmp_path), *FAST)
    assert theirs.read_text() == "<title>theirs</title>"
    assert len(list(tmp_path.iterdir())) == 2
