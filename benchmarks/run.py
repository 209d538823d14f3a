"""All benchmarks by one command: ``python benchmarks/run.py``. Prints ratios, promises nothing.

    a  start-up of commands, against bare imports beside them
    b  building, compiling and running the graph of a question
    c  draws needed for a 5% error, against independent worlds with 0/1 outcomes
    d  cost per row of rank as a portfolio grows
    e  effective draws per second of NUTS, by sampler
    f  a budget's choice beside ranking the same rows

Needs the extra ``benchmark``. ``--short`` runs the smallest sizes; letters select parts. Every
measured thing runs in a process of its own, things to be compared alternate, and the median is
taken.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

#: Modules are read compiled, as from an installation: the first, warm turn writes their bytecode.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
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
            "list": [*program, "list"],
            "priors check world": [*program, "priors", "check", "world"],
            f"score {PROJECT}, one model": [*program, "score", PROJECT, "--model", MODEL],
            f"score {PROJECT}, six models": [*program, "score", PROJECT],
            f"explain {PROJECT}, six models": [*program, "explain", PROJECT],
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


def repeats(short: bool) -> None:
    """Measure (b): what building, compiling and running the one graph of a question take."""
    code = """
import time
from difprog.forecast import graph, sampling
from difprog.forecast.conditioning import question_of
from difprog.forecast.setup import find_project, prepare
setup = prepare({models}, use_evidence=False)
project = find_project("{project}", setup)
question, _ = question_of(project, setup)
import pymc
start = time.perf_counter()
sampling.draw(question, 2, 1)
first = time.perf_counter()
sampling.draw(question, {draws}, 1)
print(first - start, time.perf_counter() - first)
"""
    rows = []
    for models, what in (([MODEL], "one"), ([], "six")):
        for draws in (20_000,) if short else (20_000, 200_000, 1_000_000):
            command = [
                sys.executable, "-c", code.format(models=models, project=PROJECT, draws=draws),
            ]  # fmt: skip
            found = [
                [float(word) for word in done.stdout.split()]
                for _ in range(1 if short else 3)
                if (done := subprocess.run(command, check=True, capture_output=True, text=True))
            ]
            once, run = (statistics.median(column) for column in zip(*found, strict=True))
            rows.append((what, f"{draws:,}", f"{once:.2f}", f"{run:.2f}", f"{draws / run:,.0f}"))
    table(("models", "draws", "build and compile, s", "draw and race, s", "draws/s"), rows)


def error(short: bool) -> None:
    """Measure (c): the draws after which the mean effect's standard error is 5% of it."""
    from difprog.forecast import forecast
    from difprog.forecast.setup import find_project, prepare

    setup = prepare([MODEL])
    rows = []
    for name in ("agent-foundations", "sandwiching", "rlhf"):
        asked = find_project(name, setup)
        answer = forecast.score(asked, setup, 20_000 if short else 200_000).models[0]
        net = answer.drawn("net_effect")
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
    from difprog.forecast.setup import prepare

    setup = prepare([MODEL])
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


def budget(short: bool) -> None:
    """Measure (f)."""
    sizes = ["100"] if short else ["100", "1000"]
    subprocess.run([sys.executable, str(HERE / "budget_cost.py"), "--sizes", *sizes], check=True)
    print(flush=True)


PARTS: dict[str, tuple[str, Callable[[bool], None]]] = {
    "a": ("Start-up", start_up),
    "b": ("Building, compiling and running the graph", repeats),
    "c": ("Draws for a 5% error of the mean effect", error),
    "d": ("Cost per row of rank", rank),
    "e": ("NUTS on the timelines", nuts),
    "f": ("A budget's choice beside rank", budget),
}


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="a, b, c, d, e, f; all by default")
    parser.add_argument("--short", action="store_true", help="smallest sizes")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["DIFPROG_HOME"] = home
        for letter in asked.parts or PARTS:
            title, part = PARTS[letter]
            print(f"### ({letter}) {title}\n")
            part(asked.short)


if __name__ == "__main__":
    main()
