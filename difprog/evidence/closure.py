"""The modules of this package that a module rests on, by the imports in their syntax trees.

Nothing is imported to find out, and imports inside functions count too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

PACKAGE = "difprog"
ROOT = Path(__file__).resolve().parent.parent


def paths(names: Iterable[str]) -> list[Path]:
    """Return the files of modules and of all they import within the package, sorted.

    Parameters
    ----------
    names : iterable of str
        Dotted names, such as "difprog.evidence.fit".
    """
    found: set[Path] = set()
    waiting = [path for name in names if (path := path_of(name)) is not None]
    while waiting:
        path = waiting.pop()
        if path not in found:
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


@lru_cache(maxsize=256)
def _imported(path: Path, _modified: int, _size: int) -> tuple[Path, ...]:
    names = _names(ast.parse(path.read_bytes()))
    return tuple(found for name in names if (found := path_of(name)) is not None)


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a syntax tree imports: modules, or packages something is taken from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if path_of(inner) is not None else node.module
