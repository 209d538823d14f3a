"""Safe pieces of GitHub-flavoured markdown. The one place where text becomes markup.

Whatever a file says (names, notes, sources) comes out as the characters it is made of: it makes
no link, no HTML, no emphasis, no mention, and never leaves its cell, line or folder.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from difprog.base.errors import plain

#: Everything that means something to GitHub-flavoured markdown inside a line, and ":" and "."
#: where bare addresses would become links or emoji.
_SPECIAL = re.compile(r"[\\`*_\[\]<>&!|~#$]|:(?=\S)")
_ADDRESS = re.compile(r"(?i)\bwww\.")
_LEADING = re.compile(r"^([-+=>]|\d+(?=[.)]))")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CODE = re.compile(r"[A-Za-z0-9_.+ ~/-]+")

#: Names that some file systems keep for themselves.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)")

#: Longest slug, in characters.
SLUG_LIMIT = 60


def escape(text: object, limit: int | None = None) -> str:
    """Return one line of markdown that shows a text and does nothing else.

    Parameters
    ----------
    text : object
        Anything; line breaks become spaces, control characters "?".
    limit : int, optional
        Longest text, before escaping.
    """
    line = plain(text, limit)
    # A bare e-mail address becomes a link however it is escaped.
    line = line.replace("@", "(at)")
    line = _SPECIAL.sub(_reference, line)
    line = _ADDRESS.sub(lambda m: m[0][:-1] + "\\.", line)
    return _LEADING.sub(lambda m: m[1] + "\\" if m[1].isdigit() else "\\" + m[1], line)


def _reference(match: re.Match[str]) -> str:
    """Escape one character: by reference where a backslash is itself at risk in a table."""
    return {"|": "&#124;", "\\": "&#92;"}.get(match[0], "\\" + match[0])


def name(text: object) -> str:
    """Return an identifier (a belief, a model) as code, any other words escaped."""
    line = plain(text)
    return f"`{line}`" if _NAME.fullmatch(line) else escape(line)


def code(text: object) -> str:
    """Return a name or a path as code where it is made of plain characters, else escaped."""
    line = plain(text)
    return f"`{line}`" if _CODE.fullmatch(line) and line.strip() == line else escape(line)


def fence(lines: Iterable[str], language: str = "") -> str:
    """Return a code block that nothing inside it can end."""
    body = [plain(line) for line in lines]
    longest = max((len(run) for line in body for run in re.findall(r"`+", line)), default=0)
    marks = "`" * max(3, longest + 1)
    return "\n".join([f"{marks}{language}", *body, marks])


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Return a table of cells that are markdown already.

    Parameters
    ----------
    heads : sequence of str
        Titles of the columns.
    rows : iterable of sequences of str
        As many cells as there are heads.
    right : iterable of int
        Columns that hold numbers.
    """
    numbers = set(right)
    lines = [
        "| " + " | ".join(heads) + " |",
        "|" + "|".join(" ---: " if i in numbers else " --- " for i in range(len(heads))) + "|",
    ]
    lines += ["| " + " | ".join(cell or " " for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def bullets(lines: Iterable[str]) -> str:
    """Return a list of lines that are markdown already."""
    return "\n".join(f"- {line}" for line in lines)


def image(alternative: str, path: str) -> str:
    """Return an image by a relative path, which must be a slug's."""
    return f"![{escape(alternative)}]({path})"


def slug(name: object) -> str:
    """Return a file name made from a text: lower-case letters, digits and hyphens only."""
    text = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode().lower()
    text = re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:SLUG_LIMIT].strip("-")
    if not text or _RESERVED.fullmatch(text):
        digest = hashlib.sha256(str(name).encode("utf-8", "replace")).hexdigest()[:8]
        text = f"project-{text}-{digest}" if text else f"project-{digest}"
    return text
