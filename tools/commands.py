"""Whole commands for `tools.fuzz`, in this process: extreme and hostile files, and what must hold after each.

An input is the seed of a session: some files, mostly sound ones of extreme meaning (`tools.extreme`), some
hostile (`tools.wild`), and a command upon them, or a few that belong together (a run that is saved, read
back and compared; a log that is written, answered and scored). The first bytes of a seed are its frame:
which readings, and which beliefs are stated at all; sessions of one frame call what was compiled for the
first, and differ in every number, fact, file and option. Whatever the files say, after each command

* its exit status is 0, 2, or 3 where it may be; with 2 there are words on standard error, nothing on
  standard output, and no file is written;
* what it prints as JSON is JSON, without NaN and without infinity, and no number that it shows or writes
  into a page, a table or a figure is one of these;
* no traceback and no control character is printed, no warning given;
* nothing hidden is left: no lock, no part of a file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from click.testing import CliRunner, Result

from tools import extreme, wild
from tools.left import contents, hidden

#: Commands that may pass over what they cannot read, or say that a check fails.
THREE = ("rank", "allocate", "priors", "verify")

#: Commands that have commands below them.
GROUPS = ("priors", "models", "evidence", "log")

#: Numbers that are none, in what is printed or written.
NO_NUMBER = re.compile(r"(?<![\w./-])[-+−]?(nan|inf|infinity)(?![\w/-])", re.IGNORECASE)

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]")

#: Beliefs and effects that are asked about by name.
NAMED = (
    "agi_arrival", "researchers", "skill", "leak", "serial_speedup", "capability_speedup", "default_success",
    "overhang", "no_such_belief", "leak.open", "chunk_length",
)  # fmt: skip


MODELS = (
    "serial_parallel", "overhang", "alignment_tax", "narrow_superhuman", "research_grid", "./own.py",
)  # fmt: skip

#: So many first bytes of a seed are its frame.
FRAME = 4
ANSWERS = ("yes", "no", "ambiguous", "withdrawn", "3", "1e-300", "1e300", "0", "18 months")
STATED = ("2 to 40", "p5=1e-300", "value=1", "0.5", "p10=0.1 p90=0.9", "1e400", "-1 to 1")
NAMES = ("Mine", "A \"name\" # [x]", "§ = '''", "x" * 200, "0", "name = 1", "<b>bold</b>")
#: Answers that the questions of a new proposal take, or nearly.
FITTING = {
    "summary": ("Does it.", "", "a\ttab", "=1+1"),
    "kind": ("alignment", "capabilities", "applications", "field-building", "f"),
    "focus": ("average", "pessimistic", "worst", "w"),
    "approach": ("engineering", "behaviourist", "cognitivist"),
    "novelty": ("mainstream", "niche"),
    "publication": ("open", "delayed", "restricted", "closed"),
    "effort": ("6 to 15", "8 people for 2 years", "1e-300", "1e5 to 1e6", "0.001 to 1e6", "1e300"),
    "duration": ("18 months", "2", "1 day to 100 years", "1e-9", "1000"),
    "cost": ("$2.5M", "$1 to $1e12", "1e-300", "", "3k USD"),
    "criteria": ("humans", "fine-tunes, humans", "", "none"),
}
CHIPS = ("0 to 5: 4, 5 to 15: 9", "0 to 1e300: 1", "1 to 0: 3", "x")


class Wrong(Exception):
    """What a command did and may not do.

    Attributes
    ----------
    kind : str
        By which findings are told apart.
    """

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(said)
        self.kind = kind


@dataclass(frozen=True)
class Frame:
    """What sessions have in common, so that what is compiled for one of them serves the others.

    Attributes
    ----------
    readings : tuple of tuple of str
        Models that are asked for together, the usual ones first.
    names : tuple of str
        Beliefs that files may state.
    columns : tuple of str
        Of a table, beyond those that every one has.
    model : str
        The text of a model of one's own.
    """

    readings: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    columns: tuple[str, ...]
    model: str


def frame(seed: bytes) -> Frame:
    """Return the frame of a seed."""
    random = Random(seed)
    several = random.choice(((), random.sample(MODELS, 2), random.sample(MODELS, 3)))
    readings = ((random.choice(MODELS),), (random.choice(MODELS),), tuple(several))
    names = tuple(extreme.names(random, 16))
    columns = tuple(random.sample(extreme.COLUMNS, 2))
    return Frame(readings, names, columns, extreme.model(random))


class Session:
    """Some files in a folder, and commands that are run there.

    Parameters
    ----------
    folder : Path
        An empty folder, the working one meanwhile.
    random : Random
        Where every choice comes from but those of the frame.
    frame : Frame
        What sessions of one frame have in common.

    Attributes
    ----------
    said : Counter
        How often each command ended with which status.
    """

    def __init__(self, folder: Path, random: Random, frame: Frame) -> None:
        self.folder, self.random, self.frame = folder, random, frame
        self.ran: list[str] = []
        self.said: Counter[tuple[str, int]] = Counter()
        self.plain = True
        self.files()

    def files(self) -> None:
        """Write what the commands are to read."""
        random, known = self.random, self.frame.names
        for name in ("p.toml", "q.toml"):
            content = extreme.proposal(random, name, known)
            if random.random() < 0.01:
                content["reviews"] = extreme.reviews(random)
            self._write(name, wild.dump(content), "proposal")
        self._write("layer.toml", wild.dump(extreme.layer(random, known)), "beliefs")
        self._write("scene.toml", wild.dump(extreme.layer(random, known)), "beliefs")
        rows = random.choice((1, 2, 2, 4, 4, 12))
        self._write("t.csv", extreme.table(random, rows, self.frame.columns), "table")
        (self.folder / "own.py").write_text(self.frame.model)

    def _write(self, name: str, sound: str, kind: str) -> None:
        """Write a file; one in so many is hostile."""
        data = sound.encode()
        roll = self.random.random()
        if roll < 0.05:
            self.plain = False
            data = wild.text(self.random, kind).encode("utf-8", "replace")
        elif roll < 0.08:
            self.plain = False
            data = wild.damaged(self.random, data) if kind == "table" else wild.changed(self.random, data)
        (self.folder / name).write_bytes(data)

    def call(self, *words: str, text: str | None = None, json_too: bool = True) -> Result:
        """Run a command and check what must hold after any."""
        said = list(words)
        if json_too and self.random.random() < 0.6:
            said.append("--json")
        self.ran.append(" ".join(said))
        before = self._contents()
        found = invoke(said, text)
        group = said[:2] if said[0] in GROUPS else said[:1]
        self.said[" ".join(group), found.exit_code] += 1
        where = f"{'; '.join(self.ran)}\nstatus {found.exit_code}\n{found.stderr[-1500:]}"
        allowed = (0, 2, *({3} if said[0] in THREE else ()), *({130} if said[0] == "new" else ()))
        if found.exit_code not in allowed:
            again = debugged(said, text)
            raise Wrong(f"{said[0]}: status {found.exit_code}: {again[:80]}", f"{where}\n{again}")
        if "Traceback" in found.stderr or "Warning" in found.stderr:
            raise Wrong(f"{said[0]}: a traceback or a warning", where)
        # Answers are echoed on standard output, as a terminal does.
        if CONTROL.search(found.stderr if text is not None else found.output):
            raise Wrong(f"{said[0]}: control characters", f"{where}\n{found.output!r}"[:3000])
        if left := hidden(self.folder):
            raise Wrong(f"{said[0]}: {left[0]} is left", where)
        after = self._contents()
        if found.exit_code == 2:
            # A check tells what is wrong as JSON, where it is asked to.
            told = found.stdout if said[:2] != ["priors", "check"] else ""
            if not found.stderr.strip() or ("--json" in said and told):
                raise Wrong(f"{said[0]}: refused without words, or not only in words", where)
            if after != before:
                raise Wrong(f"{said[0]}: refused, and wrote", where)
        elif "--json" in said:
            strict(found.stdout, f"{said[0]}: what it prints", where)
        elif self.plain:
            self._numbers(found.stdout, said[0], where)
        if found.exit_code != 2:
            new = [name for name, data in after.items() if data != before.get(name)]
            for name in new:
                if name.endswith((".json", ".md", ".html", ".csv", ".svg")):
                    self._written(name, after[name].decode("utf-8", "replace"), said[0], where)
        return found

    def _contents(self) -> dict[str, bytes]:
        """Return all files but those of the cache, by name."""
        found = contents(self.folder)
        return {name: data for name, data in found.items() if not name.startswith("home/cache/")}

    def _written(self, name: str, text: str, command: str, where: str) -> None:
        kind = f"{command}: {Path(name).suffix}"
        if name.endswith(".json"):
            strict(text, kind, f"{where}\n{name}")
        elif self.plain:
            shown = re.sub(r"base64,[\w+/=]*|<script.*?</script>", "", text, flags=re.DOTALL)
            self._numbers(shown, kind, where)

    @staticmethod
    def _numbers(text: str, kind: str, where: str) -> None:
        if found := NO_NUMBER.search(text):
            around = text[max(0, found.start() - 150) : found.end() + 80]
            raise Wrong(f"{kind}: a number that is none", f"{where}\n…{around}…")

    # What is asked

    def request(self, draws: int | None = None, evidence: bool = True) -> list[str]:
        """Return options under which a proposal is scored."""
        random = self.random
        said = ["--draws", str(draws or random.choice((100, 100, 100, 200)))]
        # Where files change what evidence conditions it is fitted anew, which takes minutes.
        texts = Path("p.toml").read_bytes() + Path("q.toml").read_bytes()
        sound = self.plain and b"beliefs" not in texts and b"reviews" not in texts
        evidence = evidence and sound and random.random() < 0.1
        if not evidence:
            said.append("--no-evidence")
        for model in random.choices(self.frame.readings, (60, 37, 3))[0]:
            said += ["--model", model]
        if not evidence and random.random() < 0.5:
            said += ["--priors", "layer.toml"]
        if not evidence and random.random() < 0.2:
            said += ["--scenario", random.choice(("./scene.toml", "./scene.toml", "short", "pessimist"))]
        if random.random() < 0.1:
            said += extreme.believe(random)
        if random.random() < 0.15:
            said += ["--prob", random.choice(("0.5", "1e-9", "0.999999", "0.9", "0.8", "0.1", "nan"))]
        if random.random() < 0.15:
            said += ["--publication", random.choice(("open", "closed"))]
        if random.random() < 0.1:
            said += ["--seed", random.choice(("0", "9223372036854775807"))]
        return said

    def score(self) -> None:
        """Score."""
        asked = self.request()
        more = self.random.choice(((), (), (), (), ("--full",), ("--beliefs",)))
        self.call("score", "p.toml", *asked, *more)

    def save(self) -> None:
        """Keep runs, report on one, and compare them."""
        asked = self.request()
        self.call("score", "p.toml", *asked, "--save", "run")
        if Path("run").exists():
            self.call("score", "q.toml", *asked, "--save", "other", "--prob", "0.8")
            own = ("--model", "./own.py") if "./own.py" in asked else ()
            if self.random.random() < 0.3:
                self.call("report", "--from", "run", "-o", "out", *own, json_too=False)
            if Path("other").exists():
                self.call("diff", "run", "other", *own)

    def explain(self) -> None:
        """Explain, with knowledge and pilots."""
        random, more = self.random, ["--no-drivers"] if self.random.random() < 0.95 else []
        for _ in range(random.choice((0, 0, 1, 2))):
            more += ["--know", random.choice(NAMED)]
        for _ in range(random.choice((0, 0, 1))):
            error = random.choice(("20%", "0.5 years", "0", "1e-300", "1e300", "-1", "nan", "5 people"))
            price = random.choice(("$50k", "0", "1e15", "1e-300 USD", "free"))
            more += ["--pilot", f"{random.choice(NAMED)} +- {error} for {price}"]
            if random.random() < 0.5:
                more += ["--bar", random.choice(("0", "1e-300", "1e300", "2", "stein-perlman", "nan", "-3"))]
        self.call("explain", "p.toml", *self.request(), *more, *random.choice(((), ("--all",))))

    def compare(self) -> None:
        """Compare proposals, policies, or one proposal under two scenarios."""
        random = self.random
        if random.random() < 0.3:
            two = ("--scenario", "./scene.toml", "--scenario", "short")
            self.call("compare", "p.toml", *two, *self.request(evidence=False))
        else:
            more = random.choice(((), ("q.toml",), ("q.toml", "rlhf"), ("q.toml", "--policies"), ("p.toml",)))
            self.call("compare", "p.toml", *more, *self.request())

    def rank(self) -> None:
        """Rank a table, a folder or files, into a table and a page."""
        random = self.random
        what = random.choice((("t.csv",), ("t.csv",), (".",), ("p.toml", "q.toml"), ("t.csv", "p.toml")))
        more = random.choice(((), ("--csv", "rank.csv")))
        if random.random() < 0.04:
            more = ("--report", "out")
        by = ("--by", random.choice(("effect", "per-dollar", "best")))
        self.call("rank", *what, *self.request(), *by, *more)

    def allocate(self) -> None:
        """Allocate a budget over a few rows, into a memo."""
        random = self.random
        more: list[str] = []
        if random.random() < 0.2:
            more += ["--max-harm", random.choice(("0.5", "1e-9", "0.01"))]
        if random.random() < 0.1:
            more += ["--beside", random.choice(("./scene.toml", "short"))]
        if random.random() < 0.06:
            more += ["--report", "out", *random.choice(((), ("--html",)))]
        rule = ("--rule", random.choice(("expected", "worst-model", "regret")))
        budget = random.choice(("2M", "2M", "5M", "$1", "1e15", "500k", "50k", "0", "3 years"))
        what = random.choice((("t.csv",), ("t.csv",), ("p.toml", "q.toml")))
        self.call("allocate", *what, "--budget", budget, *rule, *more, *self.request())

    def log(self) -> None:
        """Keep forecasts, answer them, score them, and write them as a table and back."""
        random, kept = self.random, ("--file", "log.jsonl")
        by = random.choice(((), (), ("--by", random.choice(("2027-06-30", "2199-01-01", "0001-01-01")))))
        more = ("--question", random.choice((*NAMED, "agi_by_2035", "agi_by_9999"))) if by else ()
        self.call("log", "add", "p.toml", *self.request(), *by, *more, *kept, json_too=False)
        if not Path("log.jsonl").exists():
            return
        listed = self.call("log", "list", "--all", *kept, "--json", json_too=False)
        for entry in json.loads(listed.stdout)["forecasts"][:8]:
            answer = random.choice(ANSWERS)
            self.call("log", "resolve", str(entry["id"]), answer, "--source", "me", *kept, json_too=False)
        self.call("log", "score", *kept, *(("--svg", "log.svg") if random.random() < 0.05 else ()))
        self.call("log", "export", "log.csv", *kept, json_too=False)
        if random.random() < 0.3:
            data = wild.damaged(random, Path("log.csv").read_bytes())
            Path("log.csv").write_bytes(data)
            self.plain = False
        self.call("log", "import", "log.csv", "--file", "again.jsonl", json_too=False)

    def priors(self) -> None:
        """Look at belief files and change them."""
        random = self.random
        name = random.choice((*NAMED, *self.frame.names))
        words = re.findall(r'"(\w+)"', Path("layer.toml").read_text("utf-8", "replace"))
        if random.random() < 0.7 and (known := sorted({*words} & {*self.frame.names})):
            name = random.choice(known)
        value = random.choice(STATED)
        match random.randrange(9):
            case 0:
                self.call("priors", "list", "layer.toml")
            case 1:
                self.call("priors", "show", "layer.toml", name)
            case 2:
                self.call("priors", "plot", "layer.toml", name, json_too=False)
            case 3:
                self.call("priors", "check", random.choice(("layer.toml", "p.toml", "scene.toml")))
            case 4:
                self.call("priors", "diff", "layer.toml", *random.choice(((), ("scene.toml",))))
            case 5:
                where = random.choice(("world", "layer.toml", "layer.toml"))
                self.call("priors", "set", where, name, *value.split(), "--source", "me")
                self.call("priors", "unset", where, name, json_too=False)
            case 6:
                self.call("priors", "copy", "layer.toml", "-o", "copied.toml", json_too=False)
                if Path("copied.toml").exists():
                    self.call("priors", "check", "copied.toml")
            case 7:
                if random.random() < 0.5:
                    said = ("--percentiles", value)
                else:
                    said = ("--chips", random.choice(CHIPS))
                self.call("priors", "elicit", name, *said, "--file", "layer.toml", "--yes", json_too=False)
            case _:
                stated = ",".join(word for word in extreme.believe(random) if "=" in word)
                self.call("priors", "elicit", "outcomes", "--percentiles", stated or "p_success=0", "--file",
                          "layer.toml", "--yes", json_too=False)  # fmt: skip

    def own(self) -> None:
        """Score under the user's own beliefs and credences."""
        folder = Path("home", "priors")
        folder.mkdir(exist_ok=True)
        Path("layer.toml").rename(folder / "world.toml")
        credences = {name: self.random.choice((0, 1e-300, 1, 1e300)) for name in MODELS[:5]}
        (folder / "credences.toml").write_text(wild.dump({"credences": credences}))
        self.call("score", "p.toml", *self.request(evidence=False))

    def new(self) -> None:
        """Make a proposal by options, or by answers, with answers that are none among them."""
        random = self.random
        # Where answers end before the questions do, it is interrupted, and keeps what it has.
        self.plain = False
        if random.random() < 0.4:
            said = {key: random.choice(FITTING[key]) for key in random.sample(list(FITTING), 5)}
            if random.random() < 0.3:
                said[random.choice(list(said))] = random.choice(wild.TEXTS[:60]).replace("\x00", "")
            options = [f"--{key}={answer}" for key, answer in said.items()]
            name = f"--name={random.choice(NAMES)}"
            self.call("new", "made.toml", name, *options, "--yes", json_too=False)
        else:
            words = (*wild.TEXTS[:60], "<", "?", "", "8 people for 2 years", "18 months", "$3M", "1 to 2")
            lines = [random.choice(NAMES)]
            for key in ("name", *FITTING):
                lines += random.choices(words, k=random.choice((0, 0, 1, 2)))
                lines.append(random.choice(FITTING.get(key, NAMES)))
            # Whatever was asked instead, these answer each question that is left.
            lines += [found[0] for found in FITTING.values()] * random.choice((0, 4, 4, 4))
            answers = "\n".join(line.replace("\n", " ")[:500] for line in lines)
            self.call("new", "made.toml", text=f"{answers}\n", json_too=False)
        if Path("made.toml").exists():
            self.call("priors", "check", "made.toml")
            if random.random() < 0.3:
                self.call("score", "made.toml", *self.request(evidence=False))

    def report(self) -> None:
        """Write a page, or one file that is read back."""
        if self.random.random() < 0.5:
            self.call("report", "p.toml", *self.request(100), "-o", "out", json_too=False)
            return
        self.call("report", "p.toml", *self.request(100), "-o", "out", "--html", json_too=False)
        for page in Path("out").glob("*.html"):
            if self.random.random() < 0.3:
                page.write_bytes(wild.damaged(self.random, page.read_bytes()))
                self.plain = False
            self.call("report", "--from", str(page), "-o", "again", json_too=False)

    def look(self) -> None:
        """Look at what there is."""
        random = self.random
        found: tuple[tuple[str, ...], ...] = (
            ("list",), ("models", "list"), ("models", "show", "./own.py"), ("glossary", "microdoom"),
            ("evidence", "list", "--priors", "layer.toml"), ("priors", "path", "world"),
            ("explain", "credence"), ("glossary", random.choice(wild.TEXTS)[:200].replace("\x00", "")),
        )  # fmt: skip
        self.call(*random.choice(found))

    def run(self) -> None:
        """Run one session."""
        steps = {
            self.score: 340, self.priors: 320, self.look: 80, self.rank: 60, self.compare: 50,
            self.explain: 45, self.log: 40, self.new: 40, self.allocate: 15, self.own: 15, self.save: 3,
            self.report: 2,
        }  # fmt: skip
        self.random.choices(list(steps), list(steps.values()))[0]()


def invoke(words: list[str], text: str | None = None) -> Result:
    """Run a command in this process, with its streams kept apart."""
    from difprog.cli import main

    return CliRunner().invoke(main, words, input=text)


def debugged(words: list[str], text: str | None) -> str:
    """Run a command that ended badly again, and return where; its last line first."""
    import traceback

    os.environ["DIFPROG_DEBUG"] = "1"
    try:
        found = invoke(words, text)
    finally:
        del os.environ["DIFPROG_DEBUG"]
    if found.exc_info is None or isinstance(found.exception, SystemExit):
        return "not when it is run again"
    frames = traceback.extract_tb(found.exc_info[2])
    ours = [frame for frame in frames if "difprog" in Path(frame.filename).parts] or frames
    place = f"{type(found.exception).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return f"{place}\n{''.join(traceback.format_exception(*found.exc_info))}"


def strict(text: str, kind: str, where: str) -> None:
    """Check that a text is JSON as others read it."""

    def none(word: str) -> Any:
        raise ValueError(f"{word} is no JSON")

    try:
        json.loads(text, parse_constant=none)
    except ValueError as error:
        raise Wrong(f"{kind} is no JSON", f"{where}\n{error}\n{text[:300]}") from None


def session(folder: Path, seed: bytes) -> Counter[tuple[str, int]]:
    """Run the session of a seed in a new folder below one; return how often which command ended how."""
    place, before = folder / "session", Path.cwd()
    shutil.rmtree(place, ignore_errors=True)
    (place / "home").mkdir(parents=True)
    home = os.environ.get("DIFPROG_HOME")
    os.environ["DIFPROG_HOME"] = str(place / "home")
    os.chdir(place)
    try:
        found = Session(place, Random(seed), frame(seed[:FRAME]))
        found.run()
        return found.said
    finally:
        os.chdir(before)
        os.environ.pop("DIFPROG_HOME")
        if home is not None:
            os.environ["DIFPROG_HOME"] = home
