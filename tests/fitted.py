"""Posteriors for tests: what they are asked for by, and one that nobody fitted."""

from __future__ import annotations

from datetime import date

import numpy as np

from difprog.beliefs.distributions import Shape
from difprog.evidence import keys, likelihood
from difprog.evidence.fit import Settings
from difprog.evidence.posterior import Posterior
from difprog.library import overview

AS_OF = date(2026, 11, 20)


def shapes_of(name: str) -> dict[str, Shape]:
    return {n: b.shape for n, b in overview.stated(name, overview.stack(())).items()}


def key_of(name: str, **changes: object) -> keys.Key:
    ingredients = {"shapes": shapes_of(name), "as_of": AS_OF, "settings": Settings(), **changes}
    return keys.key(name, **ingredients)


def small(name: str = "headcounts", size: int = 400) -> Posterior:
    rng = np.random.default_rng(1)
    draws = {b: rng.normal(size=size).astype(np.float32).astype(float) for b in likelihood(name).BELIEFS}
    notes = {"dataset": name, "failures": [], "settings": {"chains": 4}}
    return Posterior(draws, {}, dict.fromkeys(draws, name), notes, "k")
