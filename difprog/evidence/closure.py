"""The modules of this package that a module rests on, by the imports in their syntax trees.

Nothing is imported to find out, and imports inside functions count too. The floor `difprog.base`
is left out: it reads files and reports errors, and what was read is told apart by its content.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

PACKAGE = "difprog"
ROOT = Path(__file__).resolve().parent.parent

#: Floors that no number rests on.
LEFT_OUT = (ROOT / "base",)


def paths(names: Iterable[str]) -> list[Path]:
    """Return the files of modules and of all they import within the package but for `LEFT_OUT`, sorted.

    Parameters
    ----------
    names : iterable of str
        Dotted names, such as "difprog.evidence.fit".
    """
    found: set[Path] = set()
    waiting = [path for name in names if (path := path_of(name)) is not None]
    while waiting:
        path = waiting.pop()
        if path not in found and path.parent not in LEFT_OUT:
            found.add(path)
            stat = path.stat()
            waiting += _imported(path, stat.st_mtime_ns, stat.st_size)
    return sorted(found)


def path_of(name: str) -> Path | None:
    """Return the file of a module or package of this package, None for what is neither."""
    top, *rest = name.split(".")
    if top != PACKAGE:
        return None
    base = ROOT.joinpath(*rest)
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def code(path: Path) -> bytes:
    """Return a module's source as far as it does anything: no comments, docstrings, nor blank lines."""
    return _code(path.read_bytes())


@lru_cache(maxsize=256)
def _code(source: bytes) -> bytes:
    text = source.decode().replace("\r\n", "\n")
    lines: list[str] = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in _told(source)[0]:
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        if not lines[first][: node.col_offset].strip():
            lines[first:last] = [""] * (last - first)
    return "\n".join(stripped for line in lines if (stripped := line.rstrip())).encode()


@lru_cache(maxsize=256)
def _imported(path: Path, _modified: int, _size: int) -> tuple[Path, ...]:
    names = _told(path.read_bytes())[1]
    return tuple(found for name in names if (found := path_of(name)) is not None)


@lru_cache(maxsize=256)
def _told(source: bytes) -> tuple[tuple[ast.Expr, ...], tuple[str, ...]]:
    """Return where texts stand alone, as docstrings do, and the dotted names that are imported.

    A name is that of a module, or of a package that something is taken from.
    """
    texts: list[ast.Expr] = []
    names: list[str] = []
    for node in _statements(source):
        if isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                texts.append(node)
        elif isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.append(inner if path_of(inner) is not None else node.module)
    return tuple(texts), tuple(names)


def _statements(source: bytes) -> Iterator[ast.AST]:
    """Yield every statement of a module, within others too: a tenth of its nodes, and enough."""
    waiting: list[ast.AST] = [ast.parse(source.replace(b"\r\n", b"\n"))]
    while waiting:
        node = waiting.pop()
        yield node
        for part in ("body", "orelse", "handlers", "finalbody", "cases"):
            within = getattr(node, part, ())
            waiting += within if isinstance(within, list) else ()  # the body of a lambda is no statement
