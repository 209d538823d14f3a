"""Stop every command that writes at random points, by five signals.

    python tools/kill.py --kills 500
    python tools/kill.py --kills 50 --command save --signal KILL

Each kill starts from the same files: a command (`tools.writers`) is run in a process forked from this one
(`tools.forked`) and stopped after a random time, half of the times in its last two fifths, where the writing
is. KILL and TERM go to that process alone, INT, HUP and QUIT to its whole group, as from a terminal. Then

* it must end within two minutes, and no process may be left within a few seconds;
* every file must be, whole, what it was before or what the finished command would have made of it;
* after any signal that can be caught nothing hidden, no lock and no part of a file may be left
  beside the user's files, and on standard error no traceback;
* every few kills the command is run again, to its end, upon what was left: it must come to the same
  files, and then nothing hidden, no lock and no draft may be left at all.

All commands have their turn in every pass of some fifty kills, with a table of all so far at its end; what is
wrong is printed when it is found. Exit status 1 where anything was. POSIX; processes are looked for in /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tools import forked  # noqa: E402
from tools.left import contents, hidden  # noqa: E402
from tools.writers import CASES, Case  # noqa: E402

#: What processes are stopped by: those of a terminal reach the whole group.
SIGNALS = ("KILL", "TERM", "INT", "HUP", "QUIT")
TERMINAL = ("INT", "HUP", "QUIT")

#: Those that no process can answer, or that mean to leave everything as it is.
ABRUPT = ("KILL", "QUIT")

#: One kill in so many is followed by the same command again.
AGAIN = 4

#: Kills in a pass, about.
PASS = 50

#: When a forecast was resolved, and the id of that line, which hangs on it.
TIME = re.compile(rb'"at": "[^"]*", |"id": "\w*", (?="of")')


class Trial:
    """A command that is stopped again and again, in a folder of its own.

    Parameters
    ----------
    case : Case
        The command.
    folder : Path
        Made here.
    signals : sequence of str
        What it is stopped by, in turn.

    Attributes
    ----------
    died, late : int
        How often it was stopped, and how often it had ended before that.
    wrong : list of str
        What was found.
    spent : float
        Seconds, in all.
    """

    def __init__(self, case: Case, folder: Path, signals: Sequence[str]) -> None:
        self.case, self.signals = case, signals
        self.folder, self.kept, self.said = folder / "work", folder / "kept", folder / "said"
        self.number = self.died = self.late = 0
        self.wrong: list[str] = []
        self.spent = 0.0
        self.folder.mkdir(parents=True)
        with self._there():
            case.prepare(self.folder)
            self.words = case.line(self.folder)
            shutil.copytree(self.folder, self.kept)
            self.old = contents(self.folder)
            start = time.perf_counter()
            self.ends_with = self._run(self.words)
            self.lasts = time.perf_counter() - start
            self.new = contents(self.folder)
        if self.ends_with != 0:
            self._note([f"{case.name} ends with {self._in_words(self.ends_with)}"])

    @contextlib.contextmanager
    def _there(self) -> Iterator[None]:
        """Go to the folder, as a user whose own files are there; count the time."""
        before, start = Path.cwd(), time.perf_counter()
        os.chdir(self.folder)
        os.environ |= {"DIFPROG_HOME": str(self.folder / "home"), "EDITOR": str(self.folder / "editor")}
        os.environ.pop("VISUAL", None)
        try:
            yield
        finally:
            os.chdir(before)
            self.spent += time.perf_counter() - start

    def _run(self, words: Sequence[str]) -> int:
        return forked.wait(forked.start(words, self.said), forked.WHOLE)

    def _in_words(self, status: int) -> str:
        """Say how a command ended, and where it stood if it did not."""
        said = self.said.read_text("utf-8", "replace") if self.said.exists() else ""
        if status == forked.ENDLESS:
            at = " < ".join(":".join(found) for found in re.findall(PLACE, said)[:6])
            return f"nothing: it does not end, and is at {at or said[-300:]}"
        return f"{status}: {said.strip()[-200:]}"

    def _note(self, found: Sequence[str]) -> None:
        self.wrong += found
        for line in found:
            print(f"  wrong: {line}", flush=True)

    def stop(self, kills: int, random: Random) -> None:
        """Stop it so many times."""
        goal, most = self.died + kills, self.number + 10 * kills
        with self._there():
            while self.ends_with == 0 and self.died < goal and self.number < most:
                self.number += 1
                name = self.signals[self.number % len(self.signals)]
                found = list(self._once(name, random))
                self._note([f"{self.case.name}, {name}, kill {self.number}: {what}" for what in found])

    def _once(self, name: str, random: Random) -> Iterator[str]:
        """Stop it once; yield what is wrong."""
        restore(self.folder, self.kept)
        share = random.random() if self.number % 2 else 0.6 + 0.4 * random.random()
        start = time.perf_counter()
        child = forked.start(self.words, self.said)
        status = forked.ended(child, share * self.lasts)
        if status is None:
            send(name, child)
            status = forked.wait(child, forked.STOPPED)
        else:
            self.lasts = min(self.lasts, time.perf_counter() - start)
        self.died += status != 0
        self.late += status == 0
        if status == forked.ENDLESS:
            yield f"it ends with {self._in_words(status)}"
        for process in forked.outlived(child):
            yield f"process {process} lives on"
        yield from judged(self.case, self.old, self.new, contents(self.folder))
        if name not in ABRUPT:
            yield from (f"{path} is left" for path in hidden(self.folder))
            said = self.said.read_text("utf-8", "replace") if self.said.exists() else ""
            if "Traceback" in said:
                yield f"a traceback: {said.strip().splitlines()[-1][:100]}"
        if self.number % AGAIN == 0:
            yield from (f"when run again, {what}" for what in self._again())

    def _again(self) -> Iterator[str]:
        """Run it again upon what a killed one left; yield what differs from a whole run."""
        name = self.case.name
        if name in ("copy", "new") and any(Path(made).exists() for made in ("copied.toml", "made.toml")):
            return  # it is done, and refuses to be done again
        if name in ("unset", "resolve") and steady(contents(self.folder)) == steady(self.new):
            return  # the same
        start = time.perf_counter()
        status = self._run(self.words)
        self.lasts = time.perf_counter() - start
        if status != 0:
            yield f"it ends with {self._in_words(status)}"
        now, new = steady(contents(self.folder)), steady(self.new)
        for file in sorted({*new, *now}):
            if now.get(file) != new.get(file) and name != "edit":  # which adds another line
                yield f"{file} differs"
        for left in (*hidden(self.folder), *(p.as_posix() for p in self.folder.glob("home/drafts/*"))):
            yield f"{left} is left"
        if "run" in self.case.whole and self._run(("diff", "run", "run")) != 0:
            yield "the run cannot be loaded"


#: A line of what a process says when it is asked where it is.
PLACE = r'File ".*?([^/"]+)", line (\d+)'


def send(name: str, child: int) -> None:
    """Send a signal to a process, or to its group where a terminal would."""
    number = getattr(signal, f"SIG{name}")
    with contextlib.suppress(ProcessLookupError):
        try:
            (os.killpg if name in TERMINAL else os.kill)(child, number)
        except ProcessLookupError:  # it has no group of its own yet
            os.kill(child, number)


def steady(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return what two runs make alike: neither journals nor drafts, posteriors or times of day."""
    apart = ("cache/rank", "cache/posteriors", "home/drafts/")
    return {
        name: TIME.sub(b"", data) if name.endswith(".jsonl") else data
        for name, data in files.items() if not any(part in name for part in apart)
    }  # fmt: skip


def restore(folder: Path, kept: Path) -> None:
    """Put the files back that a command starts from."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    shutil.copytree(kept, folder, dirs_exist_ok=True)


def judged(
    case: Case, old: dict[str, bytes], new: dict[str, bytes], now: dict[str, bytes]
) -> Iterator[str]:  # fmt: skip
    """Yield what is neither old nor new."""
    from difprog.evidence import netcdf

    before, after, found = steady(old), steady(new), steady(now)
    for name in sorted({*before, *after, *found}):
        if found.get(name) not in (before.get(name), after.get(name)):
            yield f"{name} is neither the old nor the new one"
    for whole in case.whole:
        parts = [_below(whole, files) for files in (now, old, new)]
        if parts[0] not in parts[1:]:
            yield f"{whole} is part old, part new"
    for name in now:
        if "cache/posteriors" in name and netcdf.load(Path(name)) is None:
            yield f"{name} is damaged"


def _below(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name.startswith(f"{folder}/")}


def shared(kills: int, cases: Sequence[Case], of: int) -> list[list[int]]:
    """Return how many kills each command gets in each pass: one at least in the first."""
    whole = sum(case.share for case in cases)
    counts = [max(1, round(kills * case.share / whole)) for case in cases]
    ends = [[-(-count * (at + 1) // of) for at in range(of)] for count in counts]
    return [[end[at] - (end[at - 1] if at else 0) for end in ends] for at in range(of)]


def table(trials: Sequence[Trial]) -> None:
    """Print a row per command, and one of all."""
    print(f"{'command':<12}{'killed':>8}{'too late':>10}{'wrong':>7}{'s each':>8}")
    for trial in trials:
        each = trial.spent / max(1, trial.number)
        name = trial.case.name
        print(f"{name:<12}{trial.died:>8}{trial.late:>10}{len(trial.wrong):>7}{each:>8.1f}")
    died, late = sum(trial.died for trial in trials), sum(trial.late for trial in trials)
    print(f"{'all':<12}{died:>8}{late:>10}{sum(len(trial.wrong) for trial in trials):>7}", flush=True)


def main() -> int:
    """Kill, and print a table at the end of each pass."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=500, help="of all commands together")
    parser.add_argument("--command", action="append", choices=CASES, help="one of them; repeatable")
    parser.add_argument("--signal", action="append", choices=SIGNALS, help="one of them; repeatable")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    cases = [CASES[name] for name in asked.command or CASES]
    random = Random(asked.seed)
    passes = max(1, round(asked.kills / PASS))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        forked.warm()
        trials = [Trial(case, folder / case.name, asked.signal or SIGNALS) for case in cases]
        for at, counts in enumerate(shared(asked.kills, cases, passes)):
            for trial, count in zip(trials, counts, strict=True):
                trial.stop(count, random)
            print(f"pass {at + 1} of {passes}")
            table(trials)
    wrong = [line for trial in trials for line in trial.wrong]
    for line in wrong[:50]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
