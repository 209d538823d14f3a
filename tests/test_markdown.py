"""Markup that is safe whatever files say, and reports and portfolios made of it."""

from __future__ import annotations

import copy
import html
import re
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from difprog.base.errors import plain
from difprog.forecast.summary import MICRODOOM
from difprog.render import gfm, markdown, report, words
from difprog.render.format import microdooms, with_error
from tests.helpers import score_all
from tests.hostile import HOSTILE, TEXTS

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
#: Block and inline tokens that a table of plain text is made of.
PLAIN = {"text", "text_special"}


@lru_cache
def content() -> dict[str, Any]:
    return report.gathered(score_all("rlhf", draws=500))


def inline(source: str) -> list[Any]:
    return [child for token in PARSER.parse(source) for child in token.children or []]


def shown(text: str) -> str:
    return plain(text).replace("@", "(at)")


@given(TEXTS)
@settings(max_examples=400)
def test_an_escaped_text_is_only_text(text: str) -> None:
    """In a paragraph, a heading and a table cell: the same characters and nothing else."""
    escaped = gfm.escape(text)
    assert "\n" not in escaped
    for source in (escaped, f"# {escaped}", f"> {escaped}", f"- {escaped}", f"say {escaped} so"):
        tokens = inline(source)
        assert {t.type for t in tokens} <= PLAIN, source
        said = "".join(t.content for t in tokens)
        assert said.removeprefix("say ").removesuffix(" so").strip() == shown(text).strip()
    blocks = [t.type for t in PARSER.parse(escaped)]
    assert blocks in (["paragraph_open", "inline", "paragraph_close"], [])


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3))
@settings(max_examples=200)
def test_no_text_breaks_a_table(rows: list[tuple[str, str]]) -> None:
    source = gfm.table(["one", "two"], [[gfm.escape(a), gfm.escape(b)] for a, b in rows], [1])
    tokens = PARSER.parse(source)
    assert [t.type for t in tokens].count("table_open") == 1
    assert tokens[0].type == "table_open"
    assert tokens[-1].type == "table_close"
    cells = [t for t in tokens if t.type == "inline"][2:]
    assert len(cells) == 2 * len(rows)
    for cell, text in zip(cells, (t for row in rows for t in row), strict=True):
        assert {c.type for c in cell.children or []} <= PLAIN
        assert "".join(c.content for c in cell.children or []).strip() == shown(text).strip()


@given(TEXTS)
def test_no_bare_address_is_left_to_be_linked(text: str) -> None:
    """GitHub links these where nothing asks for it; its parser looks at the source."""
    escaped = gfm.escape(text)
    assert not re.search(r"(?i)www\.|https?://|ftp://|mailto:|xmpp:|@", escaped)


@given(st.one_of(TEXTS, st.text(max_size=200)))
def test_a_slug_stays_in_its_folder(text: str) -> None:
    slug = gfm.slug(text)
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", slug)
    assert len(slug) <= gfm.SLUG_LIMIT + 20
    assert slug == gfm.slug(text)
    assert not re.fullmatch(r"con|prn|aux|nul|com\d|lpt\d", slug)


def test_slugs_say_the_name() -> None:
    assert gfm.slug("Sandwiching on medical advice") == "sandwiching-on-medical-advice"
    assert gfm.slug("Zürich: KI & Größe") == "zurich-ki-groe"
    assert gfm.slug("日本") != gfm.slug("中国")


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_a_code_block_ends_where_it_should(lines: list[str]) -> None:
    tokens = PARSER.parse(gfm.fence(lines, "sh") + "\n\nafter")
    assert [t.type for t in tokens][:2] == ["fence", "paragraph_open"]
    assert tokens[0].content.rstrip("\n") == "\n".join(plain(t) for t in lines).rstrip("\n")


@given(TEXTS)
def test_code_is_code_or_text(text: str) -> None:
    for source in (gfm.code(text), gfm.name(text)):
        assert {t.type for t in inline(f"x {source}")} <= PLAIN | {"code_inline"}


@lru_cache
def harmless() -> list[Any]:
    """Return what the report is made of where every text is harmless."""
    return PARSER.parse(markdown.report(hostile("harmless")))


def hostile(text: str) -> dict[str, Any]:
    """Return report data in which every text that a file could hold is hostile."""
    data = copy.deepcopy(content())
    data["project"].update(name=text, summary=text, path=text, facts={"publication": "open"})
    data["command"], data["warnings"] = text, [text]
    for model in data["models"]:
        model.update(title=text, model=text, diagnostics={text: text})
        model["priors"] = [{"path": text, "sha256": "0" * 64}]
        model["code"]["path"] = text
        for driver in model["drivers"][:3]:
            driver["belief"] = text
    for row in data["provenance"][:3]:
        row.update(source=text, note=text, layer=text, name=text, unit=text, conditioned_on=text)
        row["models"] = [text]
    for driver in data["ensemble"]["drivers"][:3]:
        driver["belief"] = text
    for yardstick in data["yardsticks"]:
        yardstick.update(title=text, source=text)
    data.update(own=[text], scenarios=[text])
    return data


@pytest.mark.parametrize("text", [t for t in HOSTILE if t.strip()])
def test_no_text_of_a_file_gets_out_of_its_place(text: str) -> None:
    page = markdown.report(hostile(text))
    tokens, wanted = PARSER.parse(page), harmless()

    def skeleton(found: list[Any]) -> list[str]:
        # Beliefs of one file share a table: how many there are must not depend on the text.
        return [t.type for t in found]

    assert skeleton(tokens) == skeleton(wanted)
    rendered = PARSER.render(page)
    assert "<script" not in rendered.replace("&lt;script", "")
    assert not re.search(r"<a\s", rendered)
    images = re.findall(r'<img src="([^"]*)"', rendered)
    assert len(images) == 3
    assert all(re.fullmatch(r"[a-z0-9-]+/[a-z]+\.svg", path) for path in images)


def cells(page: str, heading: str, nth: int = 0) -> list[list[str]]:
    """Return the rows of a table under a heading, as plain text."""
    tokens = PARSER.parse(page)
    place, table = "", -1
    current: list[str] = []
    rows: list[list[str]] = []
    for i, t in enumerate(tokens):
        if t.type == "heading_open":
            place, table = tokens[i + 1].content, -1
        if place != heading:
            continue
        if t.type == "table_open":
            table += 1
        if t.type == "tr_open":
            current = []
        if t.type == "inline" and table == nth:
            current.append(html.unescape("".join(c.content for c in t.children or [])))
        if t.type == "tr_close" and table == nth:
            rows.append(current)
            current = []
    return rows


def test_the_page_says_what_the_data_say() -> None:
    """Numbers are read back from the rendered tables."""
    data = content()
    page = markdown.report(data)
    rows = cells(page, "What each model says")
    entries = [*data["models"], data["ensemble"]]
    assert [r[0] for r in rows[1:]] == [*(m["model"] for m in data["models"]), "all, by credence"]
    for row, entry in zip(rows[1:], entries, strict=True):
        net = entry["net_effect"]
        assert row[3] == with_error(net["mean"], net["mcse"], MICRODOOM, sign=True)
        value, error = (float(x.replace("−", "-").replace(",", "")) for x in row[3].split(" ± "))
        assert abs(value - net["mean"] / MICRODOOM) <= error + 1e-12
    channels = cells(page, "Through which channel")
    for row, entry in zip(channels[1:], entries, strict=True):
        for head, cell in zip(channels[0][1:-1], row[1:-1], strict=True):
            key = next(k for k, v in words.CHANNEL_TITLES.items() if v == head)
            value = entry["channels"][key]
            wanted = microdooms(value, entry["channels_mcse"][key]) if value else "–"
            assert cell.split(" ± ")[0] == wanted


def test_every_belief_is_there_with_its_source() -> None:
    data = content()
    page = markdown.report(data)
    for belief in data["provenance"]:
        assert f"`{belief['name']}`{'‡' * bool(belief['judgement'])}" in page
        if belief["source"]:
            assert gfm.escape(belief["source"]) in page


def test_a_belief_without_a_source_says_so() -> None:
    data = copy.deepcopy(content())
    next(row for row in data["provenance"] if row["source"])["source"] = ""
    assert "no source is given" in markdown.report(data)


def test_one_model_has_no_mixture() -> None:
    page = markdown.report(report.gathered(score_all("rlhf", "serial_parallel", draws=500)))
    assert "all, by credence" not in page
    assert "## What the model says" in page


def test_the_memo_comes_before_the_appendix_and_takes_a_page() -> None:
    """A page holds some fifty lines of a hundred characters beside the figure."""
    memo, line, appendix = markdown.report(content()).partition("\n---\n")
    assert line
    heads = [
        "## The answer", "## Why", "## What would change the answer", "## Beside what is published",
        "## Publish?", "## How far to trust it",
    ]  # fmt: skip
    assert re.findall(r"^## .*$", memo, re.MULTILINE) == heads
    assert appendix.lstrip().startswith("# Appendix\n")
    assert memo.count("](") == 1
    said = re.sub(r"!\[.*?\]\(.*?\)", "", memo)
    assert sum(1 + len(part) // 100 for part in said.splitlines() if part) <= 60


def test_what_knowing_everything_is_worth_is_in_microdooms() -> None:
    data = copy.deepcopy(content())
    data["ensemble"].update(evpi=4.3, evpi_se=0.2)
    assert "would be worth 4.3 microdooms" in markdown.report(data)


def test_a_belief_is_named_with_what_it_is_about() -> None:
    data = copy.deepcopy(content())
    name = data["provenance"][0]["name"]
    driver = {**data["ensemble"]["drivers"][0], "belief": name, "low": -1e-5, "high": 1e-5}
    data["ensemble"]["drivers"] = [{**driver, "low_se": 1e-7, "high_se": 1e-7}]
    memo, _, _ = markdown.report(data).partition("\n---\n")
    meaning = gfm.escape(data["provenance"][0]["meaning"])
    assert f"It hangs on `{name}` ({meaning}): −10.0 in its lowest tenth" in memo
    assert f"The sign of the mean turns on `{name}` ({meaning}): −10.0 in its lowest tenth" in memo


def test_published_magnitudes_have_their_sources_in_the_appendix() -> None:
    memo, _, appendix = markdown.report(content()).partition("\n---\n")
    for entry in content()["yardsticks"]:
        assert gfm.escape(entry["source"]) in appendix
    assert "per million dollars" in memo


def ranking(text: str) -> dict[str, Any]:
    data = content()
    project = {
        "row": 1, "name": text, "rank": 1, "ensemble": data["ensemble"], "models": data["models"],
        "p_best": 0.6, "extra": {"note": text, text or "x": "y"}, "value_for_money": None,
    }  # fmt: skip
    return {
        "version": "0", "as_of": "2026-11-20", "draws": 1000, "seed": 1, "prob": 0.9, "by": "effect",
        "models": [{"model": m["model"]} for m in data["models"]],
        "projects": [project, {**project, "rank": 2}],
        "errors": [{"row": 3, "name": text, "problems": [text]}],
        "nothing": {"p_best": 0.1},
        "standing": {"own": [text], "scenarios": [text], "stated": True, "judged": 2, "beliefs": 3},
    }  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_portfolio_survives_its_rows(text: str) -> None:
    page = markdown.portfolio(ranking(text))
    rendered = PARSER.render(page)
    assert not re.search(r"<(a|img|script)[\s>]", rendered)
    assert [t.type for t in PARSER.parse(page)].count("table_open") == 1
    assert rendered.count("<tr>") == 3


def test_a_portfolio_says_where_models_disagree() -> None:
    data = ranking("one")
    for project in data["projects"]:
        project["ensemble"] = {**project["ensemble"], "sign_disagreement": True}
    assert "On 2 of them the models disagree" in markdown.portfolio(data)
