"""Sample a likelihood by NUTS, judge the sampling, keep what scoring uses.

Imports pymc and arviz inside functions. Writes nothing: see `difprog.evidence.store`.
"""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base import limits
from difprog.base.errors import DiagnosticsFailed
from difprog.base.processes import ctrl_c_goes_through
from difprog.beliefs.distributions import Shape
from difprog.evidence import Case, compilation, likelihood
from difprog.evidence.posterior import Posterior

Array = npt.NDArray[np.float64]

#: Thresholds of Vehtari et al. 2021 (Bayesian Analysis 16:667) and Betancourt 2016 (E-BFMI).
RHAT, ESS, BFMI = 1.01, 400.0, 0.3
#: Quantiles whose effective sample size is the tail one.
TAILS = (0.05, 0.95)

#: Levels at which prior and posterior are compared.
LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)

#: Draws this sensitive to power-scaling depend on what was scaled (Kallioinen et al. 2024,
#: Statistics and Computing 34:57).
SENSITIVE = 0.05

#: Steps from which on it counts how many evaluations of the likelihood one takes on average: the first ones
#: take many, until the sampler knows its scales.
ENOUGH = 500

Tick = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a likelihood is sampled; ``draws`` and ``tune`` are per chain."""

    draws: int = 6000
    tune: int = 1500
    chains: int = 4
    thin: int = 3
    seed: int = 1
    target_accept: float = 0.98

    @property
    def steps(self) -> int:
        """Steps of all chains together."""
        return (self.draws + self.tune) * self.chains


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back what the sampler logs and warns of: `judge` says what of it matters."""
    loggers = [logging.getLogger(name) for name in ("pymc", "arviz_stats", "arviz_base")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def sample(model: Any, settings: Settings, tick: Tick | None = None) -> Any:
    """Return NUTS draws of a model as an arviz DataTree.

    Parameters
    ----------
    model : pymc.Model
        The likelihood.
    settings : Settings
        Draws, chains and seed.
    tick : callable, optional
        Told how many steps are done, of how many, every fifty.

    Raises
    ------
    DiagnosticsFailed
        Where the sampler cannot start, or crawls.
    """
    compilation.keep()
    import pymc as pm
    from pymc.exceptions import SamplingError

    done = evaluations = 0

    def step(draw: Any, **_: Any) -> None:
        nonlocal done, evaluations
        done += 1
        evaluations += draw.stats[0]["tree_size"]
        if evaluations > limits.EVALUATIONS.most * max(done, ENOUGH):
            raise DiagnosticsFailed(
                f"the sampler crawls: its first {done:,} steps of {settings.steps:,} took "
                f"{evaluations / done:,.0f} evaluations each; {limits.EVALUATIONS.words()}"
            )
        if tick is not None and (done % 50 == 0 or done == settings.steps):
            tick(done, settings.steps)

    def run() -> Any:
        nonlocal done, evaluations
        done = evaluations = 0
        try:
            # Named, or PyMC would take another sampler, with other draws, wherever one is installed.
            return pm.sample(
                settings.draws, tune=settings.tune, chains=settings.chains, cores=1, model=model,
                nuts_sampler="pymc", random_seed=settings.seed, progressbar=False, callback=step,
                target_accept=settings.target_accept, compute_convergence_checks=False,
            )  # fmt: skip
        except (SamplingError, FloatingPointError) as error:
            raise _not_started(error) from error

    try:
        with quiet(), ctrl_c_goes_through():
            return compilation.again_if_damaged(run)
    except ValueError as error:
        raise _not_started(error) from error


def _not_started(error: Exception) -> DiagnosticsFailed:
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DiagnosticsFailed(f"the sampler could not start: {first}")


def judge(tree: Any, draws: Mapping[str, Array]) -> dict[str, Any]:
    """Return the sampler's diagnostics by ArviZ, and what of them is past its threshold.

    Parameters
    ----------
    tree : DataTree
        The sampler's output, for its statistics.
    draws : mapping of str to array, shape (chains, draws, …)
        Everything whose mixing matters.

    Returns
    -------
    dict
        ``rhat``, ``ess_bulk``, ``ess_tail``, ``bfmi`` (the worst of each), ``divergences``,
        ``at`` (which variable is worst), ``failures`` (sentences; empty where all is well).
    """
    import arviz as az

    columns = {
        (name if values.ndim == 2 else f"{name}[{i}]"): column
        for name, values in draws.items()
        for i, column in enumerate(np.moveaxis(values.reshape(*values.shape[:2], -1), -1, 0))
        if np.ptp(column) != 0  # what holds no number is judged too
    }
    worst: dict[str, tuple[float, str]] = {}
    with quiet():
        for key, measure, pick in (
            ("rhat", az.rhat, max),
            ("ess_bulk", az.ess, min),
            ("ess_tail", partial(az.ess, method="tail", prob=TAILS), min),
        ):
            each = {name: float(measure(column)) for name, column in columns.items()}
            # A diagnostic that is not a number is the worst there can be.
            name = next((n for n, v in each.items() if v != v), pick(each, key=lambda n: each[n]))
            worst[key] = each[name], name
        bfmi = float(np.min(np.asarray(az.bfmi(tree)["energy"])))
    divergences = int(np.asarray(tree.sample_stats["diverging"]).sum())
    found = {key: value for key, (value, _) in worst.items()}
    failures = []
    if not found["rhat"] <= RHAT:
        failures.append(f"R-hat of {worst['rhat'][1]} is {found['rhat']:.3f}, above {RHAT}")
    for key, what in (("ess_bulk", "bulk"), ("ess_tail", "tail")):
        if not found[key] >= ESS:
            size = f"the {what} effective sample size of {worst[key][1]} is {found[key]:.0f}"
            failures.append(f"{size}, below {ESS:.0f}")
    if divergences:
        failures.append(f"{divergences} divergences")
    if not bfmi >= BFMI:
        failures.append(f"E-BFMI is {bfmi:.2f}, below {BFMI}")
    return {
        **found, "bfmi": bfmi, "divergences": divergences,
        "at": {key: name for key, (_, name) in worst.items()}, "failures": failures,
    }  # fmt: skip


def fit(
    name: str,
    shapes: Mapping[str, Shape],
    as_of: float,
    *,
    settings: Settings | None = None,
    tick: Tick | None = None,
    data: Any = None,
) -> Posterior:
    """Condition the beliefs of one dataset.

    Parameters
    ----------
    name : str
        The dataset.
    shapes : mapping of str to Shape
        Its beliefs as stated, the prior.
    as_of : float
        Decimal year.
    settings : Settings, optional
        Draws, chains and seed.
    tick : callable, optional
        See `sample`.
    data : object, optional
        Data in place of the shipped table, of the likelihood's own type.

    Returns
    -------
    Posterior
        With ``diagnostics``; nothing is enforced here.

    Raises
    ------
    DiagnosticsFailed
        Where the sampler cannot start.
    """
    compilation.keep()
    settings = settings or Settings()
    start = time.perf_counter()
    module = likelihood(name)
    case = Case(module.read() if data is None else data, shapes, as_of if module.DATED else math.nan)
    model = module.build(case)
    tree = sample(model, settings, tick)
    draws = {key: np.asarray(tree.posterior[key].values, dtype=float) for key in tree.posterior.data_vars}
    rng = np.random.default_rng(settings.seed)
    direct, predictive = {b: draws[b] for b in module.BELIEFS if b in draws}, {}
    if hasattr(module, "used"):
        direct, predictive = module.used(draws, case, rng)
    scored = dict(direct)
    for belief, p in predictive.items():
        scored[f"{belief} (location)"], scored[f"{belief} (scale)"] = p.location, p.scale
        size = p.location.size
        z = rng.standard_normal(size)
        flat = p._replace(location=p.location.ravel(), scale=p.scale.ravel())
        scored[belief] = flat.sample(np.arange(size), z).reshape(p.location.shape)
    diagnostics = judge(tree, {**draws, **scored})
    # A belief that is drawn anew has a spread that no data takes away: what can move is its centre.
    varying = {
        belief: draws[module.CENTRE] if belief in predictive else scored[belief]
        for belief in module.BELIEFS
        if np.ptp(scored[belief]) > 0
    }
    sensitivity = power_scaling(tree, model, varying, module.STATED)

    def kept(values: Array) -> Array:
        # Rounded as they are kept on disk, so that a fresh result and a kept one are the same.
        thinned = values[:, :: settings.thin].astype(np.float32).astype(float)
        return np.ascontiguousarray(thinned.reshape(-1))

    diagnostics["beliefs"] = {
        belief: _compared(shapes[belief], scored[belief], sensitivity.get(belief))
        for belief in module.BELIEFS
    }
    diagnostics["kept_share"] = min(
        (_kept_share(v, settings.thin) for v in scored.values() if np.ptp(v) > 0), default=1.0
    )
    if hasattr(module, "per_source"):
        diagnostics["sources"] = module.per_source(draws, case.data)
        diagnostics["newest"] = case.data.newest
    if module.DATED:
        diagnostics["as_of"] = as_of
    diagnostics["variants"] = variants(module, case, settings)
    diagnostics.update(dataset=name, settings=asdict(settings), seconds=round(time.perf_counter() - start, 1))
    return Posterior(
        draws={b: kept(v) for b, v in direct.items()},
        predictive={
            b: p._replace(location=kept(p.location), scale=kept(p.scale)) for b, p in predictive.items()
        },
        datasets=dict.fromkeys(module.BELIEFS, name),
        diagnostics=diagnostics,
    )


#: Draws and adaptation per chain of a variant, of which only a median is shown.
VARIANT_DRAWS, VARIANT_TUNE = 1000, 1000


def variants(module: Any, case: Case, settings: Settings) -> dict[str, dict[str, float]]:
    """Return the posterior medians under other readings of a dataset, where its likelihood names any.

    Returns
    -------
    dict
        The reading in words → belief → median.
    """
    short = replace(settings, draws=VARIANT_DRAWS, tune=VARIANT_TUNE, thin=1)
    found = {}
    for words, read in getattr(module, "VARIANTS", {}).items():
        tree = sample(module.build(case._replace(data=read(case.data))), short)
        found[words] = {b: float(np.median(tree.posterior[b].values)) for b in module.BELIEFS}
    return found


def power_scaling(
    tree: Any, model: Any, beliefs: Mapping[str, Array], stated: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Return how much each belief's posterior moves when its prior or the data is power-scaled.

    The cumulative Jensen–Shannon sensitivity of Kallioinen et al. 2024, by ArviZ; prior scaling
    is on the standard normal scores that carry the stated beliefs, that is on their log width.

    Returns
    -------
    dict
        Belief → ``prior``, ``data`` (sensitivities), ``carried_by`` ("data", "prior", "both: …").
    """
    import arviz as az
    from pymc.stats import compute_log_likelihood, compute_log_prior

    priors = [v.name for v in model.free_RVs if v.name in stated]
    if not beliefs or not priors:
        return {}
    with quiet():
        compute_log_prior(tree, var_names=priors, model=model, progressbar=False)
        compute_log_likelihood(tree, model=model, progressbar=False)
        scaled = az.from_dict({"posterior": dict(beliefs)})
        for group in ("log_prior", "log_likelihood"):
            scaled[group] = tree[group]
        table = az.psense_summary(scaled, prior_var_names=priors, round_to=6)
    found = {}
    for belief in beliefs:
        prior, data = float(table.loc[belief, "prior"]), float(table.loc[belief, "likelihood"])
        found[belief] = {"prior": prior, "data": data, "carried_by": carried_by(prior, data)}
    return found


def carried_by(prior: float, data: float) -> str:
    """Return in words which of prior and data a posterior rests on."""
    if prior >= SENSITIVE and data >= SENSITIVE:
        return "both, and they pull apart"
    if prior >= SENSITIVE:
        return "the prior"
    return "the data" if data >= SENSITIVE else "neither alone"


def _kept_share(values: Array, thin: int) -> float:
    """Return the effective share of the kept draws, which scoring takes for independent."""
    import arviz as az

    thinned = values[:, ::thin]
    with quiet():
        return float(min(az.ess(thinned), az.ess(thinned, method="tail", prob=TAILS)) / thinned.size)


def _compared(shape: Shape, values: Array, sensitivity: dict[str, Any] | None) -> dict[str, Any]:
    import arviz as az

    found: dict[str, Any] = {
        "prior": [float(shape.percentile(p)) for p in LEVELS],
        "posterior": [float(q) for q in np.quantile(values, LEVELS)],
        "sensitivity": sensitivity or {},
    }
    if np.ptp(values) > 0:
        with quiet():
            found["rhat"] = float(az.rhat(values))
            found["ess_bulk"] = float(az.ess(values))
            found["ess_tail"] = float(az.ess(values, method="tail", prob=TAILS))
    return found
