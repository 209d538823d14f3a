"""The beliefs in which two files differ, or one from what ships."""

from __future__ import annotations

from difprog.base import files
from difprog.base.errors import BadInput, Problem
from difprog.beliefs.standing import user_file
from difprog.library.shelf import Entry, Shelf, is_shipped, locate

Pairs = list[tuple[Entry | None, Entry | None]]


def compared(first: str, second: str | None, shelf: Shelf) -> tuple[Pairs, tuple[str, str]]:
    """Return the beliefs in which two files differ, or one from what ships; and the two names.

    Against what ships only what the first states is compared.

    Raises
    ------
    BadInput
        Where a file is missing or wrong, or the user has none of that name.
    """
    if second is None:
        path = user_file(first) if not files.is_path(first) and user_file(first).is_file() else locate(first)
        if is_shipped(path):
            hint = f"make one with: difprog priors set {first} …"
            raise BadInput(Problem(first, "", "you have no layer of your own over it", hint=hint))
        one = shelf.entries(str(path))
        two = shelf.in_force(shelf.read(p) for p in shelf.standing() if is_shipped(p) and p.stem != "credences")
        two = [e for e in two if any(e.parameter.name == o.parameter.name for o in one)]
        names = (files.label(path), "as it ships")
    else:
        one, two = shelf.entries(first), shelf.entries(second)
        names = (first, second)
    left, right = ({(e.parameter.name, e.case): e for e in side} for side in (one, two))
    pairs: Pairs = []
    for key in dict.fromkeys([*left, *right]):
        a, b = left.get(key), right.get(key)
        if second is None and a is None:
            continue
        if a is None or b is None or a.belief.shape != b.belief.shape or a.belief.source != b.belief.source:
            pairs.append((a, b))
    return pairs, names
