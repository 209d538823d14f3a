"""Draws of beliefs that were conditioned on evidence, in the form in which scoring uses them.

Knows nothing of how they were fitted (`difprog.evidence`) or kept; imports neither pymc nor
arviz, so that scoring a project against a kept result stays quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.beliefs import elementwise as ew

Array = npt.NDArray[np.float64]


class Predictive(NamedTuple):
    """A belief whose value is drawn anew for each posterior draw of its distribution.

    The value is exp(location + scale·z) − shift, given that it is positive.
    """

    location: Array
    """Shape (kept,), log years."""
    scale: Array
    """Shape (kept,), log standard deviation."""
    shift: float
    """Years between the date the distribution speaks from and ``as_of``."""

    def sample(self, index: Any, z: Any) -> Any:
        """Return values for posterior draws ``index`` at the scores ``z``; arrays or variables."""
        location, scale = ew.take(self.location, index), ew.take(self.scale, index)
        if self.shift > 0:
            # By upper tails: exact even where nearly all of the distribution lies in the past.
            to_come = ew.ndtr((location - np.log(self.shift)) / scale)
            z = -ew.ndtri(to_come * ew.ndtr(-z))
        return ew.maximum(ew.exp(location + scale * z) - self.shift, np.finfo(float).tiny)


@dataclass(frozen=True)
class Posterior:
    """What conditioning on evidence left.

    Attributes
    ----------
    draws : dict of str to array
        Belief → kept draws, shape (kept,), all of the same joint draws.
    predictive : dict of str to Predictive
        Beliefs drawn anew for each posterior draw.
    datasets : dict of str to str
        Belief → the dataset it was conditioned on.
    diagnostics : dict
        What `difprog evidence fit` found, in plain numbers.
    key : str
        Hash of priors, data, code and versions.
    """

    draws: Mapping[str, Array]
    predictive: Mapping[str, Predictive] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    def __contains__(self, name: str) -> bool:
        return name in self.draws or name in self.predictive

    @property
    def size(self) -> int:
        """Number of joint draws that were kept."""
        arrays = [*self.draws.values(), *(p.location for p in self.predictive.values())]
        return len(arrays[0])

    def sample(self, name: str, index: Any, z: Any) -> Any:
        """Return draws of one belief: the kept ones, or fresh ones of its kept distribution."""
        if name in self.predictive:
            return self.predictive[name].sample(index, z)
        return ew.take(self.draws[name], index)
