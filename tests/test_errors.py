"""The printed Monte Carlo error is the spread that other seeds show."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from difprog.forecast import forecast
from difprog.forecast.kept import Kept
from difprog.forecast.tails import KHAT_LIMIT, tail_index
from tests.helpers import project, setup

#: Proposals whose errors were once too small by a factor of two to five, and how many seeds tell whether
#: they are now. Where the tail is heavy (k̂ about one half) sixty do not: bootstrapped, their ratio has a
#: standard error of 0.10 to 0.14. Of the first six sixties of adversarial-robustness four have all six
#: readings between 0.8 and 1.25, the first (1.26 and 1.31) and the fifth (1.38 to 1.48) have not; over all
#: 400 the six are 1.07 to 1.16. It is the means of those sixties that lie apart, not their errors that are
#: poor: with the variance taken from four times as many worlds 1.26 and 1.31 become 1.24 and 1.26, and 1.38
#: to 1.48 become 1.31 to 1.44.
#:
#: What is left above 1 over many seeds is that such tails make the printed error itself skewed, its median
#: 5 to 15% below its root mean square. Against the latter, which is what has to equal the spread, the ratios
#: are 0.98 to 1.06, each ± 0.04: draws are independent, so its square is unbiased.
#: Correcting the error by the generalised Pareto distribution fitted to the tail was tried: it is no better
#: here. What did best on 14 distributions of known variance, at 4,000 and 20,000 draws (the factor by which
#: the fit, its index at most 0.46, changes the sum of squares, to the power 0.6), brought the worst ratio
#: there from 1.48 to 1.23; on 11 others only from 1.33 to 0.81. Tails of one k̂ differ in how much variance
#: lies beyond the draws: in products of lognormals, which the race makes, it is less than the fit says. Over
#: seeds 60 to 399 of adversarial-robustness the six readings' 1.04 to 1.16 become 0.82 to 0.97, and an error
#: whose root mean square is 0.96 to 1.02 of the spread becomes one of 1.07 to 1.21. So it stays plain.
SEEDS = {"adversarial-robustness": 400, "rlhf": 60, "capability-work-now": 60, "scaling": 60}

#: Spread of the mean per printed error, between which the error is one.
LEAST, MOST = 0.8, 1.25


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDS)
def test_over_many_seeds_the_mean_spreads_by_its_printed_error(name: str, short: bool) -> None:
    """In every reading whose tail lets a mean have an error: Pareto k̂ of at most 0.7."""
    asked, seeds = project(name), 8 if short else SEEDS[name]
    found = [forecast.score(asked, setup(), 20_000, seed, kept=Kept()).models for seed in range(seeds)]
    # So few seeds show a spread of their own: what a normal mean would show but once in a thousand times.
    slack = np.sqrt(stats.chi2.ppf((0.0005, 0.9995), seeds - 1) / (seeds - 1)) if short else (1.0, 1.0)
    looked_at = 0
    for reading in range(len(found[0])):
        answers = [models[reading] for models in found]
        khat = np.median([tail_index(a.drawn("net_effect"), a.weighing.weights) or 0.0 for a in answers[:10]])
        if khat > KHAT_LIMIT:
            continue
        looked_at += 1
        spread = np.std([a.net.mean for a in answers], ddof=1)
        ratio = spread / np.median([a.net.mcse for a in answers])
        assert LEAST * slack[0] <= ratio <= MOST * slack[1], (answers[0].model.name, ratio, khat)
    assert looked_at >= 3
