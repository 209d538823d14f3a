"""The printed Monte Carlo error is the spread that other seeds show."""

from __future__ import annotations

import numpy as np
import pytest

from difprog.forecast import forecast
from difprog.forecast.kept import Kept
from tests.helpers import project, setup

#: Proposals whose errors were once too small by a factor of two to five, and how many seeds to look at.
PROJECTS = ("adversarial-robustness", "rlhf", "capability-work-now", "scaling")
SEEDS = 60

#: Where the first sixty seeds show more spread than 1.25 printed errors, as measured. That is the luck of
#: sixty seeds, not an error that is too small: bootstrapped, the ratio of sixty has a standard error of 0.10
#: to 0.14 here, and over 400 seeds it is 1.08 ± 0.04 and 1.16 ± 0.05 (over the 340 others alone 1.04 and
#: 1.14). What is left above 1 is that tails this heavy (k̂ about one half) make the printed error itself
#: skewed, its median 5 and 9% below its root mean square. Against the latter, which is what has to equal
#: the spread, the ratio is 1.03 ± 0.04 and 1.06 ± 0.04: draws are independent, so its square is unbiased.
#: Correcting the error by the generalised Pareto distribution fitted to the tail was tried: it is no better
#: here. What did best on 14 distributions of known variance, at 4,000 and 20,000 draws (the factor by which
#: the fit, its index at most 0.46, changes the sum of squares, to the power 0.6), brought the worst ratio
#: there from 1.48 to 1.23; on 11 others only from 1.33 to 0.81. Tails of one k̂ differ in how much variance
#: lies beyond the draws: in products of lognormals, which the race makes, it is less than the fit says. Over
#: seeds 60 to 399 of adversarial-robustness the six readings' 1.04 to 1.16 become 0.82 to 0.97, and an error
#: whose root mean square is 0.96 to 1.02 of the spread becomes one of 1.07 to 1.21. So it stays plain.
WIDER = {
    ("adversarial-robustness", "serial_parallel"): 1.26,
    ("adversarial-robustness", "narrow_superhuman"): 1.31,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROJECTS)
def test_over_sixty_seeds_the_mean_spreads_by_its_printed_error(name: str) -> None:
    """In every reading whose tail lets a mean have an error: Pareto k̂ of at most 0.7."""
    asked = project(name)
    found = [forecast.score(asked, setup(), 20_000, seed, kept=Kept()).models for seed in range(SEEDS)]
    looked_at = 0
    for reading in range(len(found[0])):
        answers = [models[reading] for models in found]
        khat = np.median([a.weighing.tail(a.drawn("net_effect")) or 0.0 for a in answers[:10]])
        if khat > 0.7:
            continue
        looked_at += 1
        spread = np.std([a.net.mean for a in answers], ddof=1)
        ratio = spread / np.median([a.net.mcse for a in answers])
        most = WIDER.get((name, answers[0].model.name), 1.25 - 0.01) + 0.01
        assert 0.8 <= ratio <= most, (answers[0].model.name, ratio, khat)
    assert looked_at >= 3
