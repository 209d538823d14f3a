"""Stop every command that writes at random points, by five signals.

    python tools/kill.py --kills 500
    python tools/kill.py --kills 50 --command save --signal KILL

Each kill starts from the same files: a command is run in a process forked from this one (which has
imported everything, so that the time is spent in the command), and stopped after a random time, half
of the times in its last quarter, where the writing is. KILL and TERM go to that process alone, INT,
HUP and QUIT to its whole group, as from a terminal. Then

* every file must be, whole, what it was before or what the finished command would have made of it;
* no process may be left within a few seconds;
* after any signal that can be caught nothing hidden, no lock and no part of a file may be left
  beside the user's files, and on standard error no traceback;
* every few kills the command is run again, to its end, upon what was left: it must come to the same
  files, and then nothing hidden, no lock and no draft may be left at all.

Exit status 1 where anything else was found. POSIX; processes are looked for where there is /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path[0] = str(Path(__file__).resolve().parent.parent)

#: What processes are stopped by: those of a terminal reach the whole group.
SIGNALS = ("KILL", "TERM", "INT", "HUP", "QUIT")
TERMINAL = ("INT", "HUP", "QUIT")

#: Those that no process can answer, or that mean to leave everything as it is.
ABRUPT = ("KILL", "QUIT")

#: What names of parts and locks end in.
LEFT = (".lock", ".difprog-part", ".difprog-lock")

#: Seconds within which whatever a stopped command started must be gone.
GONE = 5.0

#: One kill in so many is followed by the same command again.
AGAIN = 4

PROPOSAL = """[project]
name = "A project"
effort = {{ p5 = {effort}, p95 = 15 }}
duration = 2
cost = 1_000_000
"""


@dataclass(frozen=True)
class Case:
    """A command that writes.

    Attributes
    ----------
    name : str
        What it is called here.
    words : tuple of str
        The command line.
    prepare : callable
        Puts the files there that it starts from, in the working folder.
    whole : tuple of str
        Folders that are to be old or new as a whole, not only file by file.
    share : int
        How many of a hundred kills it gets.
    """

    name: str
    words: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda _: None
    whole: tuple[str, ...] = ()
    share: int = 10


def _proposals(folder: Path) -> None:
    (folder / "p.toml").write_text(PROPOSAL.format(effort=6))
    (folder / "table.csv").write_text(
        "name,effort,duration\n" + "".join(f"row {n},{n + 1} to {n + 9},2\n" for n in range(60))
    )


def _beliefs(folder: Path) -> None:
    text = "# mine\n[beliefs.agi_arrival]\np10 = 3 # low\np90 = 50\n\n[beliefs]\nskill = 1\n"
    (folder / "mine.toml").write_text(text.replace("[beliefs]\nskill = 1\n", "") + "# end\n" * 2000)


def _saved(folder: Path) -> None:
    _proposals(folder)
    run(("score", "p.toml", "--draws", "300", "--no-evidence", "--save", "run"))


def _reported(folder: Path) -> None:
    _saved(folder)
    run(("report", "--from", "run", "-o", "out"))
    run(("score", "p.toml", "--draws", "400", "--no-evidence", "--save", "run"))


def _ranked(folder: Path) -> None:
    _proposals(folder)
    (folder / "rank.csv").write_text("an older ranking\n")


def _logged(folder: Path) -> None:
    _proposals(folder)
    (folder / "log.jsonl").write_text('{"a line": "that was torn')


def _table(folder: Path) -> None:
    _logged(folder)
    run(("log", "add", "p.toml", *QUICK, "--file", "kept.jsonl"))
    run(("log", "export", "table-of-log.csv", "--file", "kept.jsonl"))


def _priced(folder: Path) -> None:
    rows = "".join(f"row {n},{n + 1} to {n + 9},2,{n + 1}e5\n" for n in range(6))
    (folder / "priced.csv").write_text(f"name,effort,duration,cost\n{rows}")


def _editor(folder: Path) -> None:
    _beliefs(folder)
    (folder / "editor").write_text('#!/bin/sh\nprintf "# more\\n" >> "$1"\n')
    (folder / "editor").chmod(0o755)


QUICK = ("--draws", "400", "--no-evidence", "--model", "serial_parallel", "--model", "overhang")
CASES = {
    case.name: case
    for case in (
        Case("set", ("priors", "set", "mine.toml", "agi_arrival", "2 to 40", "--source", "me"), _beliefs),
        Case("set-new", ("priors", "set", "world", "skill", "0.5 to 2", "--source", "me")),
        Case("copy", ("priors", "copy", "world", "-o", "copied.toml")),
        Case("edit", ("priors", "edit", "mine.toml"), _editor),
        Case("new", ("new", "made.toml", "--name", "Made", "--effort", "6 to 15", "--yes")),
        Case("save", ("score", "p.toml", *QUICK, "--save", "run"), _proposals, ("run",)),
        Case("save-over", ("score", "p.toml", *QUICK, "--save", "run"), _saved, ("run",), 20),
        Case("report", ("report", "--from", "run", "-o", "out"), _reported, share=3),
        Case("rank", ("rank", "table.csv", *QUICK, "--csv", "rank.csv", "--report", "out"), _ranked),
        Case("log", ("log", "add", "p.toml", *QUICK, "--file", "log.jsonl"), _logged),
        Case("import", ("log", "import", "table-of-log.csv", "--file", "log.jsonl"), _table),
        Case("export", ("log", "export", "out.csv", "--file", "kept.jsonl"), _table, share=5),
        Case("elicit", ("priors", "elicit", "skill", "--percentiles", "p5=1 p95=2", "--file", "mine.toml",
                        "--yes"), _beliefs, share=5),
        Case("html", ("report", "p.toml", *QUICK, "--html", "-o", "out"), _proposals, share=3),
        Case("allocate", ("allocate", "priced.csv", "--budget", "1M", *QUICK, "--report", "out"), _priced,
             share=3),
        Case("rank-jobs", ("rank", "table.csv", *QUICK, "--jobs", "2", "--csv", "rank.csv"), _ranked),
        Case("fit", ("evidence", "fit", "--without", "timelines", "--without", "parallelisation",
                     "--without", "coupling", "--draws", "1000", "--chains", "2"), share=1),
    )
}  # fmt: skip


def run(words: tuple[str, ...]) -> int:
    """Run a command in a process forked from this one, to its end; return its status."""
    return _wait(_start(words))


def _start(words: tuple[str, ...], errors: Path | None = None) -> int:
    """Start a command in a session of its own; what it says on standard error goes to a file."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    with contextlib.suppress(BaseException):
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        said = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if errors else nowhere
        for stream, target in enumerate((nowhere, nowhere, said)):
            os.dup2(target, stream)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        status = 1
        from difprog.__main__ import run as whole

        sys.argv = ["difprog", *words]
        try:
            whole()
            status = 0
        except SystemExit as left:
            status = int(left.code or 0)
        finally:
            for ended in multiprocessing.active_children():
                ended.kill()
            os._exit(status)
    os._exit(1)


def _wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def alive(session: int) -> list[int]:
    """Return the processes of a session that live, zombies not among them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            _, _, rest = entry.read_text().rpartition(")")
            state, _, _, belongs = rest.split()[:4]
            if int(belongs) == session and state not in "ZX":
                found.append(int(entry.parent.name))
    return found


def outlived(session: int) -> list[int]:
    """Return the processes that outlive a stopped command by more than `GONE` seconds, and end them."""
    until = time.monotonic() + GONE
    while (found := alive(session)) and time.monotonic() < until:
        time.sleep(0.02)
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return found


def hidden(folder: Path) -> list[str]:
    """Return what is left that only a working program may leave: parts, locks, other hidden things."""
    return sorted(
        name for name in _below_here(folder)
        if (last := name.rpartition("/")[2]).startswith(".") or last.endswith(LEFT)
    )  # fmt: skip


def _below_here(folder: Path) -> Iterator[str]:
    """Yield the names of all files and folders below one."""
    for place, folders, names in os.walk(folder):
        start = place[len(str(folder)) + 1 :].replace(os.sep, "/")
        yield from (f"{start}/{name}" if start else name for name in (*folders, *names))


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by name, without those that are left over by design."""
    found = {}
    for name in sorted(_below_here(folder)):
        parts = name.split("/")
        apart = "locks" in parts or name.endswith(".lock") or any(part.startswith(".") for part in parts)
        if not apart and (folder / name).is_file():
            found[name] = (folder / name).read_bytes()
    return found


def steady(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files that two runs of a command make alike: neither journals nor drafts, nor posteriors."""
    apart = ("cache/rank", "cache/posteriors", "home/drafts/")
    return {name: data for name, data in files.items() if not any(part in name for part in apart)}


@contextlib.contextmanager
def place(case: Case) -> Iterator[Path]:
    """Make a folder to work in, with the files that a case starts from, and go there."""
    before, home = Path.cwd(), os.environ.get("DIFPROG_HOME")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve() / "work"
        folder.mkdir()
        os.chdir(folder)
        os.environ |= {"DIFPROG_HOME": str(folder / "home"), "EDITOR": str(folder / "editor")}
        os.environ.pop("VISUAL", None)
        try:
            case.prepare(folder)
            yield folder
        finally:
            os.chdir(before)
            os.environ.pop("DIFPROG_HOME")
            if home is not None:
                os.environ["DIFPROG_HOME"] = home


def _restore(folder: Path, kept: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    shutil.copytree(kept, folder, dirs_exist_ok=True)


def kill(case: Case, kills: int, random: Random, signals: Sequence[str]) -> tuple[int, int, list[str]]:
    """Stop a command so many times; return how many ended, how many had done before, and what is wrong."""
    wrong: list[str] = []
    died = 0
    with place(case) as folder:
        kept = folder.parent / "kept"
        shutil.copytree(folder, kept)
        old = contents(folder)
        times = []
        for _ in range(2):
            _restore(folder, kept)
            start = time.perf_counter()
            status = run(case.words)
            times.append(time.perf_counter() - start)
        if status != 0:
            return 0, 0, [f"{case.name} ends with {status}"]
        new = contents(folder)
        number = 0
        while died < kills and number < 10 * kills:
            number += 1
            _restore(folder, kept)
            errors = folder.parent / "said"
            name = signals[number % len(signals)]
            child = _start(case.words, errors)
            share = random.random() if number % 2 else 0.6 + 0.4 * random.random()
            time.sleep(share * min(times))
            sent = getattr(signal, f"SIG{name}")
            stop = os.killpg if name in TERMINAL else os.kill
            with contextlib.suppress(ProcessLookupError):  # before it has a group of its own
                stop(child, sent)
            died += _wait(child) != 0
            found = [f"process {process} lives on" for process in outlived(child)]
            found += _judge(case, old, new, contents(folder))
            if name not in ABRUPT:
                found += [f"{path} is left" for path in hidden(folder)]
                said = errors.read_text("utf-8", "replace") if errors.exists() else ""
                if "Traceback" in said:
                    found.append(f"a traceback: {said.strip().splitlines()[-1][:100]}")
            if number % AGAIN == 0:
                found += [f"when run again, {what}" for what in _again(case, folder, new)]
            wrong += [f"{case.name}, {name}, kill {number}: {what}" for what in found]
    return died, number - died, wrong


def _judge(case: Case, old: dict[str, bytes], new: dict[str, bytes], now: dict[str, bytes]) -> Iterator[str]:
    """Yield what is neither old nor new."""
    from difprog.evidence import store

    for name in sorted({*steady(old), *steady(new), *steady(now)}):
        if now.get(name) not in (old.get(name), new.get(name)):
            yield f"{name} is neither the old nor the new one"
    for whole in case.whole:
        parts = [_below(whole, files) for files in (now, old, new)]
        if parts[0] not in parts[1:]:
            yield f"{whole} is part old, part new"
    for name in now:
        if "cache/posteriors" in name and store.load(Path(name)) is None:
            yield f"{name} is damaged"


def _below(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name.startswith(f"{folder}/")}


def _again(case: Case, folder: Path, new: dict[str, bytes]) -> Iterator[str]:
    """Run a command again upon what a killed one left; yield what differs from a whole run."""
    if case.name in ("copy", "new") and any((folder / n).exists() for n in ("copied.toml", "made.toml")):
        return  # it is done, and refuses to be done again
    status = run(case.words)
    if status != 0:
        yield f"it ends with {status}"
    now = steady(contents(folder))
    for name in sorted({*steady(new), *now}):
        if now.get(name) != new.get(name) and case.name != "edit":  # which adds another line
            yield f"{name} differs"
    for left in (*hidden(folder), *(p.as_posix() for p in folder.glob("home/drafts/*"))):
        yield f"{left} is left"
    if "run" in case.whole and run(("diff", "run", "run")) != 0:
        yield "the run cannot be loaded"


def warm(cases: list[Case]) -> None:
    """Import, in this process, what the commands import."""
    from difprog.cli import main

    for case in cases:
        nowhere = io.StringIO()
        with (
            place(case), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere),
            contextlib.suppress(SystemExit),
        ):  # fmt: skip
            main.main(list(case.words))


def main() -> int:
    """Kill, and print a row per command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=500, help="of all commands together")
    parser.add_argument("--command", action="append", choices=CASES, help="one of them; repeatable")
    parser.add_argument("--signal", action="append", choices=SIGNALS, help="one of them; repeatable")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    cases = [CASES[name] for name in asked.command or CASES]
    random = Random(asked.seed)
    whole = sum(case.share for case in cases)
    warm(cases)
    total = 0
    wrong: list[str] = []
    print(f"{'command':<12}{'killed':>8}{'too late':>10}{'wrong':>7}", flush=True)
    for case in cases:
        died, late, found = kill(case, -(-asked.kills * case.share // whole), random, asked.signal or SIGNALS)
        total, wrong = total + died, wrong + found
        print(f"{case.name:<12}{died:>8}{late:>10}{len(found):>7}", flush=True)
    print(f"{'all':<12}{total:>8}{'':>10}{len(wrong):>7}")
    for line in wrong[:50]:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
