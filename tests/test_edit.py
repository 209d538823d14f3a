"""Edits change what they say and nothing else, never lose a file, and do not interleave."""

from __future__ import annotations

import os
import random
import tomllib
from pathlib import Path

import pytest

from difprog.base import files, locks
from difprog.base.errors import BadInput, Problem, Problems
from difprog.beliefs.parse import parse_layer
from difprog.library import edit
from difprog.library.statements import literal, statements
from difprog.race.parameters import PARAMETERS
from tests.warm import Warm


def validate(text, where="my.toml"):
    problems = Problems(where)
    parse_layer(files.parse_toml(text, where), files.Source(Path(where), where, ""), problems)
    problems.check()


# Files whose chunks are known: what is not in the belief's own chunk must survive byte for byte.

NAMES = [
    "agi_arrival",
    "researchers",
    "leak",
    "skill",
    "grace_period",
    "lead_time",
    "elasticity",
    "chunk_length",
]
COMMENTS = ["# plain", "#", "#! p5 = 7", "# [beliefs.skill]", '# "quoted', "#\tÄ ≥ 東京 −", "   # indented"]
TEXTS = [
    '"x = 1 # no comment"',
    "'[beliefs.skill]'",
    '"""\nseveral\n[lines]\n# not a comment\n"""',
    "'''\na = 1\n'''",
]


def block(rng, name, case, newline):
    """One belief in one of the layouts of TOML, as lines; whether it needs [beliefs] before it."""
    inner = ["p5 = 0.1", "p95 = 0.4  # why", "source = " + rng.choice(TEXTS), "unit = ''"]
    if "years" in PARAMETERS[name].unit:
        inner[3] = rng.choice(['unit = "years"', "unit='months' # here"])
    elif PARAMETERS[name].unit:
        inner.pop(3)
    rng.shuffle(inner)
    if rng.random() < 0.2:
        inner = ["value=0.25", *[k for k in inner if k.startswith("source")]]
    way = ".".join(filter(None, ["beliefs", name, case]))
    lines = [rng.choice(["", "  "]) + rng.choice(["[{}]", "[ {} ]", "[{}] # head"]).format(way)]
    for line in inner:
        if rng.random() < 0.4:
            lines.append(rng.choice([*COMMENTS, "", "   "]))
        lines.append(rng.choice(["", "\t", "  "]) + line)
    if rng.random() < 0.5:
        lines += rng.choice([[""], ["", "# ── a heading ──", ""], ["# trailing"]])
    return newline.join(lines).replace("\r\n", "\n").replace("\n", newline) + newline


def short(rng, name, case):
    key = ".".join(filter(None, [name, case]))
    forms = ["{} = 0.2", '{} = "0.1 to 0.5" # guess', "{} = {{ p5 = 0.1, p95 = 0.4, source = 'x' }}  #  z",
             "{0}.p5 = 0.1\n{0}.p95 = 0.3 # q\n# in between\n{0}.source = 'y'"]  # fmt: skip
    return rng.choice(forms).format(key) + "\n"


def commented_file(rng):
    """Chunks of a valid file: (owner, text); owner None belongs to nobody."""
    newline = rng.choice(["\n", "\n", "\r\n"])
    chosen = rng.sample(NAMES, rng.randint(1, len(NAMES)))
    owners = [(n, c) for n in chosen for c in (rng.sample(["open", "closed"], 2) if n == "leak" else [""])]
    brief = [o for o in owners if rng.random() < 0.3]
    chunks = [(None, rng.choice(["", "#:schema ./x.json\n# top\n\n"]) + "as_of = 2026-11-20  # then\n")]
    if brief:
        chunks.append((None, "[beliefs] # short ones\n"))
        for owner in brief:
            chunks += [(None, rng.choice(["", "# c\n", "\n"])), (owner, short(rng, *owner))]
    chunks.append((None, rng.choice(["", "\n\n# ── more ──\n\n"])))
    chunks += [(o, block(rng, *o, "\n")) for o in owners if o not in brief]
    if rng.random() < 0.4:
        chunks.append((None, '\n[[correlations]]\nbetween = [\n  "leak", # one\n  "skill",\n]\nrank = 0.1\n'))
    if rng.random() < 0.3:
        last = chunks.pop()
        chunks.append((last[0], last[1].rstrip("\n")))
    return [(o, t.replace("\n", newline)) for o, t in chunks], newline


def one_set(rng):
    shape = rng.choice(["two", "two", "three", "value", "bounds", "none"])
    stated = {
        "two": {"p10": 0.125, "p90": 0.75}, "three": {"p5": 0.01, "p50": 0.2, "p95": 0.7},
        "value": {"value": 0.5},
        "bounds": {"p5": 0.1, "p95": 0.5, "bounds": [0.01, 0.9]}, "none": {},
    }[shape]  # fmt: skip
    if rng.random() < 0.6 or not stated:
        stated = {
            **stated,
            "source": rng.choice(["plain", 'a "quoted" # one', "line\nbreak", "ünïcode\x1b ' \\"]),
        }
    if rng.random() < 0.2:
        stated = {**stated, "note": "n"}
    return stated


def check_one(rng):
    chunks, _ = commented_file(rng)
    text = "".join(t for _, t in chunks)
    validate(text)
    name = rng.choice(NAMES)
    case = rng.choice(["open", "closed", "restricted"]) if name == "leak" else ""
    path = tuple(filter(None, ("beliefs", name, case)))
    content = tomllib.loads(text).get("beliefs", {})
    for key in path[1:]:
        content = content.get(key, {}) if isinstance(content, dict) else {}
    stated = one_set(rng)
    old = edit.read(content) if content != {} else {}
    if not old and not any(map(edit.shapes, stated)):
        stated["value"] = 0.5
    new, _ = edit.revise(old, stated)
    changed = edit.put(text, path, new)
    validate(changed)
    place = next((i for i, (o, _) in enumerate(chunks) if o == (name, case)), None)
    if place is None:
        same = next((i for i, (a, b) in enumerate(zip(text, changed, strict=False)) if a != b), len(text))
        assert changed.endswith(text[same:])
    else:
        before = "".join(t for _, t in chunks[:place])
        after = "".join(t for _, t in chunks[place + 1 :])
        assert changed.startswith(before)
        assert changed.endswith(after)
        mine = changed[len(before) : len(changed) - len(after)]
        if "p95 = 0.4  # why" in chunks[place][1] and "p95" in new:
            assert "# why" in mine
        alone = [
            x for x in chunks[place][1].split("\n") if x.strip()[:1] == "#" and '"""' not in chunks[place][1]
        ]
        assert [x for x in mine.split("\n") if x in alone] == alone
    result = tomllib.loads(changed)["beliefs"]
    for key in path[1:]:
        result = result[key]
    assert edit.read(result) == new
    assert ("\r\n" in text) == ("\r\n" in changed)
    assert "\n" not in changed.replace("\r\n", "") or "\r\n" not in text
    assert edit.put(changed, path, new) == changed


@pytest.mark.parametrize("seed", range(100))
def test_a_random_set_changes_only_what_it_says(seed):
    check_one(random.Random(seed))


@pytest.mark.slow
def test_a_thousand_random_sets_change_only_what_they_say():
    for seed in range(1000, 2000):
        check_one(random.Random(seed))


def shipped():
    return sorted(files.shipped("priors").glob("*.toml")) + sorted(
        files.shipped("priors", "projects").glob("*.toml")
    )


@pytest.mark.parametrize("path", shipped(), ids=lambda p: p.stem)
def test_shipped_files_are_cut_without_loss_and_put_back_as_they_were(path):
    text = path.read_text()
    parts = statements(text)
    assert "".join(text[s.start : s.end] for s in parts) == text
    for name, content in tomllib.loads(text).get("beliefs", {}).items():
        if edit.read(content):
            assert edit.put(text, ("beliefs", name), edit.read(content)) == text


def test_one_belief_of_the_shipped_world_changes_three_lines():
    text = files.shipped("priors", "world.toml").read_text()
    old = edit.read(tomllib.loads(text)["beliefs"]["agi_arrival"])
    new, remarks = edit.revise(old, {"p10": 2, "p90": 40, "source": "me"})
    before, after = text.split("\n"), edit.put(text, ("beliefs", "agi_arrival"), new).split("\n")
    assert set(before) - set(after) <= {
        "p50 = 10",
        "p90 = 50",
        'evidence = "timelines"',
        *[x for x in before if "source" in x],
    }
    assert 'source = "me"' in after
    assert any("timelines" in r for r in remarks)


def test_a_changed_number_loses_the_source_that_spoke_for_the_old():
    old = {"p5": 1, "p95": 2, "unit": "months", "source": "a paper", "note": "why", "evidence": "timelines"}
    new, remarks = edit.revise(old, {"p10": 2, "p90": 4})
    assert new == {"unit": "months", "note": "why", "p10": 2, "p90": 4}
    assert any("source" in r for r in remarks)
    assert any("timelines" in r for r in remarks)
    same, remarks = edit.revise(old, {"p5": 1, "p95": 2})
    assert same == old
    assert not remarks
    assert edit.revise(old, {"note": "other"})[0] == {**old, "note": "other"}
    mixed = {"distribution": "mixture", "weights": [1], "parts": [0.1]}
    assert edit.revise(mixed, {"p5": 1, "p95": 2})[0] == {"p5": 1, "p95": 2}
    assert edit.revise({"p5": 1, "p95": 2, "bounds": [0, 9]}, {"value": 3})[0] == {"value": 3}
    assert edit.revise({"p5": 1, "p95": 2, "bounds": [0, 9]}, {"p5": 2, "p95": 3})[0]["bounds"] == [0, 9]
    assert edit.revise({"p5": 1, "p95": 2, "bounds": [0, 9]}, {"bounds": ""})[0] == {"p5": 1, "p95": 2}


def test_a_mixture_written_as_tables_is_replaced_whole():
    text = (
        "[beliefs.leak]\nweights = [1, 2] # w\n\n[[beliefs.leak.parts]]\np5 = 0.1\n# kept\np95 = 0.2\n\n"
        "[[beliefs.leak.parts]]\nvalue = 0.5\n\n# skill\n[beliefs.skill]\nvalue = 2\n"
    )
    changed = edit.put(text, ("beliefs", "leak"), {"value": 0.5})
    assert changed == "[beliefs.leak]\nvalue = 0.5\n\n# kept\n\n\n# skill\n[beliefs.skill]\nvalue = 2\n"
    old = edit.read(tomllib.loads(text)["beliefs"]["leak"])
    noted = edit.put(text, ("beliefs", "leak"), {**old, "note": "x"})
    assert noted == text.replace("# w\n", '# w\nnote = "x"\n')


def test_facts_of_a_proposal_are_edited_where_they_stand():
    text = '[project]\nname = "x"\neffort = 3  # people\nduration = 2\n\n[beliefs]\nskill = 1\n'
    changed = edit.put(text, ("project", "effort"), {"p5": 6, "p95": 15})
    assert changed == text.replace("effort = 3 ", "effort = { p5 = 6, p95 = 15 } ")
    added = edit.put(text, ("project", "cost"), {"value": 5e11})
    assert added == text.replace("duration = 2\n", "duration = 2\ncost = 5e11\n")


@pytest.mark.parametrize(
    "text", ["beliefs = { skill = 1 }\n", "beliefs.skill = 1\n", "", "[beliefs]", "# only\n"]
)
def test_a_belief_is_added_to_any_layout(text):
    changed = edit.put(text, ("beliefs", "leak"), {"p5": 0.1, "p95": 0.2})
    validate(changed)
    assert tomllib.loads(changed)["beliefs"]["leak"] == {"p5": 0.1, "p95": 0.2}
    assert "skill" not in text or tomllib.loads(changed)["beliefs"]["skill"] == 1


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        1e11,
        2.5e-9,
        123456789.125,
        0.1 + 0.2,
        7,
        True,
        "a\nb\t\"'\\\x07",
        [1, "x"],
        {"p5": 0.5, "a b": [1]},
        -1e-300,
        1.7976931348623157e308,
    ],
)
def test_literals_read_back(value):
    assert tomllib.loads(f"x = {literal(value)}")["x"] == value
    assert "\n" not in literal(value)


def test_a_long_text_is_cut_in_no_time():
    body = "\n".join(f"line {i} = [x" for i in range(20_000))
    text = f'[project]\nsummary = """\n{body}\n"""\nname = "x"\n'
    assert [s.path for s in statements(text)] == [("project",), ("project", "summary"), ("project", "name")]


def test_every_multiline_value_ends_where_toml_ends_it():
    text = "a = [\n 1,\n 2, # ]\n]\nb = \"\"\"\n]\n\"\"\"\nc = '''\n}\n'''\n"
    text += "d = { x = \"\"\"\n\"\"\" }\ne = 1\n"
    tomllib.loads(text)
    assert [s.path for s in statements(text)] == [("a",), ("b",), ("c",), ("d",), ("e",)]


# The file


def reject(text):
    raise BadInput(Problem("x", "", "no"))


def test_an_invalid_edit_leaves_the_file_alone(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"old = 1\r\n")
    with pytest.raises(BadInput):
        edit.rewrite(path, lambda text: "new = 2\n", reject)
    assert path.read_bytes() == b"old = 1\r\n"
    assert {p.name for p in tmp_path.iterdir()} <= {"a.toml", "home"}


@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_an_interrupted_edit_leaves_the_file_alone(tmp_path, monkeypatch, where):
    path = tmp_path / "folder" / "a.toml"
    path.parent.mkdir()
    path.write_text("old = 1\n")

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    target = {"write": (os, "write"), "fsync": (os, "fsync"), "replace": (Path, "replace")}[where]
    monkeypatch.setattr(*target, interrupt)
    with pytest.raises(KeyboardInterrupt):
        edit.rewrite(path, lambda text: "new = 2\n", lambda text: None)
    assert path.read_text() == "old = 1\n"
    assert [p.name for p in path.parent.iterdir()] == ["a.toml"]


def test_a_byte_order_mark_line_ends_permissions_and_links_survive(tmp_path):
    path, link = tmp_path / "a.toml", tmp_path / "link.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2")
    path.chmod(0o640)
    link.symlink_to(path)
    edit.rewrite(link, lambda text: text.replace("1", "3"), lambda text: None)
    assert path.read_bytes() == b"\xef\xbb\xbfa = 3\r\nb = 2"
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


COUNT = """
import sys, tomllib
from pathlib import Path
from difprog.library import edit
for _ in range(20):
    edit.rewrite(
        Path(sys.argv[1]),
        lambda text: f"n = {tomllib.loads(text)['n'] + 1}\\n" + "# x\\n" * 50,
        lambda text: None,
    )
"""


def test_concurrent_edits_do_not_interleave(tmp_path):
    path = tmp_path / "n.toml"
    path.write_text("n = 0\n")
    workers = [Warm(str(path), code=COUNT) for _ in range(3)]
    assert [worker.communicate(timeout=120) for worker in workers] == [(b"", b"")] * 3
    assert tomllib.loads(path.read_text())["n"] == 60


def test_a_locked_file_is_said_to_be(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("a = 1\n")
    with locks.locked(path):
        assert (tmp_path / ".a.toml.difprog-lock").exists()
        with (
            pytest.raises(BadInput, match="being changed by another command"),
            locks.locked(path, patience=0.1),
        ):
            pass
    assert not (tmp_path / ".a.toml.difprog-lock").exists()
