"""The base race written out once by hand, for speed to be compared with: NumPy, squigglepy, monaco.

Takes the shipped beliefs of one proposal (as plain distribution parameters) and does what a
careful user of each library would do: sample, evaluate both worlds on the same draws, summarise
the same seven quantities. Knows nothing of difprog but the numbers it is handed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]
Numbers = Mapping[str, tuple[str, tuple[float, ...]]]


def numpy_draws(beliefs: Numbers, count: int, seed: int) -> dict[str, Any]:
    """Sample with NumPy's generator."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for name, (family, p) in beliefs.items():
        if family == "point":
            found[name] = p[0]
        elif family == "normal":
            found[name] = rng.normal(p[0], p[1], count)
        elif family == "lognormal":
            found[name] = rng.lognormal(p[0], p[1], count)
        elif family == "logitnormal":
            found[name] = special.expit(rng.normal(p[0], p[1], count))
        else:
            raise NotImplementedError(family)
    found["serial_chains"] = np.round(found["serial_chains"])
    return found


def squigglepy_draws(beliefs: Numbers, count: int, seed: int) -> dict[str, Any]:
    """Sample with squigglepy."""
    import squigglepy as sq

    sq.set_seed(seed)
    found: dict[str, Any] = {}
    for name, (family, p) in beliefs.items():
        if family == "point":
            found[name] = p[0]
        elif family == "lognormal":
            found[name] = sq.sample(sq.lognorm(norm_mean=p[0], norm_sd=p[1]), n=count)
        else:
            found[name] = sq.sample(sq.norm(mean=p[0], sd=p[1]), n=count)
            if family == "logitnormal":
                found[name] = special.expit(found[name])
    found["serial_chains"] = np.round(found["serial_chains"])
    return found


def monaco_run(beliefs: Numbers, count: int, seed: int) -> dict[str, float]:
    """Run the race as monaco does: a function per case, cases over the cores."""
    import monaco as mc
    from scipy import stats

    spread = {name: belief for name, belief in beliefs.items() if belief[0] != "point"}

    def before(case: Any) -> Any:
        values = {name: case.invals[name].val if name in spread else p[0] for name, (_, p) in beliefs.items()}
        for name, (family, _) in spread.items():
            if family == "logitnormal":
                values[name] = special.expit(values[name])
        values["serial_chains"] = round(values["serial_chains"])
        return (values,)

    def run(values: dict[str, float]) -> Any:
        return (evaluate(values),)

    def after(case: Any, effects: dict[str, Any]) -> None:
        for name, value in effects.items():
            case.addOutVal(name, float(value))

    sim = mc.Sim(
        name="race", ndraws=count, seed=seed, singlethreaded=True, verbose=False, debug=False,
        fcns={"preprocess": before, "run": run, "postprocess": after},
        savesimdata=False, savecasedata=False, firstcaseismedian=False,
    )  # fmt: skip
    for name, (family, p) in spread.items():
        if family == "lognormal":
            sim.addInVar(name=name, dist=stats.lognorm, distkwargs={"s": p[1], "scale": math.exp(p[0])})
        else:
            sim.addInVar(name=name, dist=stats.norm, distkwargs={"loc": p[0], "scale": p[1]})
    sim.runSim()
    return {name: float(np.mean(sim.outvars[name].nums)) for name in ("net_effect",)}


def evaluate(b: dict[str, Any]) -> dict[str, Any]:
    """Both worlds of the base race, as one would write it for one model of one project."""
    gamma = b["parallel_exponent"] * b["researcher_growth"]
    surge = b["brink_surge"] ** b["parallel_exponent"]
    field = b["labour_quality"] * b["researchers"]

    def labour(t: Any) -> Any:
        # Held at 600, or the far tail of the arrival date makes inf − inf of the mean.
        return np.expm1(np.minimum(gamma * t, 600.0)) / gamma

    def success(shift: Any, a_p: Any, a_s: Any) -> Any:
        t = np.maximum(b["agi_arrival"] - shift, 0.0)
        d = t + b["grace_period"]
        g = labour(t)
        w = field * (g + surge * (labour(d) - g)) + a_p
        parallel = special.ndtr((np.log(w) - np.log(b["parallel_requirement"])) / b["parallel_spread"])
        chain = special.ndtr((np.log(d + a_s) - np.log(b["serial_requirement"])) / b["serial_spread"])
        solved = (d >= b["chunk_length"]) * parallel * chain ** b["serial_chains"]
        return b["default_success"] + (1 - b["default_success"]) * solved

    relevance = special.expit(b["relevance_intercept"] - b["relevance_approach"] + b["relevance_residual"])
    coupling = special.expit(b["coupling_intercept"] + b["coupling_approach"] + b["coupling_residual"])
    share = b["serial_share"]
    a_p = b["effort"] * (1 - share) * relevance * b["labour_quality"] * b["skill"]
    a_s = b["duration"] * share * relevance * b["advance"]
    x = b["leak"] * np.minimum(
        coupling * b["effort"] * b["breakthrough"] / b["capability_researchers"], b["lead_time"]
    )
    hit = b["hit_probability"]
    without = success(0.0, 0.0, 0.0)
    if_hit, if_miss = success(x, a_p, a_s), success(0.0, a_p, a_s)
    return {
        "p_success_without": without,
        "p_success_with": hit * if_hit + (1 - hit) * if_miss,
        "net_effect": hit * (if_hit - without) + (1 - hit) * (if_miss - without),
        "parallel_speedup": a_p,
        "serial_speedup": a_s,
        "capability_speedup": hit * x,
        "timeline_shortening": hit * x,
    }


def summarise(found: dict[str, Any]) -> dict[str, float]:
    """Mean, spread, quantiles and shares of each quantity; returns the means."""
    means = {}
    for name, values in found.items():
        means[name] = float(values.mean())
        values.std(ddof=1)
        np.quantile(values, [0.05, 0.5, 0.95])
        (np.count_nonzero(values > 0), np.count_nonzero(values < 0))
    return means
