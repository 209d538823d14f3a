"""The commands that write, each with the files that it starts from: what `tools.kill` stops."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.forked import run

PROPOSAL = """[project]
name = "A project"
effort = {{ p5 = {effort}, p95 = 15 }}
duration = 2
cost = 1_000_000
"""


#: Stands for the id of the forecast that is kept, which hangs on the version.
ID = "ID"


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
        How many kills it gets, of as many as those of all commands come to.
    """

    name: str
    words: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda _: None
    whole: tuple[str, ...] = ()
    share: int = 10

    def line(self, folder: Path) -> tuple[str, ...]:
        """Return the command line, upon the files that are there."""
        if ID not in self.words:
            return self.words
        found = (folder / "id").read_text()
        return tuple(found if word == ID else word for word in self.words)


def _proposals(folder: Path) -> None:
    (folder / "p.toml").write_text(PROPOSAL.format(effort=6))
    (folder / "table.csv").write_text(
        "name,effort,duration\n" + "".join(f"row {n},{n + 1} to {n + 9},2\n" for n in range(60))
    )


def _beliefs(folder: Path) -> None:
    text = "# mine\n[beliefs.agi_arrival]\np10 = 3 # low\np90 = 50\n\n"
    (folder / "mine.toml").write_text(text + "# end\n" * 2000)


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


def _resolved(folder: Path) -> None:
    _logged(folder)
    run(("log", "add", "p.toml", *QUICK, "--by", "2031-01-01", "--question", "agi_arrival", *KEPT))
    lines = map(json.loads, (folder / "kept.jsonl").read_text().splitlines())
    (folder / "id").write_text(next(line["id"] for line in lines if line["event"] == "forecast"))


def _answered(folder: Path) -> None:
    _resolved(folder)
    run(("log", "resolve", (folder / "id").read_text(), "3", "--source", "me", *KEPT))


def _editor(folder: Path) -> None:
    _beliefs(folder)
    (folder / "editor").write_text('#!/bin/sh\nprintf "# more\\n" >> "$1"\n')
    (folder / "editor").chmod(0o755)


QUICK = ("--draws", "400", "--no-evidence", "--model", "serial_parallel", "--model", "overhang")
KEPT = ("--file", "kept.jsonl")
CASES = {
    case.name: case
    for case in (
        Case("set", ("priors", "set", "mine.toml", "agi_arrival", "2 to 40", "--source", "me"), _beliefs),
        Case("set-new", ("priors", "set", "world", "skill", "0.5 to 2", "--source", "me")),
        Case("unset", ("priors", "unset", "mine.toml", "agi_arrival"), _beliefs, share=5),
        Case("copy", ("priors", "copy", "world", "-o", "copied.toml")),
        Case("edit", ("priors", "edit", "mine.toml"), _editor),
        Case("new", ("new", "made.toml", "--name", "Made", "--effort", "6 to 15", "--yes")),
        Case("save", ("score", "p.toml", *QUICK, "--save", "run"), _proposals, ("run",)),
        Case("save-over", ("score", "p.toml", *QUICK, "--save", "run"), _saved, ("run",), 15),
        Case("report", ("report", "--from", "run", "-o", "out"), _reported, share=3),
        Case("rank", ("rank", "table.csv", *QUICK, "--csv", "rank.csv", "--report", "out"), _ranked),
        Case("rank-jobs", ("rank", "table.csv", *QUICK, "--jobs", "2", "--csv", "rank.csv"), _ranked,
             share=5),
        Case("log", ("log", "add", "p.toml", *QUICK, "--file", "log.jsonl"), _logged),
        Case("resolve", ("log", "resolve", ID, "3", "--source", "me", *KEPT), _resolved, share=5),
        Case("tally", ("log", "score", *KEPT, "--svg", "log.svg"), _answered, share=3),
        Case("import", ("log", "import", "table-of-log.csv", "--file", "log.jsonl"), _table, share=5),
        Case("export", ("log", "export", "out.csv", *KEPT), _table, share=5),
        Case("elicit", ("priors", "elicit", "skill", "--percentiles", "p5=1 p95=2", "--file", "mine.toml",
                        "--yes"), _beliefs, share=5),
        Case("html", ("report", "p.toml", *QUICK, "--html", "-o", "out"), _proposals, share=3),
        Case("allocate", ("allocate", "priced.csv", "--budget", "1M", *QUICK, "--report", "out"), _priced,
             share=4),
        # Fewer draws do not pass the diagnostics, and keep nothing.
        Case("fit", ("evidence", "fit", "--without", "timelines", "--without", "parallelisation",
                     "--without", "coupling", "--draws", "1000", "--chains", "2"), share=4),
    )
}  # fmt: skip
