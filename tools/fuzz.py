"""Coverage-guided fuzzing of every file that the program reads.

    python tools/fuzz.py --runs 100000            every reader, the runs shared out among them
    python tools/fuzz.py --runs 50000 --target commands    whole commands, each on files of its own
    python tools/fuzz.py --replay findings        what was found before, once more

An input must end in an answer or in `DifprogError`, within 5 processor seconds (60 for whole commands) and
4 GB; what is accepted is scored too (200 draws) and must give finite numbers, and shown, without a warning.
What must hold after a whole command is said in `tools.commands`. All else is a finding: it is written to
``--findings`` (its input beside it) and the run goes on. Exit status 1 where there are any. Inputs come from
`tools.wild`, `tools.extreme`, shipped files and libFuzzer's mutations, by Atheris where that is installed
(the extra ``fuzz``); ``--plain`` does without, and without the feedback of coverage. A target's row says how
many inputs it had, how many of them were taken as sound, and how many it had in a second of the processor.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import importlib.util
import os
import pkgutil
import re
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from random import Random
from types import FrameType
from typing import TYPE_CHECKING

sys.path[0] = str(Path(__file__).resolve().parent.parent)

if TYPE_CHECKING:
    from tools.targets import Target

SILENCE, MEMORY = 300.0, 4 << 30


class Hang(BaseException):
    """An input took longer than its target allows."""


class Findings:
    """What went wrong, told apart by where it was raised."""

    def __init__(self, folder: Path, target: str) -> None:
        self.folder, self.target = folder, target
        self.seen: dict[str, int] = {}
        self.taken = 0

    def note(self, data: bytes, error: BaseException | str) -> None:
        """Keep one finding of a kind, and count the others."""
        if isinstance(error, str):
            kind = report = error
        else:
            frames = traceback.extract_tb(error.__traceback__)
            ours = [f for f in frames if "difprog" in Path(f.filename).parts] or frames
            place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
            kind = getattr(error, "kind", f"{type(error).__name__} at {place}")
            report = "".join(traceback.format_exception(error))
        self.seen[kind] = self.seen.get(kind, 0) + 1
        if self.seen[kind] == 1:
            self.folder.mkdir(parents=True, exist_ok=True)
            stem = f"{self.target}-{sha256(kind.encode()).hexdigest()[:10]}"
            (self.folder / f"{stem}.input").write_bytes(data)
            (self.folder / f"{stem}.txt").write_text(f"{kind}\n\n{report}\n", "utf-8", "backslashreplace")


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `Hang` where Python code runs on for longer, by the processor's clock."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"over {seconds:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def once(target: Target, data: bytes, findings: Findings, watch: bool = False) -> None:
    """Run one input and note what is wrong with how it ended."""
    from difprog.base.errors import DifprogError

    if watch:
        # Code in C that hangs gives Python no chance to stop it.
        faulthandler.dump_traceback_later(SILENCE, exit=True)
    try:
        with warnings.catch_warnings(record=True) as said, limited(target.seconds):
            warnings.simplefilter("always")
            target.run(data)
        findings.taken += 1
    except DifprogError as error:
        if not str(error).strip() or "\x1b" in str(error):
            findings.note(data, "an error without words, or with control characters")
    except (Exception, Hang, SystemExit) as error:
        findings.note(data, error)
    for warning in said:
        findings.note(data, f"{warning.category.__name__}: {warning.message}"
                            f" at {Path(warning.filename).name}:{warning.lineno}")  # fmt: skip
    if watch:
        faulthandler.cancel_dump_traceback_later()


def plain(target: Target, runs: int, seed: int, findings: Findings, watch: bool = False) -> None:
    """Run a target on generated and changed inputs, without the feedback of coverage."""
    random = Random(f"{seed} {target.name}")
    seeds = target.seeds()
    for data in seeds[:runs]:
        once(target, data, findings, watch)
    for _ in range(runs - len(seeds)):
        data = target.make(random) if random.random() < 0.5 else target.change(random, random.choice(seeds))
        once(target, data, findings, watch)


def guided(name: str, runs: int, seed: int, folder: Path, home: Path) -> None:
    """Run a target under libFuzzer; the process ends with it."""
    import atheris

    with atheris.instrument_imports(include=["difprog"]):
        import difprog

        for module in pkgutil.walk_packages(difprog.__path__, "difprog."):
            if not module.name.endswith(("__main__", "cluster")):
                importlib.import_module(module.name)
    from tools.targets import TARGETS

    target = TARGETS[name](home)
    corpus = home / "corpus"
    corpus.mkdir()
    for at, data in enumerate(target.seeds()):
        (corpus / f"{at}").write_bytes(data)
    findings = Findings(folder, name)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))

    def mutate(data: bytes, size: int, number: int) -> bytes:
        random = Random(number)
        roll = random.random()
        if roll < 0.3:
            return bytes(atheris.Mutate(data, len(data) + 64))[:size]
        made = target.make(random) if roll < 0.6 else target.change(random, data)
        return made[:size]

    options = [f"-runs={runs}", f"-seed={seed}", "-max_len=100000", "-handle_alrm=0", "-handle_int=0",
               "-rss_limit_mb=0", "-len_control=0", "-print_final_stats=1"]  # fmt: skip
    atheris.Setup(
        [sys.argv[0], *options, str(corpus)],
        lambda data: once(target, bytes(data), findings, watch=True),
        custom_mutator=mutate,
    )
    atheris.Fuzz()


def supervise(name: str, runs: int, seed: int, findings: Path) -> tuple[int, int]:
    """Run a target in processes of its own until it has had its runs; return runs and edges covered."""
    done = edges = 0
    while done < runs:
        with tempfile.TemporaryDirectory() as home:
            command = [sys.executable, __file__, "--guided", name, "--runs", str(runs - done),
                       "--seed", str(seed + done), "--findings", str(findings), "--home", home]  # fmt: skip
            ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        counts = list(map(int, re.findall(r"^(?:#|Done )(\d+)", ran.stderr, re.M)))
        edges = max([edges, *map(int, re.findall(r"cov: (\d+)", ran.stderr))])
        done += max(counts, default=0)
        if ran.returncode != 0 or not counts:
            died = f"the process died with status {ran.returncode} after {done}: {ran.stderr[-3000:]}"
            Findings(findings, name).note(b"", died)
            if not counts:
                break
    return done, edges


def processor() -> float:
    """Return the seconds of the processor that this process has had, and those that it waited for."""
    return sum(os.times()[:4])


def replay(folder: Path, findings: Path) -> int:
    """Run the inputs of earlier findings again; return how many still are findings."""
    from tools.targets import TARGETS

    left = 0
    for file in sorted(folder.glob("*.input")):
        name = file.name.rpartition("-")[0]
        with tempfile.TemporaryDirectory() as home:
            os.environ["DIFPROG_HOME"] = str(Path(home) / "home")
            found = Findings(findings, name)
            once(TARGETS[name](Path(home)), file.read_bytes(), found)
        print(f"{file.name}: {', '.join(found.seen) or 'gone'}", flush=True)
        left += bool(found.seen)
    return left


def main() -> int:
    """Fuzz, and print a row per target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=1000, help="inputs, of all targets together")
    parser.add_argument("--target", action="append", help="one of the targets; repeatable")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, default=Path("findings"), help="folder to write findings to")
    parser.add_argument("--plain", action="store_true", help="without Atheris")
    parser.add_argument("--replay", type=Path, help="folder of earlier findings")
    parser.add_argument("--guided", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.guided:
        os.environ["DIFPROG_HOME"] = str(asked.home / "home")
        guided(asked.guided, asked.runs, asked.seed, asked.findings, asked.home)
        return 0
    if asked.replay:
        return 1 if replay(asked.replay, asked.findings) else 0
    from tools.targets import SHARES, TARGETS

    without = asked.plain or importlib.util.find_spec("atheris") is None
    names = asked.target or list(SHARES)
    whole = sum(SHARES.get(name, 1) for name in names)
    total = found = 0
    said: Counter[tuple[str, int]] = Counter()
    print(f"{'target':<12}{'inputs':>9}{'sound':>9}{'a second':>10}{'edges':>8}  findings", flush=True)
    for name in names:
        runs, edges, sound = -(-asked.runs * SHARES.get(name, 1) // whole), 0, ""
        start = processor()
        if without or not TARGETS[name].guided:
            findings = Findings(asked.findings, name)
            with tempfile.TemporaryDirectory() as home:
                os.environ["DIFPROG_HOME"] = str(Path(home) / "home")
                target = TARGETS[name](Path(home))
                plain(target, runs, asked.seed, findings, watch=True)
            said, sound = said + target.said, f"{findings.taken:,}"
        else:
            runs, edges = supervise(name, runs, asked.seed, asked.findings)
        kinds = len(list(asked.findings.glob(f"{name}-*.txt")))
        total, found = total + runs, found + kinds
        rate = runs / (processor() - start)
        print(f"{name:<12}{runs:>9,}{sound:>9}{rate:>10.1f}{edges or '':>8}  {kinds}", flush=True)
    print(f"{'all':<12}{total:>9,}{'':>27}  {found}")
    for command in sorted({command for command, _ in said}):
        ends = {status: count for (name, status), count in sorted(said.items()) if name == command}
        how = ", ".join(f"{count:,} with {status}" for status, count in ends.items())
        print(f"  {command}: {sum(ends.values()):,} run, ended {how}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
