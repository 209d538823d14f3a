"""TOML text cut into its statements, each of which is TOML of its own. Reads and writes nothing."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Way = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a TOML text.

    Attributes
    ----------
    start, end : int
        Its characters, the line end included.
    kind : {"blank", "table", "array", "key"}
        Blank lines and comments; ``[header]``; ``[[header]]``; ``key = value``.
    path : tuple of str
        Of the table or of the key, from the root of the file.
    value : object
        What a key is set to.
    """

    start: int
    end: int
    kind: str
    path: Way
    value: Any = None


#: What a line holds that ends a statement which began on an earlier one.
_CLOSES = re.compile(r"""\"\"\"|\'\'\'|[\]}]""")


def statements(text: str) -> list[Statement]:
    """Cut valid TOML into its statements.

    A statement ends with the first line up to which it can be read by itself: strings and
    arrays over several lines cannot be before they are closed.
    """
    found: list[Statement] = []
    table: Way = ()
    start, piece = 0, ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        first, piece = not piece, piece + line
        if not (first or _CLOSES.search(line)):
            continue  # cannot end here: a long text is not to be tried at each of its lines
        try:
            content = tomllib.loads(piece)
        except tomllib.TOMLDecodeError:
            continue
        end = start + len(piece)
        if not content:
            found.append(Statement(start, end, "blank", table))
        elif piece.lstrip().startswith("["):
            table = tuple(_way(content, header=True))
            kind = "array" if piece.lstrip().startswith("[[") else "table"
            found.append(Statement(start, end, kind, table))
        else:
            inner = tuple(_way(content, header=False, keys=depth(piece)))
            value = content
            for key in inner:
                value = value[key]
            found.append(Statement(start, end, "key", (*table, *inner), value))
        start, piece = end, ""
    if piece:
        raise ValueError("not valid TOML")
    return found


def _way(content: Any, header: bool, keys: int = 0) -> Iterator[str]:
    """Yield the keys down to what a statement sets: to the end of a header, else ``keys`` many."""
    while content if header else keys:
        if isinstance(content, list):
            content = content[0]
            continue
        (key,) = content
        yield key
        content, keys = content[key], keys - 1


def depth(piece: str) -> int:
    """Return how many keys stand before the equals sign of ``a."b.c".d = 1``."""
    key = r"""[ \t]*(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*"""
    match = re.match(rf"({key})((?:\.{key})*)=", piece)
    assert match is not None
    return 1 + len(re.findall(rf"\.{key}", match[2]))


def literal(value: object) -> str:
    """Return a value as TOML on one line."""
    import tomlkit

    if isinstance(value, float) and math.isfinite(value):
        if value != 0 and not 1e-4 <= abs(value) < 1e7:
            mantissa, exponent = f"{value:.16e}".split("e")
            spelt = [f"{float(mantissa):.{n}g}e{int(exponent)}" for n in (4, 15)]
            return next((text for text in spelt if float(text) == value), repr(value))
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{spell_key(k)} = {literal(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(v) for v in value) + "]"
    return tomlkit.item(value).as_string()


def spell_key(name: str) -> str:
    """Return a key as TOML, quoted where it has to be."""
    import tomlkit

    return tomlkit.key(name).as_string()


def set_value(piece: str, value: object) -> str:
    """Return a ``key = value`` statement with another value; key and comment stay as they are."""
    import tomlkit

    end = "\r\n" if piece.endswith("\r\n") else "\n" if piece.endswith("\n") else ""
    document = tomlkit.parse(piece)
    inner: Any = document
    for _ in range(depth(piece) - 1):
        (key,) = inner
        inner = inner[key]
    (key,) = inner
    inner[key] = tomlkit.value(literal(value))
    return document.as_string().rstrip("\r\n") + end
