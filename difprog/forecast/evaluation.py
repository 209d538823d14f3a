"""The compiled race on draws of beliefs, in blocks: for any effects, any readings.

Draws nothing and reads no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem, plain
from difprog.forecast import compiled
from difprog.forecast.graph import Graph, effect_names, fact_values, parts_of, readers
from difprog.forecast.kept import Kept
from difprog.forecast.question import Question

Array = npt.NDArray[np.float64]

#: How far beyond [0, 1] rounding may carry a probability.
ROUNDING = 1e-12


def given_of(question: Question, values: Mapping[str, Any], count: int) -> list[dict[str, Array]]:
    """Return, per group of readings that share their maths, what its compiled functions take."""
    facts = {f"fact {name}": np.asarray(value) for name, value in fact_values(question).items()}
    found = []
    for rows in parts_of(question):
        given: dict[str, Array] = dict(facts)
        certain = question.certain or (False,) * len(question.views)
        given["fact certain"] = np.array([[float(certain[row])] for row in rows])
        for name in question.names:
            reads = readers(question, name, rows)
            if not any(reads):
                continue
            value = np.asarray(values[name], dtype=float)
            alike = np.broadcast_to(value, (count,))[None, :] if value.ndim < 2 else value
            given[name] = alike[stretch(rows)] if question.varies(name) else alike
            given[f"reads {name}"] = np.array(reads)[:, None]
        found.append(given)
    return found


def stretch(rows: Sequence[int]) -> Any:
    """Return an index of rows that copies nothing where they follow one another."""
    rows = list(rows)
    follow = rows == list(range(rows[0], rows[-1] + 1))
    return slice(rows[0], rows[-1] + 1) if follow else rows


def cut(given: Mapping[str, Array], where: slice) -> dict[str, Array]:
    """Return some of the draws of what compiled functions take."""
    return {n: v if " " in n else v[:, where] for n, v in given.items()}


def chosen(given: Mapping[str, Array], rows: Any) -> dict[str, Array]:
    """Return some of the readings of what compiled functions take."""
    return {
        n: v if v.ndim < 2 or (" " not in n and len(v) == 1) else v[rows] for n, v in given.items()
    }


def blocks(count: int, rows: int, numbers: int | None = None) -> Iterator[slice]:
    """Yield the stretches of draws that are evaluated at a time, of so many readings: so many numbers."""
    size = max((numbers or compiled.BLOCK) // rows, 1)
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


class Race:
    """The compiled race of a question on draws of its beliefs, for any effects and readings.

    Parameters
    ----------
    question : Question
        What is asked.
    values : dict of str to array or float
        Draws of its beliefs.
    count : int
        Number of draws.
    graph : callable, optional
        Gives the question's graph, where it is at hand already.
    """

    def __init__(
        self,
        question: Question,
        values: Mapping[str, Any],
        count: int,
        graph: Callable[[], Graph] | None = None,
    ) -> None:
        self.question, self.count = question, count
        self.parts = parts_of(question)
        self.maths = compiled.evaluators(question, graph)
        self.given = given_of(question, values, count)

    @property
    def branched(self) -> set[str]:
        """Effects that hang on the breakthrough."""
        return {name for functions in self.maths for name in functions.branched}

    def outcome(self) -> tuple[dict[str, Array], dict[str, Array], Array]:
        """Return the project's effects with and without its breakthrough, and the chance of it.

        Each array is of shape (reading, draw); an effect that does not hang on the breakthrough
        is the same array in both.
        """
        shape, branched = (len(self.question.views), self.count), self.branched
        chance = np.empty(shape)
        hit = {name: np.zeros(shape) for name in effect_names(self.question)}
        miss = {n: np.zeros(shape) if n in branched else v for n, v in hit.items()}
        for rows, functions, given in zip(self.parts, self.maths, self.given, strict=True):
            at = list(rows)
            with self.blame(rows):
                for where in blocks(self.count, len(rows)):
                    found = functions.derive(cut(given, where))
                    chance[at, where] = found.chance
                    for name, value in found.hit.items():
                        hit[name][at, where] = value
                        if name in branched:
                            miss[name][at, where] = found.miss[name]
        return hit, miss, chance

    def chance(self, effects: Mapping[str, Array], readings: Sequence[int] | None = None) -> Array:
        """Return p_success with effects.

        Parameters
        ----------
        effects : dict of str to array
            Effect → its value, shape (reading, draw); what is left out is 0.
        readings : sequence of int, optional
            Those asked for, in rising order; all by default.

        Returns
        -------
        array, shape (readings asked for, draw)
        """
        asked = list(range(len(self.question.views))) if readings is None else list(readings)
        found = np.empty((len(asked), self.count))
        for rows, functions, given in zip(self.parts, self.maths, self.given, strict=True):
            inside = [place for place, row in enumerate(rows) if row in asked]
            if not inside:
                continue
            here = given if len(inside) == len(rows) else chosen(given, inside)
            own = [rows[place] for place in inside]
            target = [asked.index(row) for row in own]
            with self.blame(rows):
                for where in blocks(self.count, len(own)):
                    some = {name: value[stretch(own), where] for name, value in effects.items()}
                    found[target, where] = functions.chance(cut(here, where), some)
        return found

    def without(self, kept: Kept | None = None) -> Array:
        """Return p_success without a project, shape (reading, draw); kept for the next project."""
        if len(self.parts) == 1:
            with self.blame(self.parts[0]):
                return _without(self.maths[0], self.given[0], self.count, kept)
        found = np.empty((len(self.question.views), self.count))
        for rows, functions, given in zip(self.parts, self.maths, self.given, strict=True):
            with self.blame(rows):
                found[list(rows)] = _without(functions, given, self.count, kept)
        return found

    @contextmanager
    def blame(self, rows: Sequence[int]) -> Iterator[None]:
        """Say of what goes wrong in a user's own maths that it is the file's fault."""
        model = self.question.views[rows[0]].model
        try:
            with np.errstate(all="ignore"):  # what is no number is found afterwards
                yield
        except Exception as error:
            if model.derive is None and model.success is None:
                raise
            what = f"cannot be evaluated: {type(error).__name__}: {plain(error, 200)}"
            raise BadInput(Problem(model.source.label, "", what)) from error


def _without(
    functions: compiled.Evaluator, given: Mapping[str, Array], count: int, kept: Kept | None
) -> Array:
    """Return p_success without a project, which many projects share."""
    if kept is None:
        return _without_anew(functions, given, count)
    read = [given[name] for name in functions.race_reads() if not name.startswith("effect ")]
    what = "without", functions, count, len(given["fact certain"])
    found: Array = kept.made_of(what, read, lambda: _without_anew(functions, given, count))
    return found


def _without_anew(functions: compiled.Evaluator, given: Mapping[str, Array], count: int) -> Array:
    rows = len(given["fact certain"])
    found = np.empty((rows, count))
    for where in blocks(count, rows):
        found[:, where] = functions.chance(cut(given, where), {})  # it may hang on nothing
    return found


def check(question: Question, chances: tuple[Array, ...]) -> None:
    """Refuse what is no probability."""
    for chance in chances:
        fine = ((chance >= -ROUNDING) & (chance <= 1 + ROUNDING)).all(axis=1)
        for view, good in zip(question.views, fine, strict=True):
            if good:
                continue
            model = view.model
            if model.derive is None and model.success is None:
                what = "go beyond the numbers that a machine holds: no probability comes of them"
                raise BadInput(Problem(model.name, "beliefs", what, hint="look for one that is huge or tiny"))
            raise BadInput(
                Problem(
                    model.source.label, "success", "returns something that is no probability",
                    hint="it must lie in [0, 1] for every draw",
                )
            )  # fmt: skip
