"""What `tools.fuzz` runs: one class per kind of file that the program reads.

Each knows how to make an input, how to change one, and what the program does with it. They write
below the folder that they are given, and nowhere else.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tomllib
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
from rich.console import Console

from difprog import evidence
from difprog.base import files, plainjson, units
from difprog.base.errors import BadInput
from difprog.beliefs.beliefs import Layer, Stack
from difprog.beliefs.credences import read_credences
from difprog.beliefs.parse import read_layer
from difprog.beliefs.project import Project, read_project
from difprog.choose import journal, portfolio
from difprog.choose.best import Best
from difprog.evidence import checked, netcdf, store, tables
from difprog.forecast import forecast
from difprog.forecast.forecast import Forecast
from difprog.forecast.setup import Setup, prepare
from difprog.library import checking, drafts, edit, interview, proposals
from difprog.library.shelf import Shelf
from difprog.record import ask, log, table, tally
from difprog.render import content, explained, record, terminal
from difprog.render import data as shown
from difprog.render import explain as screen_explain
from difprog.render import log as render_log
from difprog.render import rundiff as diffed
from difprog.runs import attribution, restore, runs, saving
from difprog.why import explain
from tools import commands, wild

DRAWS = 200
#: One accepted input in so many is explained too, or compared, which takes longer.
NOW_AND_THEN = 25


@lru_cache
def setup() -> Setup:
    """Return the shipped setup, without evidence."""
    return prepare(use_evidence=False)


def one_model(data: bytes) -> Setup:
    """Return the setup of one model, chosen by the input."""
    models = setup().models
    return replace(setup(), models=(models[_number(data) % len(models)],))


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=4).digest())


def screen() -> Console:
    """Return a console that keeps what is printed to itself."""
    return Console(file=io.StringIO(), width=80, highlight=False, markup=False, emoji=False)


def presentable(project: Project, under: Setup, data: bytes) -> None:
    """Score a project and show it; every number that is due must be one."""
    found = forecast.score(project, under, DRAWS)
    _finite(found)
    out = screen()
    terminal.score(content.content(found), out, full=_number(data) % 4 == 0)
    if _number(data) % NOW_AND_THEN == 0:
        screen_explain.explain(explained.report(explain.explain(found)), out)
    assert isinstance(out.file, io.StringIO)
    if any(c < " " and c != "\n" for c in out.file.getvalue()):
        raise AssertionError("control characters reach the terminal")


def _finite(found: Forecast) -> None:
    text = shown.dumps(shown.score(found))
    told = json.loads(text)
    for part in [*told["models"], told["ensemble"]]:
        for name, values in part.items():
            if isinstance(values, Mapping) and "median" in values:
                missing = [k for k, v in values.items() if v is None]
                if missing:
                    raise AssertionError(f"{name} has no {', '.join(missing)}")


class Target:
    """A kind of input.

    Parameters
    ----------
    folder : Path
        To write inputs to.
    """

    name = ""
    kind = ""
    #: Of the processor, that an input may take.
    seconds = 5.0
    #: Whether the feedback of coverage says anything of an input.
    guided = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: Counter[tuple[str, int]] = Counter()
        self.file = folder / "input.toml"

    def seeds(self) -> list[bytes]:
        """Return inputs to begin with."""
        return [f"{n}".encode() for n in range(8)]

    def make(self, random: Random) -> bytes:
        """Return a new input."""
        return wild.text(random, self.kind).encode("utf-8", "replace") if self.kind else random.randbytes(8)

    def change(self, random: Random, data: bytes) -> bytes:
        """Return an input changed."""
        return wild.changed(random, data) if self.kind else random.randbytes(8)

    def run(self, data: bytes) -> None:
        """Let the program read it."""
        raise NotImplementedError


class Beliefs(Target):
    """A belief file, under a project that ships."""

    name = kind = "beliefs"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.project = read_project(files.find("rlhf", "project"))

    def seeds(self) -> list[bytes]:
        shipped = sorted(files.shipped("priors").glob("*.toml"))
        return [path.read_bytes() for path in shipped if path.stem != "credences"]

    def run(self, data: bytes) -> None:
        self.file.write_bytes(data)
        layer: Layer = read_layer(self.file)
        under = one_model(data)
        name = under.models[0].name
        stack = Stack((*under.stacks[name].layers, layer))
        checking.check([str(self.file)], Shelf())
        presentable(self.project, replace(under, stacks={name: stack}), data)


class Proposal(Target):
    """A proposal."""

    name = kind = "proposal"

    def seeds(self) -> list[bytes]:
        return [p.read_bytes() for p in sorted(files.shipped("priors", "projects").glob("*.toml"))]

    def run(self, data: bytes) -> None:
        self.file.write_bytes(data)
        presentable(read_project(self.file), one_model(data), data)


class Edit(Proposal):
    """A file in which one belief is set."""

    name = "edit"

    def run(self, data: bytes) -> None:
        self.file.write_bytes(data)
        text, _ = edit.text_of(self.file)
        way = (("beliefs", "agi_arrival"), ("beliefs", "leak", "open"), ("beliefs", "skill"))[len(data) % 3]
        new = {"p10": 2, "p90": 40, "source": "a \"source\" ]]#'''"}
        changed = tomllib.loads(edit.put(text, way, new))
        for key in way:
            changed = changed[key]
        if edit.read(changed) != new:
            raise AssertionError("the belief is not what was set")
        checking.validate(edit.put(text, way, new), "input")


class Draft(Target):
    """The answers that an interrupted ``difprog new`` left."""

    name, kind = "draft", "proposal"

    def seeds(self) -> list[bytes]:
        path = self.folder / "seed.toml"
        kept = proposals.keep(path, {**interview.defaults(), "name": "x", "effort": {"p5": 6, "p95": 15}})
        assert kept is not None
        return [kept.read_bytes()]

    def make(self, random: Random) -> bytes:
        return super().make(random).replace(b'"project" =', b'"answers" =', 1)

    def run(self, data: bytes) -> None:
        path = self.folder / "new.toml"
        drafts.keep(path, drafts.ANSWERS, data, "")
        answers = proposals.resume(path)
        path.unlink(missing_ok=True)
        proposals.write(path, {**interview.defaults(), **answers})
        read_project(path)


class Credences(Target):
    """The user's credences."""

    name = kind = "credences"

    def seeds(self) -> list[bytes]:
        return [files.shipped("priors", "credences.toml").read_bytes()]

    def run(self, data: bytes) -> None:
        path = files.user_folder() / "priors" / "credences.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        weights = read_credences([model.name for model in setup().models])
        checking.check([str(path)], Shelf())
        if not all(np.isfinite(w) and w >= 0 for w in weights.values()):
            raise AssertionError("a credence is no weight")
        if _number(data) % NOW_AND_THEN == 0:
            _finite(forecast.score(Beliefs(self.folder).project, replace(setup(), credences=weights), DRAWS))


class Table(Target):
    """A portfolio as CSV."""

    name, kind = "portfolio", "table"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.file = folder / "input.csv"

    def seeds(self) -> list[bytes]:
        return [wild.text(Random(n), "table").encode() for n in range(20)]

    def change(self, random: Random, data: bytes) -> bytes:
        return wild.damaged(random, data)

    def run(self, data: bytes) -> None:
        self.file.write_bytes(data)
        found = portfolio.read_portfolio([str(self.file)])
        for row in found.rows[:20]:
            try:
                project = row.loaded().project()
            except BadInput:
                continue
            if len(row.sha256) != 64 or not row.name:
                raise AssertionError("a row has no name")
            if row.number <= 2:
                presentable(project, one_model(data), data)


class Units(Target):
    """A quantity, an interval, a unit."""

    name = "units"

    def seeds(self) -> list[bytes]:
        return [t.encode("utf-8", "replace") for t in (*wild.TEXTS, *wild.UNITS)]

    def make(self, random: Random) -> bytes:
        words = [random.choice((*wild.TEXTS, *wild.UNITS, str(random.random()), "to", " ")) for _ in range(3)]
        return "".join(words).encode("utf-8", "replace")

    def change(self, random: Random, data: bytes) -> bytes:
        return wild.damaged(random, data)

    def run(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        ends = units.interval(text) or (text,)
        wanted = ("years", "person-years", "", "USD", "1/year", "FTE")[len(data) % 6]
        for end in ends:
            for value, unit in ((end, None), (end, "months"), (1.5, end)):
                try:
                    number = units.quantity(value, unit, wanted)
                except units.UnitError as error:
                    if not str(error):
                        raise AssertionError("an error without words") from None
                else:
                    if not np.isfinite(number):
                        raise AssertionError(f"{value} is {number}")


class Run(Target):
    """A saved run, damaged as it is or by someone who signs it again."""

    name = "run"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        under = prepare(["serial_parallel"], use_evidence=False)
        project = read_project(files.find("rlhf", "project"))
        self.good, self.bad = folder / "good", folder / "bad"
        for place in (self.good, self.bad):
            found = forecast.score(project, under, DRAWS)
            saving.save(found, shown.score(found), place)
        self.kept = {p.name: p.read_bytes() for p in self.good.iterdir() if p.is_file()}
        self.input = next((self.good / "inputs").iterdir())

    def run(self, data: bytes) -> None:
        random = Random(data)
        new = dict(self.kept)
        inputs = self.bad / "inputs" / self.input.name
        inputs.write_bytes(self.input.read_bytes())
        match random.randrange(6):
            case 0:
                new[random.choice(list(new))] = wild.damaged(random, new[runs.MANIFEST])
            case 1:
                new[runs.MANIFEST] = wild.changed_json(random, new[runs.MANIFEST])
            case 2:
                new[runs.SUMMARY] = wild.changed_json(random, new[runs.SUMMARY])
            case 3:
                inputs.write_bytes(wild.changed(random, self.input.read_bytes()))
            case _:
                new[runs.DRAWS] = wild.damaged(random, new[runs.DRAWS])
        if random.random() < 0.8:
            new[runs.MANIFEST] = self._signed(new, inputs)
        for name, raw in new.items():
            (self.bad / name).write_bytes(raw)
        run = runs.load(self.bad)
        found = restore.forecast(run)
        shown.dumps(shown.score(found))
        terminal.score(content.content(found), screen(), full=True)
        if _number(data) % NOW_AND_THEN == 0:
            moved = attribution.attribute(runs.load(self.good), run)
            diffed.dumps(moved)
            diffed.terminal(moved, screen())

    def _signed(self, new: Mapping[str, bytes], inputs: Path) -> bytes:
        """Return the manifest with the hashes of what is there."""
        try:
            manifest = json.loads(new[runs.MANIFEST])
            held = {**new, f"inputs/{inputs.name}": inputs.read_bytes()}
            for name, said in manifest["files"].items():
                if name in held:
                    said |= {"bytes": len(held[name]), "sha256": hashlib.sha256(held[name]).hexdigest()}
            manifest.pop("sha256", None)
            manifest["sha256"] = plainjson.digest(manifest)
            return json.dumps(manifest).encode()
        except (ValueError, TypeError, KeyError, AttributeError):
            return new[runs.MANIFEST]


class Kept(Target):
    """A kept posterior, damaged, or with notes that someone has written and signed."""

    name = "posterior"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.file = folder / "kept.nc"
        self.sound = {name: store.shipped(name).read_bytes() for name in evidence.DATASETS}

    def run(self, data: bytes) -> None:
        import h5py

        random = Random(data)
        sound = random.choice(list(self.sound.values()))
        if random.random() < 0.7:
            self.file.write_bytes(wild.damaged(random, sound))
        else:
            self.file.write_bytes(sound)
            with h5py.File(self.file, "r+") as stream:
                notes = wild.changed_json(random, stream["notes"][()].tobytes())
                arrays = {n: v[()].reshape(-1) for n, v in stream["posterior"].items() if v.ndim == 2}
                del stream["notes"]
                stream["notes"] = np.frombuffer(notes, np.uint8)
                stream.attrs["digest"] = netcdf._digest(arrays, notes)
        os.utime(self.file, ns=(_number(data), _number(data)))
        found = netcdf.load(self.file)
        if found is not None:
            for name in (*found.draws, *found.predictive):
                found.sample(name, np.arange(3), np.zeros(3))


class Evidence(Target):
    """A table of evidence."""

    name = "tables"

    def run(self, data: bytes) -> None:
        random = Random(data)
        dataset = random.choice(evidence.DATASETS)
        sound = tables.content(dataset)
        with patch.object(tables, "content", return_value=wild.damaged(random, sound)):
            checked.read(dataset)


class Journal(Target):
    """What an interrupted ranking left."""

    name = "journal"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.place = folder / "journal"
        self.hashes = [hashlib.sha256(bytes([n])).hexdigest() for n in range(3)]
        made = journal.Journal(self.place, self.hashes, 2, DRAWS)
        best = Best(2, DRAWS)
        best.add(1, [np.linspace(-1, 1, DRAWS)] * 2)
        made.append([journal.Line(n + 1, h, 0.1, "{}") for n, h in enumerate(self.hashes)], best)
        made.checkpoint()
        made.close()
        self.path = self.place / journal.NAME
        self.kept = self.path.read_bytes()

    def run(self, data: bytes) -> None:
        random = Random(data)
        self.place.mkdir(exist_ok=True)
        self.path.write_bytes(wild.damaged(random, self.kept) if random.random() < 0.4 else self.kept)
        if self.path.read_bytes() == self.kept:
            with closing(sqlite3.connect(self.path, isolation_level=None)) as rows:
                self._change(random, rows)
        found = journal.Journal(self.place, self.hashes, 2, DRAWS)
        try:
            list(found.read(found.entries))
            found.best.chances()
        finally:
            found.close()

    @staticmethod
    def _change(random: Random, rows: sqlite3.Connection) -> None:
        """Put a foreign value, or foreign arrays of who is best, where the program had its own."""
        if random.random() < 0.5:
            table, column = random.choice((
                ("rows", "number"), ("rows", "sha256"), ("rows", "effect"), ("rows", "text"),
                ("best", "state"), ("best", "digest"),
            ))  # fmt: skip
            value = random.choice((None, -1, 2**62, 1e308, "x", b"\xff", "\x00"))
            with suppress(sqlite3.IntegrityError):
                rows.execute(f"update or replace {table} set {column} = ?", (value,))
            return
        state = rows.execute("select state from best").fetchone()[0]
        full = np.full((2, DRAWS), 2**60)
        odd = (np.array(10**18), np.array("x"), np.zeros((0, 2)), full, np.array([]))
        state = _npz(state, **{random.choice(("value", "holder", "nodes")): random.choice(odd)})
        if random.random() < 0.3:
            state = state.replace(f"({DRAWS}".encode(), b"(999")
        rows.execute("update best set state = ?", (state,))


def _npz(data: bytes, **changes: Any) -> bytes:
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        arrays = {**kept, **changes}
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


class LogFile(Target):
    """A log of forecasts, and a table of them."""

    name = "log"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        project = read_project(files.find("rlhf", "project"))
        found = forecast.score(project, replace(setup(), models=setup().models[:2]), DRAWS)
        lines = ask.lines(found, date(2026, 11, 21))
        read = log.parse("\n".join(map(json.dumps, lines)).encode())
        for entry in read.entries.values():
            lines.append(log.resolution(entry, entry.yes_no or 1.5, "fuzz", datetime(2027, 1, 1, tzinfo=UTC)))
        self.lines = [json.dumps(line, sort_keys=True).encode() for line in lines]

    def seeds(self) -> list[bytes]:
        """Return the lines that a forecast comes to, and those that resolve it."""
        return [b"\n".join(self.lines), *self.lines]

    def make(self, random: Random) -> bytes:
        """Return some lines, one of them changed and under an id that is right again."""
        some = random.sample(self.lines, 4)
        some[0] = wild.changed_json(random, some[0])
        try:
            content = json.loads(some[0])
            content.pop("id", None)
            some[0] = json.dumps({**content, "id": plainjson.digest(content)[: log.ID]}).encode()
        except (RecursionError, ValueError):
            pass  # what is changed is no event any more
        return b"\n".join([*some, *self.lines])

    def change(self, random: Random, data: bytes) -> bytes:
        """Return a log changed anywhere."""
        return wild.damaged(random, data)

    def run(self, data: bytes) -> None:
        """Read it, show it, score it, write it as a table and read that."""
        found = log.parse(data)
        out = screen()
        render_log.listing(render_log.rows(found, True, date(2027, 1, 1)), found.damaged, out)
        scores = tally.record(found)
        record.terminal(scores, out)
        shown.dumps(scores)
        self.file.write_text(table.written(found), encoding="utf-8", errors="replace")
        if found.entries:
            table.taken(self.file, log.Log())


class Commands(Target):
    """A few files, and whole commands upon them; the input is where every choice comes from."""

    name = "commands"
    seconds = 60.0
    guided = False
    #: So many sessions of one frame follow one another.
    stretch = 600

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.made, self.frame = 0, b""

    def make(self, random: Random) -> bytes:
        """Return the seed of a session, of the frame of the one before for a while."""
        if self.made % self.stretch == 0:
            self.frame = random.randbytes(commands.FRAME)
        self.made += 1
        return self.frame + random.randbytes(8)

    def change(self, random: Random, _data: bytes) -> bytes:
        """Return another seed: there is nothing in one to be changed."""
        return self.make(random)

    def run(self, data: bytes) -> None:
        """Run them, and check what must hold after each."""
        self.said += commands.session(self.folder, data)


TARGETS: dict[str, type[Target]] = {
    found.name: found
    for found in (
        Beliefs, Proposal, Table, Edit, Draft, Credences, Units, Run, Kept, Evidence, Journal, LogFile,
        Commands,
    )
}  # fmt: skip

#: How the runs are shared out among the readers; whole commands are asked for by name.
SHARES = {
    "beliefs": 12, "proposal": 12, "portfolio": 14, "edit": 4, "draft": 4, "credences": 8, "units": 14,
    "run": 3, "posterior": 6, "tables": 6, "journal": 6, "log": 3,
}  # fmt: skip
