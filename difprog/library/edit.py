"""Change one belief of a TOML file and nothing else: every other byte stays where it was.

A file is cut into its statements (a header, or one key with its value), each of which is TOML
of its own; only the belief's own statements are rewritten, with tomlkit, so that a line keeps
its key's spelling and its comment. tomlkit's own tables are not used for whole files: it moves
blank lines and comments when a table grows. Reads and writes the one file it is told to, under
a lock, after the result was validated.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from difprog.base import files, locks, writing
from difprog.base.errors import BadInput, Problem
from difprog.beliefs.forms import PERCENTILE
from difprog.beliefs.shapes import spelt_out
from difprog.library.statements import Statement, Way, depth, literal, set_value, spell_key, statements
from difprog.race.parameters import FACT_OF

#: Keys of a belief, beside its percentiles, that say what shape it has.
SHAPE_KEYS = ("value", "distribution", "bounds", "weights", "parts")
#: The order in which keys are written that a file does not have yet.
KEY_ORDER = (*SHAPE_KEYS, "unit", "judgement", "evidence", "source", "note")

#: What is said of a belief for which nobody speaks.
UNSOURCED = "it has no source, and does not say that it is a judgement (judgement=true)"

#: Longest statement that is written anew, in characters: tomlkit reads about 30,000 a second.
LONGEST_STATEMENT = 50_000


def read(content: object) -> dict[str, Any]:
    """Return a belief as a file has it in its long form, without what it says per fact."""
    content = spelt_out(content)
    assert isinstance(content, Mapping)
    return {k: v for k, v in content.items() if not (isinstance(v, Mapping) or k in FACT_OF)}


def shapes(key: str) -> bool:
    """Whether a key of a belief says what shape it has."""
    return key in SHAPE_KEYS or PERCENTILE.fullmatch(key) is not None


def revise(old: Mapping[str, Any], stated: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a belief with what is stated put in, and remarks on what that took away.

    Percentiles or a value replace the old ones whole; a distribution and bounds stay beside new
    percentiles. Changed numbers lose a source that was not given with them, since it no longer
    supports them, and are conditioned on no evidence unless that is stated too.

    Parameters
    ----------
    old : mapping
        The belief's table, empty where there is none.
    stated : mapping
        The keys to set.
    """
    new = dict(old)
    numbers = [k for k in stated if PERCENTILE.fullmatch(k)]
    if numbers:
        for key in [k for k in new if PERCENTILE.fullmatch(k) or k in ("value", "weights", "parts")]:
            del new[key]
        if new.get("distribution") == "mixture":
            del new["distribution"]
    if "value" in stated or "parts" in stated:
        new = {k: v for k, v in new.items() if not shapes(k)}
    new.update(stated)
    # An empty text takes a key out: bounds= or note=.
    new = {k: v for k, v in new.items() if v != ""}
    changed = {k: v for k, v in new.items() if shapes(k) or k == "unit"} != {
        k: v for k, v in old.items() if shapes(k) or k == "unit"
    }
    remarks = []
    if changed and old:
        if "source" not in stated and new.pop("source", ""):
            remarks.append(
                'the source of the old numbers is not kept: give the new ones theirs with --source "…"'
            )
        if "evidence" not in stated and new.pop("evidence", ""):
            remarks.append(f"it is no longer conditioned on the evidence ({old['evidence']})")
        kept = [k for k in ("distribution", "bounds", "unit") if k in new and k not in stated]
        if kept:
            remarks.append("kept as it was: " + ", ".join(f"{k} = {literal(new[k])}" for k in kept))
    if "source" in stated and "judgement" not in stated:
        new.pop("judgement", None)
    if not (new.get("source") or new.get("judgement")):
        remarks.append(UNSOURCED)
    return new, remarks


def put(text: str, path: Way, new: Mapping[str, Any]) -> str:
    """Return TOML text with the belief at ``path`` replaced, and nothing else changed.

    Parameters
    ----------
    text : str
        Valid TOML.
    path : tuple of str
        Such as ("beliefs", "leak", "open").
    new : mapping
        The whole belief; keys whose value is unchanged keep their lines as they are.

    Raises
    ------
    BadInput
        Where the file's layout does not allow it.
    """
    changed = _put(text, path, new)
    if not _only(text, changed, path, new):
        raise BadInput(
            Problem("", ".".join(path), "cannot be changed in a file of this layout",
                    hint="write it as a table of its own, or use difprog priors edit")
        )  # fmt: skip
    return changed


def _put(text: str, path: Way, new: Mapping[str, Any]) -> str:
    parts = statements(text)
    for part in parts:
        if part.kind == "key" and part.path == path[: len(part.path)]:
            return _put_inline(text, part, path[len(part.path) :], new)
    own = [s for s in parts if s.kind == "key" and s.path[:-1] == path]
    arrays = [s for s in parts if s.kind == "array" and s.path[:-1] == path]
    headers = [s for s in parts if s.kind == "table" and s.path == path]
    if not (own or arrays or headers):
        return _append(text, parts, path, new)
    cuts: list[tuple[int, int, str]] = []
    line = "\r\n" if "\r\n" in text else "\n"
    same_parts = bool(arrays) and _same(new.get("parts"), _at(tomllib.loads(text), path).get("parts"))
    for array in {s.path for s in arrays if not same_parts}:
        within = [s for s in parts if s.kind != "blank" and s.path[: len(array)] == array]
        cuts.extend((s.start, s.end, "") for s in within)
    prefix, have = "", {s.path[-1]: s for s in own}
    if own:
        key = text[own[0].start : own[0].end].partition("=")[0]
        dotted = depth(text[own[0].start : own[0].end]) > 1
        prefix = f"{key.rpartition('.')[0]}." if dotted else key[: len(key) - len(key.lstrip())]
    removed = [s for key, s in have.items() if key not in new]
    cuts.extend((s.start, s.end, "") for s in removed)
    for key, s in have.items():
        if key in new and not _same(new[key], s.value):
            cuts.append((s.start, s.end, set_value(text[s.start : s.end], new[key])))
    missing = sorted((k for k in new if k not in have and not (k == "parts" and same_parts)), key=_rank)
    shaped = [k for k in missing if shapes(k)]
    rest = [k for k in missing if not shapes(k)]
    gone = [s for s in removed if shapes(s.path[-1])]
    last = max([*own, *headers], key=lambda s: s.end, default=None) or arrays[0]
    first = gone[0].start if gone else None
    if first is None:
        kept = [s for s in own if shapes(s.path[-1])]
        first = kept[-1].end if kept else headers[0].end if headers else last.end
    places = [(first, shaped), (last.end, rest)] if first != last.end else [(first, missing)]
    for at, keys in places:
        lines = "".join(f"{prefix}{spell_key(k)} = {literal(new[k])}{line}" for k in keys)
        if lines and at and text[at - 1] != "\n":
            lines = line + lines
        cuts.append((at, at, lines))
    if arrays and not (own or headers):
        cuts.append((arrays[0].start, arrays[0].start, f"[{'.'.join(map(spell_key, path))}]{line}"))
    return _spliced(text, cuts)


def take_out(text: str, path: Way) -> str:
    """Return TOML text without the belief at ``path``, and nothing else changed.

    Parameters
    ----------
    text : str
        Valid TOML.
    path : tuple of str
        Such as ("beliefs", "leak", "open"); without a fact, the beliefs per value of a fact go too.

    Raises
    ------
    BadInput
        Where it is not stated, or the file's layout does not allow it.
    """
    before, name = tomllib.loads(text), ".".join(path[1:])
    table = _at(before, path[:-1])
    if not isinstance(table, dict) or path[-1] not in table:
        raise BadInput(Problem("", name, "is not stated here"))
    parts = statements(text)
    cuts = [(s.start, s.end, "") for s in parts if s.kind != "blank" and s.path[: len(path)] == path]
    for part in parts:
        if part.kind == "key" and len(part.path) < len(path) and part.path == path[: len(part.path)]:
            inner = _without(part.value, path[len(part.path) :])
            cuts.append((part.start, part.end, set_value(text[part.start : part.end], inner)))
    changed = _spliced(text, cuts)
    after = tomllib.loads(changed)
    wanted = _without(before, path)
    if repr(_pruned(after)) != repr(_pruned(wanted)):
        hint = "use difprog priors edit"
        raise BadInput(Problem("", name, "cannot be taken out of a file of this layout", hint=hint))
    return changed


def _without(content: Any, path: Way) -> Any:
    if len(path) == 1:
        return {k: v for k, v in content.items() if k != path[0]}
    return {k: _without(v, path[1:]) if k == path[0] else v for k, v in content.items()}


def _pruned(content: Any) -> Any:
    """Return tables without empty ones: [beliefs.leak] may go with the last of its beliefs."""
    if not isinstance(content, dict):
        return content
    inner = {k: _pruned(v) for k, v in content.items()}
    return {k: v for k, v in inner.items() if v != {}}


def _spliced(text: str, cuts: list[tuple[int, int, str]]) -> str:
    out, at = [], 0
    for start, end, piece in sorted(cuts, key=lambda c: c[:2]):
        out += [text[at:start], piece]
        at = max(at, end)
    return "".join([*out, text[at:]])


def _same(first: object, second: object) -> bool:
    return first == second and isinstance(first, bool) == isinstance(second, bool)


def _rank(key: str) -> tuple[int, float]:
    match = PERCENTILE.fullmatch(key)
    if match:
        return -1, float(f"{match[1]}.{match[2] or 0}")
    return (KEY_ORDER.index(key) if key in KEY_ORDER else len(KEY_ORDER)), 0.0


def _put_inline(text: str, part: Statement, inner: Way, new: Mapping[str, Any]) -> str:
    """Change a belief that is written within one statement."""
    if part.end - part.start > LONGEST_STATEMENT:
        raise BadInput(Problem("", ".".join(part.path), "is too long a statement to be changed"))
    value: Any = dict(sorted(new.items(), key=lambda item: _rank(item[0])))
    if inner:
        whole = dict(part.value) if isinstance(part.value, Mapping) else read(part.value)
        at = whole
        for key in inner[:-1]:
            at[key] = dict(at[key]) if isinstance(at.get(key), Mapping) else {}
            at = at[key]
        nested = at.get(inner[-1])
        keep = {k: v for k, v in nested.items() if k in FACT_OF} if isinstance(nested, Mapping) else {}
        at[inner[-1]] = {**value, **keep}
        value = whole
    elif isinstance(part.value, Mapping):
        value |= {k: v for k, v in part.value.items() if k in FACT_OF}
    elif list(value) == ["value"]:
        value = value["value"]
    return _spliced(text, [(part.start, part.end, set_value(text[part.start : part.end], value))])


def _append(text: str, parts: list[Statement], path: Way, new: Mapping[str, Any]) -> str:
    """Add a belief that a file does not have, after the last of its kind."""
    line = "\r\n" if "\r\n" in text else "\n"
    ordered = dict(sorted(new.items(), key=lambda item: _rank(item[0])))
    near = next(
        (
            found
            for n in range(len(path) - 1, 0, -1)
            if (found := [s for s in parts if s.kind != "blank" and s.path[:n] == path[:n]])
        ),
        parts[-1:],
    )
    at = near[-1].end if near else 0
    before = line if at and text[at - 1] != "\n" else ""
    if path[0] in ("beliefs", "outcomes"):
        body = "".join(f"{spell_key(k)} = {literal(v)}{line}" for k, v in ordered.items())
        header = f"[{'.'.join(map(spell_key, path))}]{line}"
        candidate = _spliced(text, [(at, at, f"{before}{line if at else ''}{header}{body}")])
        if _only(text, candidate, path, new):
            return candidate
    value: Any = ordered["value"] if list(ordered) == ["value"] else ordered
    for known in range(len(path)):
        # A key of the table that the last such statement stands in.
        piece = f"{before}{'.'.join(map(spell_key, path[known:]))} = {literal(value)}{line}"
        candidate = _spliced(text, [(at, at, piece)])
        if _only(text, candidate, path, new):
            return candidate
    raise BadInput(Problem("", ".".join(path), "cannot be added to a file of this layout"))


def _only(old: str, new: str, path: Way, belief: Mapping[str, Any]) -> bool:
    """Whether nothing but the belief at ``path`` differs between two TOML texts."""
    try:
        before, after = tomllib.loads(old), tomllib.loads(new)
    except tomllib.TOMLDecodeError:
        return False
    written = read(_at(after, path))
    if written != dict(belief) and repr(sorted(written.items())) != repr(sorted(belief.items())):
        return False  # compared as text too: a NaN is to reach the loader, which says what is wrong
    for content in (before, after):
        inner: Any = content
        for key in path[:-1]:
            if not isinstance(inner.get(key), dict):
                inner[key] = {} if key not in inner else read(inner[key])
            inner = inner[key]
        cases = inner.get(path[-1])
        inner[path[-1]] = {k: v for k, v in cases.items() if k in FACT_OF} if isinstance(cases, dict) else {}
    return repr(before) == repr(after) or before == after


def _at(content: Any, path: Way) -> Any:
    for key in path:
        content = content.get(key, {}) if isinstance(content, dict) else {}
    return content


def rewrite(
    path: Path,
    change: Callable[[str], str],
    validate: Callable[[str], None],
    create: Callable[[], str] | None = None,
) -> tuple[str, str]:
    """Change a file under a lock, and replace it only by what validates.

    Parameters
    ----------
    path : Path
        The file.
    change : callable
        From its text to the new text.
    validate : callable
        Raises `BadInput` where the new text must not be written.
    create : callable, optional
        The text to start from where there is no file yet.

    Returns
    -------
    tuple of str
        The text before and after.
    """
    with locks.locked(path):
        if create is not None and not path.exists():
            old, mark = create(), ""
        else:
            old, mark = text_of(path)
        new = change(old)
        validate(new)
        if new != old or not path.exists():
            writing.write_atomically(path, mark + new)
    return old, new


def text_of(path: Path) -> tuple[str, str]:
    """Return a file's text, with its line ends as they are, and its byte order mark if any."""
    text, _ = files.read_text(path)
    files.parse_toml(text, str(path))
    return text, "\ufeff" if files.read_bytes(path, 1 << 22).startswith(b"\xef\xbb\xbf") else ""
