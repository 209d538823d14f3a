"""Mutation testing of the maths: ``python tools/mutate.py``, or with modules' names.

    python tools/mutate.py race/race forecast/summary
    python tools/mutate.py --sample 25 --processes 1
    python tools/mutate.py beliefs/families --out found.jsonl
    python tools/mutate.py --again found.jsonl

Cosmic Ray's operators change one thing of a module at a time, and the tests that speak of that module
must notice. A mutant is never written to disk: a process forked from this one, which has imported
the libraries, hands the changed source to whoever imports the module, and runs the tests up to the first
that fails. What changes annotations and docstrings only is no mutant. Survivors that change nothing
anyone could see are listed with the reason in ``mutants.toml`` beside this file; any other is printed,
and the exit status is 1. Needs the extra ``mutate``. POSIX only.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import gc
import importlib
import importlib.abc
import importlib.util
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

#: The tests that speak of each module, the quickest to notice first.
TESTS = {
    "race/race": ("test_race.py",),
    "race/effects": ("test_race.py",),
    "beliefs/distributions": ("test_families.py", "test_beliefs.py", "test_elicit.py"),
    "beliefs/families": ("test_families.py", "test_beliefs.py", "test_elicit.py"),
    "beliefs/fitting": ("test_families.py", "test_beliefs.py", "test_elicit.py"),
    "forecast/weighing": ("test_summary.py", "test_tilting.py"),
    "forecast/summary": ("test_summary.py", "test_score.py"),
    "forecast/tilting": ("test_tilting.py", "test_believed.py"),
    "choose/programme": ("test_allocate.py",),
    "choose/rules": ("test_allocate.py",),
}  # fmt: skip

#: A mutant that takes longer than the tests of the module as it stands, by this factor, is noticed too.
PATIENCE = 5.0
MEMORY = 12 * 2**30


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes
    ----------
    module : str
        Which.
    operator : str
        What Cosmic Ray calls the change.
    occurrence : int
        Which of the places that the operator knows.
    change : tuple of str
        The lines that differ, with ``-`` and ``+``.
    """

    module: str
    operator: str
    occurrence: int
    change: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What the tests made of a mutant: ``killed``, ``timed out`` or ``survived``, and how long it took."""

    mutant: Mutant
    outcome: str
    seconds: float


class _Bare(ast.NodeTransformer):
    """Take away what no test could see: annotations of functions and variables, and docstrings."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        return node


def meaning(source: str) -> str:
    """Return what a module says once annotations are left out."""
    return ast.dump(_Bare().visit(ast.parse(source)))


def source_of(module: str) -> str:
    return (ROOT / "difprog" / f"{module}.py").read_text(encoding="utf-8")


def mutated(module: str, operator: str, occurrence: int) -> str | None:
    """Return a module's source with one change, or None where there is no such place."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    found: str | None = mutate_code(source_of(module), get_operator(operator)(), occurrence)
    return found


def places(module: str) -> list[tuple[str, int]]:
    """Return every (operator, occurrence) of a module."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    nodes = list(ast_nodes(get_ast(source_of(module))))
    found = []
    for name in operator_names():
        if not name.endswith(("VariableReplacer", "VariableInserter")):  # they ask which variables
            operator = get_operator(name)()
            count = sum(len(list(operator.mutation_positions(node))) for node in nodes)
            found += [(name, occurrence) for occurrence in range(count)]
    return found


def mutants(module: str, wanted: Iterable[tuple[str, int]]) -> Iterator[tuple[Mutant, str]]:
    """Yield each mutant of a module that means something else and can be compiled, and its text."""
    source = source_of(module)
    seen = {meaning(source)}
    for operator, occurrence in wanted:
        text = mutated(module, operator, occurrence)
        try:
            if text is None or (says := meaning(text)) in seen:
                continue
        except SyntaxError:
            continue
        seen.add(says)
        lines = difflib.unified_diff(source.splitlines(), text.splitlines(), lineterm="", n=0)
        change = tuple(
            line[0] + line[1:].strip()
            for line in lines
            if line[:1] in "+-" and not line.startswith(("+++", "---"))
        )
        yield Mutant(module, operator, occurrence, change), text


class _Given(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import one module from a given text."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> Any:  # noqa: ARG002
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.text, f"<{self.name}, mutated>", "exec"), module.__dict__)


class _NoShrinking:
    """Stop hypothesis at the first counterexample: a smaller one says nothing more here."""

    @staticmethod
    def pytest_configure() -> None:
        from hypothesis import Phase, settings

        settings.register_profile(
            "mutate", derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
        )
        settings.load_profile("mutate")


def prepare() -> None:
    """Import what every run of the tests imports, short of this package itself."""
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    import pytest

    for name in ("pymc", "rich.console", "scipy.optimize", "scipy.stats", "hypothesis.extra._patching"):
        with contextlib.suppress(ImportError):  # the last is for libcst's users only
            importlib.import_module(name)

    gc.collect()
    gc.freeze()  # what was imported is garbage of no child
    pytest.hookimpl(trylast=True)(_NoShrinking.pytest_configure)
    assert not any(name.split(".")[0] == "difprog" for name in sys.modules)


def run_tests(module: str, text: str, folder: Path) -> int:
    """Run a module's tests upon a text of it, in this process; return pytest's exit status."""
    import pytest

    name = f"difprog.{module.replace('/', '.')}"
    sys.meta_path.insert(0, _Given(name, text))
    files = [f"tests/{name}" for name in TESTS[module]]
    options = ["-x", "-q", "--tb=no", "--assert=plain", f"--basetemp={folder}/tmp"]
    for plugin in ("cacheprovider", "xdist", "unraisableexception", "threadexception"):
        options += ["-p", f"no:{plugin}"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what was imported beforehand
    return int(pytest.main([*options, *files], plugins=[_NoShrinking()]))


def fork(module: str, text: str, folder: Path) -> int:
    """Run a module's tests in a process of their own; return its id."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        status = run_tests(module, text, folder)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def run(jobs: Iterator[tuple[Mutant, str]], limits: dict[str, float], at_once: int) -> Iterator[Result]:
    """Yield what became of each mutant, in the order in which they end."""
    running: dict[int, tuple[Mutant, float, Path]] = {}

    def end(child: int, outcome: str) -> Result:
        mutant, began, folder = running.pop(child)
        shutil.rmtree(folder, ignore_errors=True)
        return Result(mutant, outcome, time.monotonic() - began)

    try:
        more = True
        while more or running:
            while more and len(running) < at_once:
                job = next(jobs, None)
                more = job is not None
                if job is not None:
                    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
                    running[fork(job[0].module, job[1], folder)] = (job[0], time.monotonic(), folder)
            child, status = os.waitpid(-1, os.WNOHANG) if running else (0, 0)
            if child in running:
                yield end(child, "killed" if status else "survived")
                continue
            for late in [c for c, (m, t, _) in running.items() if time.monotonic() - t > limits[m.module]]:
                _stop(late)
                yield end(late, "timed out")
            time.sleep(0.01)
    finally:
        for child in list(running):
            _stop(child)
            end(child, "stopped")


def _stop(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)


def baseline(module: str) -> float:
    """Return the seconds that a module's tests take as it stands; they must pass."""
    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
    began = time.monotonic()
    try:
        status = os.waitpid(fork(module, source_of(module), folder), 0)[1]
        if status:
            raise SystemExit((folder / "log").read_text() + f"the tests of {module} fail as it stands")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return time.monotonic() - began


def equivalents() -> dict[tuple[str, tuple[str, ...]], str]:
    """Return the reasons for which known survivors change nothing that could be seen."""
    content = tomllib.loads((Path(__file__).parent / "mutants.toml").read_text(encoding="utf-8"))
    return {
        (entry["module"], tuple(change)): entry["reason"]
        for entry in content.get("equivalent", [])
        for change in entry["changes"]
    }


def survivors(path: Path) -> set[tuple[str, str, tuple[str, ...]]]:
    """Return module, operator and change of each mutant that an earlier run's results say survived."""
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {
        (m["module"], m["operator"], tuple(m["change"]))
        for line in lines
        if (m := line["mutant"]) and line["outcome"] == "survived"
    }


def report(results: Sequence[Result]) -> bool:
    """Print the table and every unexplained survivor; return whether there is none."""
    known = equivalents()
    print("| module | mutants | killed | timed out | no difference | survived |")
    print("|---|---|---|---|---|---|")
    left: list[Mutant] = []
    for module in dict.fromkeys(r.mutant.module for r in results):
        found = [r for r in results if r.mutant.module == module]
        count = Counter(r.outcome for r in found)
        alive = [r.mutant for r in found if r.outcome == "survived"]
        bad = [m for m in alive if (m.module, m.change) not in known]
        left += bad
        print(
            f"| `{module}.py` | {len(found):,} | {count['killed']:,} | {count['timed out']:,} "
            f"| {len(alive) - len(bad):,} | {len(bad):,} |"
        )
    for mutant in left:
        print(f"\n{mutant.module}.py, {mutant.operator}")
        print("\n".join("  " + line for line in mutant.change))
    return not left


def main() -> None:
    """Make the mutants asked for and run the tests upon each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("modules", nargs="*", choices=[*TESTS, []], metavar="MODULE", help=", ".join(TESTS))
    parser.add_argument("--sample", type=int, help="only so many of each module, chosen at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=Path, help="only those that survived in an earlier --out")
    parser.add_argument("--out", type=Path, help="write each result as a line of JSON")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    prepare()
    wanted = {module: places(module) for module in asked.modules or TESTS}
    for module, found in wanted.items() if asked.sample is not None else ():
        wanted[module] = Random(asked.seed).sample(found, len(found))
    alive = survivors(asked.again) if asked.again else None
    if alive is not None:
        there = {(module, operator) for module, operator, _ in alive}
        wanted = {m: [place for place in found if (m, place[0]) in there] for m, found in wanted.items()}
    jobs: Iterator[tuple[Mutant, str]] = chain.from_iterable(
        islice(mutants(module, found), asked.sample) for module, found in wanted.items()
    )
    if alive is not None:
        jobs = (job for job in jobs if (job[0].module, job[0].operator, job[0].change) in alive)
    limits = {m: 10 + PATIENCE * asked.processes * baseline(m) for m in wanted}
    results: list[Result] = []
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(asked.out.open("w", encoding="utf-8")) if asked.out else None
        for result in run(jobs, limits, asked.processes):
            results.append(result)
            if out:
                out.write(json.dumps(asdict(result)) + "\n")
                out.flush()
            if len(results) % 50 == 0:
                print(f"{len(results):,} mutants so far", file=sys.stderr)
    order = {module: place for place, module in enumerate(wanted)}
    sys.exit(0 if report(sorted(results, key=lambda r: order[r.mutant.module])) else 1)


if __name__ == "__main__":
    main()
