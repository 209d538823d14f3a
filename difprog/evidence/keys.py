"""What names a posterior: a hash of everything that it depends on.

That is its priors, data, settings and versions, and the code of every module that the likelihood and the
sampling import, directly or through others (`closure`), without its comments; the date is an ingredient
only of a likelihood that rests on it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from importlib import metadata
from typing import Any, NamedTuple

from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.evidence import closure, likelihood, tables
from difprog.evidence.fit import Settings

#: Libraries whose version a fit depends on.
LIBRARIES = ("pymc", "pytensor", "numpy", "scipy")


@lru_cache
def version(library: str) -> str:
    """Return the version of a library."""
    return metadata.version(library)


class Key(NamedTuple):
    """Hashes that name a result: of all but versions, and of all."""

    content: str
    full: str


def key(name: str, shapes: Mapping[str, Shape], as_of: date, settings: Settings) -> Key:
    """Return the hashes of what a fit depends on.

    Parameters
    ----------
    name : str
        The dataset.
    shapes : mapping of str to Shape
        Its beliefs as stated.
    as_of : date
        The date from which years are counted; counts only where the likelihood is dated.
    settings : Settings
        Draws, chains and seed.
    """
    module = likelihood(name)
    stated = {belief: _shape(shapes[belief]) for belief in module.BELIEFS}
    texts = [name, json.dumps(stated), as_of.isoformat() if module.DATED else "", repr(settings)]
    return _key([*(t.encode() for t in texts), tables.content(name), *_code(name)])


def _code(name: str) -> list[bytes]:
    """Return the code of every module that a fit rests on."""
    return [
        closure.code(path) for path in closure.paths((f"difprog.evidence.{name}", "difprog.evidence.fit"))
    ]


def _key(parts: Sequence[bytes]) -> Key:
    content = hashed(parts)
    return Key(content, hashed([content.encode(), *(f"{n} {version(n)}".encode() for n in LIBRARIES)]))


def hashed(parts: Sequence[bytes]) -> str:
    """Return one hash of several stretches of bytes, each of its own length."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _shape(shape: Shape) -> Any:
    """Return a belief's shape as JSON; parameters to nine digits, as fits differ in the last bits."""
    if isinstance(shape, Point):
        return ["point", f"{shape.value:.9g}"]
    if isinstance(shape, Mixture):
        return [[f"{w:.9g}", _shape(p)] for w, p in zip(shape.weights, shape.parts, strict=True)]
    assert isinstance(shape, Distribution)
    cuts = (shape.lower, shape.upper) if shape.truncated else (-math.inf, math.inf)
    return [shape.family.name, *(f"{v:.9g}" for v in (*shape.parameters, *cuts)), shape.integer]
