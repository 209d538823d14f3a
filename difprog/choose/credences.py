"""The credences in models over which a choice stays the best."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from difprog.choose.programme import TIE, Limits, best, linear
from difprog.choose.rows import Rows, Set, total
from difprog.choose.rules import EXACT, LOOSE, choose


class Span(NamedTuple):
    """Credences of one model, the others' in proportion, over which the choice is the best."""

    model: int
    low: float
    credence: float
    high: float


def credence_spans(
    rows: Rows, budget: float, max_harm: float | None = None, chosen: Set | None = None
) -> list[Span]:
    """Return per model the credences in it over which the set expected to be best stays so.

    The others' credences keep their proportions. The best value is the largest of straight lines
    in the credence, one per set, so the set's own line is on top over one interval: from a better
    set at the far end, to where the two cross, until nothing is better there.

    Parameters
    ----------
    rows, budget, max_harm
        As in `difprog.choose.rules.choose`.
    chosen : tuple of int, optional
        The set expected to be best, where it is known.
    """
    chosen = choose(rows, budget, "expected", max_harm).rows if chosen is None else chosen
    slack = TIE * rows.size
    limits = Limits(rows, budget, max_harm)
    spans = []
    for model, credence in enumerate(rows.credences.tolist()):
        rest = np.delete(rows.credences, model)
        if len(rest) == 0:
            spans.append(Span(model, 1.0, 1.0, 1.0))
            continue
        weights = rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1 / len(rest))
        lines = np.stack([weights @ np.delete(rows.effects, model, axis=0), rows.effects[model]])
        ends = []
        for far in (0.0, 1.0):
            at = far
            while True:
                goal = linear((1 - at) * lines[0] + at * lines[1])
                # Any better set will do to come nearer; only that there is none needs the best.
                gap = [0.0, 0.0]
                for within in (0.0,) if len(rows.cost) <= EXACT else (LOOSE, 0.0):
                    other = best(limits, goal, gap=within)
                    gap = [total(line, other) - total(line, chosen) for line in lines]
                    if (1 - at) * gap[0] + at * gap[1] > slack:
                        break
                if (1 - at) * gap[0] + at * gap[1] <= slack or gap[0] == gap[1]:
                    break
                cross = gap[0] / (gap[0] - gap[1])
                nearer = min(max(cross, min(far, credence)), max(far, credence))
                if nearer == at:
                    break
                at = nearer
            ends.append(at)
        spans.append(Span(model, ends[0], credence, ends[1]))
    return spans
