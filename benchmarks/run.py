"""All benchmarks by one command: ``python benchmarks/run.py``. Prints ratios, promises nothing.

    a  start-up of commands, against bare imports beside them
    b  draws per second and memory, against the same model by hand in NumPy, squigglepy, monaco
    c  draws needed for a 5% error, against independent worlds with 0/1 outcomes
    d  cost per row of rank as a portfolio grows
    e  effective draws per second of NUTS, by sampler

Needs the extra ``benchmark``. ``--short`` runs the smallest sizes; letters select parts. Every
measured thing runs in a process of its own, things to be compared alternate, and the median is
taken.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECT, MODEL = "rlhf", "serial_parallel"


def wall(command: Sequence[str]) -> float:
    """Return the seconds that a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def alternate(commands: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """Return the median seconds of commands that take turns, after one warm turn."""
    for command in commands.values():
        wall(command)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(wall(command))
    return {name: statistics.median(found) for name, found in seconds.items()}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a markdown table."""
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def start_up(short: bool) -> None:
    """Measure (a)."""
    python, rounds = sys.executable, 3 if short else 11
    program = [python, "-m", "difprog"]
    seconds = alternate(
        {
            "click, rich": [python, "-c", "import click, rich, rich.console, rich.table"],
            "pymc": [python, "-c", "import pymc"],
            "--help": [*program, "--help"],
            "priors check world": [*program, "priors", "check", "world"],
            f"score {PROJECT}, one model": [*program, "score", PROJECT, "--model", MODEL],
            f"score {PROJECT}, six models": [*program, "score", PROJECT],
        },
        rounds,
    )
    bare, pymc = seconds.pop("click, rich"), seconds.pop("pymc")
    table(
        ("command", "seconds", "× `import click, rich`", "× `import pymc`"),
        [
            (f"`difprog {name}`", f"{s:.2f}", f"{s / bare:.2f}", f"{s / pymc:.2f}")
            for name, s in seconds.items()
        ],
    )


def numbers() -> dict[str, tuple[str, tuple[float, ...]]]:
    """Return the shipped beliefs of the measured proposal as plain parameters."""
    from difprog.beliefs.families import Distribution, Point
    from difprog.forecast import forecast

    setup = forecast.prepare([MODEL], use_evidence=False)
    question = forecast.questions(forecast.find_project(PROJECT, setup), setup)[0][0]
    found: dict[str, tuple[str, tuple[float, ...]]] = {}
    for name, belief in question.beliefs.items():
        shape = belief.shape
        if isinstance(shape, Point):
            found[name] = ("point", (shape.value,))
        elif isinstance(shape, Distribution) and not shape.truncated:
            found[name] = (shape.family.name, shape.parameters)
        else:
            raise NotImplementedError(f"{name}: {shape}")
    return found


def one(who: str, count: int) -> None:
    """Do one measurement of (b) in this process and print it as JSON."""
    sys.path.insert(0, str(HERE))
    import by_hand  # type: ignore[import-not-found]

    beliefs = numbers()
    if who == "difprog":
        from difprog.forecast import chunks, forecast

        setup = forecast.prepare([MODEL], use_evidence=False)
        asked = forecast.find_project(PROJECT, setup)

        def run() -> float:
            return float(chunks.score(asked, setup, count).models[0].net.mean)
    elif who == "NumPy by hand":

        def run() -> float:
            found = by_hand.evaluate(by_hand.numpy_draws(beliefs, count, 1))
            return float(by_hand.summarise(found)["net_effect"])
    elif who == "squigglepy":

        def run() -> float:
            found = by_hand.evaluate(by_hand.squigglepy_draws(beliefs, count, 1))
            return float(by_hand.summarise(found)["net_effect"])
    else:

        def run() -> float:
            return float(by_hand.monaco_run(beliefs, count, 1)["net_effect"])

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    mean = run()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "added": peak - before, "peak": peak, "mean": mean}))


def throughput(short: bool) -> None:
    """Measure (b)."""
    sizes = (10_000, 100_000) if short else (10_000, 100_000, 1_000_000, 10_000_000)
    most = {"squigglepy": 1_000_000, "monaco": 10_000, "NumPy by hand": 10_000_000}
    rows = []
    for count in sizes:
        base: float | None = None
        for who in ("NumPy by hand", "difprog", "squigglepy", "monaco"):
            if count > most.get(who, 10**9):
                rows.append((f"{count:,}", who, "not run", "", "", ""))
                continue
            command = [sys.executable, __file__, "--one", who, str(count)]
            rounds = 1 if who == "monaco" or short or count > 10**6 else 3
            found = [
                json.loads(done.stdout.splitlines()[-1])
                for _ in range(rounds)
                if (done := subprocess.run(command, check=True, capture_output=True, text=True))
            ]
            seconds = statistics.median(f["seconds"] for f in found)
            base = base or seconds
            rows.append(
                (
                    f"{count:,}", who, f"{seconds:.3f}", f"{count / seconds:,.0f}",
                    f"{seconds / base:.2f}", f"{found[0]['peak'] / 1024:.0f}",
                )
            )  # fmt: skip
    table(("draws", "who", "seconds", "draws/s", "× NumPy by hand", "peak MB"), rows)


def error(short: bool) -> None:
    """Measure (c): the draws after which the mean effect's standard error is 5% of it."""
    import numpy as np

    from difprog.forecast import forecast

    setup = forecast.prepare([MODEL])
    rows = []
    for name in ("agent-foundations", "sandwiching", "rlhf"):
        asked = forecast.find_project(name, setup)
        answer = forecast.score(asked, setup, 20_000 if short else 200_000).models[0]
        net = np.asarray(answer.draws.chances.net_effect)
        paired = (net.std() / (0.05 * net.mean())) ** 2
        p0, p1 = (answer.summaries[n].mean for n in ("p_success_without", "p_success_with"))
        coins = (p0 * (1 - p0) + p1 * (1 - p1)) / (0.05 * net.mean()) ** 2
        rows.append(
            (name, f"{net.mean() * 1e6:+.1f}", f"{paired:,.0f}", f"{coins:.1e}", f"{coins / paired:.0e}")
        )
    table(
        ("proposal", "effect, microdooms", "draws, difprog", "draws, independent 0/1 worlds", "ratio"),
        rows,
    )


def rank(short: bool) -> None:
    """Measure (d)."""
    sizes = ["100", "1000"] if short else ["100", "1000", "10000"]
    subprocess.run([sys.executable, str(HERE / "rank_cost.py"), "--sizes", *sizes], check=True)
    print(flush=True)


def nuts(short: bool) -> None:
    """Measure (e): the slowest likelihood, by sampler; compilation apart from sampling."""
    import arviz as az
    import pymc as pm
    from pytensor.compile.mode import Mode

    from difprog.evidence import Case, likelihood
    from difprog.evidence.fit import quiet
    from difprog.evidence.tables import decimal_year
    from difprog.forecast import forecast

    setup = forecast.prepare([MODEL])
    stack = setup.stacks[MODEL]
    module = likelihood("timelines")
    shapes = {n: belief.shape for n in module.BELIEFS if (belief := stack.lookup(n, {})) is not None}
    case = Case(module.read(), shapes, decimal_year(stack.as_of))
    draws, tune = (200, 200) if short else (2000, 1000)
    common: dict[str, Any] = {
        "draws": draws, "tune": tune, "chains": 4, "cores": 1, "random_seed": 1, "progressbar": False,
        "target_accept": 0.98, "compute_convergence_checks": False,
    }  # fmt: skip
    ways: dict[str, dict[str, Any]] = {
        "PyMC, numba (its default; shipped)": {"nuts_sampler": "pymc"},
        "PyMC, numba, two chains at once": {"nuts_sampler": "pymc", "cores": 2},
        "PyMC, C": {
            "nuts_sampler": "pymc",
            "compile_kwargs": {"mode": Mode(linker="cvm", optimizer="fast_run")},
        },
        "nutpie, numba": {"nuts_sampler": "nutpie"},
        "nutpie, numba, two chains at once": {"nuts_sampler": "nutpie", "cores": 2},
    }
    rows = []
    for name, way in ways.items():
        seconds = []
        for _ in range(2):  # the first time compiles
            with module.build(case), quiet():
                start = time.perf_counter()
                tree = pm.sample(**{**common, **way})
                seconds.append(time.perf_counter() - start)
        with quiet():
            ess = float(min(float(v.min()) for v in az.ess(tree).data_vars.values()))
        diverging = int(tree.sample_stats["diverging"].sum())
        rows.append(
            (
                name, f"{seconds[0]:.1f}", f"{seconds[1]:.1f}", f"{ess:,.0f}",
                f"{ess / seconds[1]:,.0f}", str(diverging),
            )
        )
    table(("sampler", "first run, s", "second run, s", "least ESS", "ESS/s", "divergences"), rows)


PARTS: dict[str, tuple[str, Callable[[bool], None]]] = {
    "a": ("Start-up", start_up),
    "b": ("Draws of one model: " + MODEL, throughput),
    "c": ("Draws for a 5% error of the mean effect", error),
    "d": ("Cost per row of rank", rank),
    "e": ("NUTS on the timelines", nuts),
}


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="a, b, c, d, e; all by default")
    parser.add_argument("--short", action="store_true", help="smallest sizes")
    parser.add_argument("--one", nargs=2, metavar=("WHO", "DRAWS"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one[0], int(asked.one[1]))
        return
    with tempfile.TemporaryDirectory() as home:
        os.environ["DIFPROG_HOME"] = home
        for letter in asked.parts or PARTS:
            title, part = PARTS[letter]
            print(f"### ({letter}) {title}\n")
            part(asked.short)


if __name__ == "__main__":
    main()
