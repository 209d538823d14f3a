"""What scoring uses in place of a belief that is conditioned on evidence: the kept posterior's percentiles.

Reads kept fits and makes none: where there is none for the beliefs as they stand, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from difprog.beliefs.beliefs import Belief, Layer, Stack
from difprog.beliefs.distributions import Point
from difprog.library.shelf import Entry


def used_percentiles(name: str, stack: Stack, levels: Sequence[float]) -> dict[float, float] | None:
    """Return the percentiles of a belief after conditioning.

    Parameters
    ----------
    name : str
        The belief.
    stack : Stack
        The layers in force.
    levels : sequence of float
        In (0, 1).

    Returns
    -------
    dict of float to float or None
        Level → value in the parameter's unit; None where the belief is used as it is stated, or
        no fit is kept for it.
    """
    belief = stack.lookup(name, {})
    if belief is None or not belief.evidence or isinstance(belief.shape, Point):
        return None
    import numpy as np
    from scipy import special

    from difprog.evidence import DATASETS, keys, likelihood, store
    from difprog.evidence.fit import Settings

    if belief.evidence not in DATASETS or name not in likelihood(belief.evidence).BELIEFS:
        return None
    stated = {n: stack.lookup(n, {}) for n in likelihood(belief.evidence).BELIEFS}
    shapes = {n: b.shape for n, b in stated.items() if b is not None}
    if len(shapes) < len(stated):
        return None
    kept = store.find(belief.evidence, keys.key(belief.evidence, shapes, stack.as_of, Settings()))
    if kept is None or name not in kept:
        return None
    # Every kept draw once, each with a score of an even grid, in an order that has nothing to do with it.
    order = np.random.default_rng(0).permutation(kept.size)
    drawn = kept.sample(name, np.arange(kept.size), special.ndtri((order + 0.5) / kept.size))
    return dict(zip(levels, map(float, np.quantile(drawn, levels)), strict=True))


def used(entries: Sequence[Entry], stack: Stack, levels: Sequence[float]) -> dict[str, dict[float, float]]:
    """Return what scoring uses in place of each prior that is conditioned, by the belief's name."""
    found = {
        e.name: used_percentiles(e.name, stack, levels) for e in entries if e.belief.evidence and not e.case
    }
    return {name: values for name, values in found.items() if values is not None}


def used_if(belief: Belief | None, stack: Stack, levels: Sequence[float]) -> dict[float, float] | None:
    """Return what scoring would use if a belief held in place of the stack's; None as above."""
    if belief is None or not belief.evidence:
        return None
    over = Layer(stack.layers[-1].source, {belief.name: {"": belief}})
    return used_percentiles(belief.name, Stack((*stack.layers, over)), levels)
