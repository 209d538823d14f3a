"""Hostile files, kills, full disks, odd environments, many processes: no traceback, no damaged file.

Short forms of ``tools/fuzz.py`` and ``tools/kill.py`` run by default, longer ones with --slow.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from difprog.base import files
from difprog.cli import main
from difprog.evidence import netcdf
from tests import warm
from tools import fuzz
from tools.targets import TARGETS

ROOT = Path(__file__).parent.parent
FAST = ("--draws", "200", "--no-evidence", "--model", "serial_parallel")
HOSTILE = (
    "[bold red]x[/bold red] [/]", "\x1b[31mred\x1b]0;title\x07\x00", "../../../etc/passwd", "a" * 4000,
    "\u202egnp", "é 😀 ∞ " + "e\u0301" * 40, "| a | b |\r\n# head", "<script>alert(1)</script>",
    "{0} %s $(id)", "\ufeff.",
)  # fmt: skip
PROPOSAL = '[project]\nname = {name}\neffort = "6 to 15"\nduration = 2\ncost = 1_000_000\n'


def call(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, list(words))


def start(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in an interpreter that is started afresh."""
    command = [sys.executable, "-m", "difprog", *words]
    options = {"capture_output": True, "text": True, "errors": "surrogateescape", "timeout": 300} | options
    if "stdout" in options:
        del options["capture_output"]
        options["stderr"] = subprocess.PIPE
    return subprocess.run(command, check=False, **options)


def sound(result: Any) -> None:
    """Check that a command ended well or with one line a problem."""
    said = result.stderr
    assert "Traceback" not in said
    assert "a bug" not in said
    assert "Warning" not in said
    lines = [line for line in said.splitlines() if line.startswith("difprog: ")]
    status = getattr(result, "exit_code", None)
    status = result.returncode if status is None else status
    assert status in (0, 2, 3)
    if status == 2:
        assert said.strip()
        assert lines or "Error:" in said


def left(folder: Path) -> list[str]:
    """Return what is in a folder but locks and the cache."""
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(n for n in names if not n.endswith(".lock") and not n.startswith("home/cache"))


@pytest.fixture
def proposal(tmp_path: Path) -> Path:
    path = tmp_path / "p.toml"
    path.write_text(PROPOSAL.format(name='"P"'))
    return path


# ---- fuzzing and kills


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_ends_in_a_traceback(name: str, tmp_path: Path) -> None:
    found = fuzz.Findings(tmp_path / "findings", name)
    fuzz.plain(TARGETS[name](tmp_path), 15, 20, found)
    assert not found.seen


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_ends_in_a_traceback_at_length(name: str, tmp_path: Path, short: bool) -> None:
    found = fuzz.Findings(tmp_path / "findings", name)
    fuzz.plain(TARGETS[name](tmp_path), 100 if short else 2000, 21, found)
    assert not found.seen


def test_the_fuzzer_sees_what_is_wrong(tmp_path: Path) -> None:
    class Broken(TARGETS["units"]):  # type: ignore[name-defined, valid-type]
        seconds = 0.05

        def run(self, data: bytes) -> None:
            while len(data) > 20:
                pass
            raise KeyError(data[:1])

    found = fuzz.Findings(tmp_path / "findings", "broken")
    fuzz.once(Broken(tmp_path), b"short", found)
    fuzz.once(Broken(tmp_path), b"long" * 10, found)
    assert {kind.partition(" ")[0] for kind in found.seen} == {"KeyError", "Hang"}


def kills(*words: str) -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "kill.py"), *words],
        capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    died, wrong = re.findall(r"^all\s+(\d+)\s+\d+\s+(\d+)", ran.stdout, re.M)[-1]
    assert int(died) >= int(words[1])
    assert wrong == "0"


def test_a_kill_leaves_the_old_file_or_the_new_one() -> None:
    kills("--kills", "6", "--command", "set", "--command", "save-over")


@pytest.mark.slow
def test_every_command_survives_kills(short: bool) -> None:
    kills("--kills", "20" if short else "200")


# ---- disks and folders


WRITERS: dict[str, tuple[str, ...]] = {
    "set": ("priors", "set", "{to}/mine.toml", "skill", "0.5 to 2"),
    "copy": ("priors", "copy", "world", "-o", "{to}/world.toml"),
    "new": ("new", "{to}/made.toml", "--name", "Made", "--effort", "6 to 15", "--yes"),
    "save": ("score", "{p}", *FAST, "--save", "{to}/run"),
    "rank": ("rank", "{p}", *FAST, "--csv", "{to}/rank.csv"),
    "portfolio": ("rank", "{p}", *FAST, "--report", "{to}/out"),
}


def words(name: str, to: Path, proposal: Path) -> list[str]:
    return [word.format(to=to, p=proposal) for word in WRITERS[name]]


FULL = """
import json, resource, sys
from click.testing import CliRunner
from difprog.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
for words in json.loads(sys.argv[1]):
    found = CliRunner().invoke(main, words)
    print(json.dumps([found.exit_code, found.stderr]))
"""


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, proposal: Path) -> None:
    """Every write beyond 300 bytes fails, as it does on a full disk."""
    to = tmp_path / "to"
    to.mkdir()
    mine = to / "mine.toml"
    mine.write_text('[beliefs.skill]\nvalue = 1\nsource = "x"\n' + "# long\n" * 300)
    before, text = left(tmp_path), mine.read_text()
    asked = json.dumps([words(name, to, proposal) for name in WRITERS])
    ran = warm.run(asked, code=FULL)
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(found) == len(WRITERS), ran.stderr
    for name, (status, said) in zip(WRITERS, found, strict=True):
        assert status == 2, (name, said)
        assert said.startswith("difprog: "), name
        assert len(said.splitlines()) == 1, name
    assert left(tmp_path) == before
    assert mine.read_text() == text


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_cannot_be_written(name: str, tmp_path: Path, proposal: Path) -> None:
    """Below a regular file nobody can write, not even root."""
    blocked = tmp_path / "file"
    blocked.write_text("a file")
    result = call(*words(name, blocked / "to", proposal))
    sound(result)
    assert result.exit_code == 2
    assert left(tmp_path) == ["file", "p.toml"]


def test_a_full_output(proposal: Path) -> None:
    """What is left to write is written once more as Python ends: so that it is started afresh."""
    for words in (("score", str(proposal), *FAST, "--json"), ("priors", "list")):
        with Path("/dev/full").open("w") as full:
            result = start(*words, stdout=full)
        sound(result)
        assert result.returncode == 2
        assert "No space left" in result.stderr


def test_a_home_that_cannot_be_written(
    tmp_path: Path, proposal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file")
    monkeypatch.setenv("DIFPROG_HOME", str(blocked / "home"))
    for asked in (("score", str(proposal), *FAST), ("rank", str(proposal), *FAST), ("priors", "list")):
        result = call(*asked)
        sound(result)
        assert result.exit_code == 0, result.stderr
    result = call("priors", "set", "world", "skill", "0.5 to 2")
    sound(result)
    assert result.exit_code == 2


# ---- environments


@pytest.mark.parametrize("where", ["nowhere", "unset"])
def test_no_home(where: str, proposal: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k not in ("HOME", "DIFPROG_HOME")}
    if where == "nowhere":
        env["HOME"] = "/nonexistent/home"
    result = start("score", str(proposal), *FAST, "--json", env=env)
    sound(result)
    assert json.loads(result.stdout)["project"]["name"] == "P"


def test_a_locale_without_utf8(tmp_path: Path) -> None:
    env = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    env["PYTHONCOERCECLOCALE"] = "0"
    path = tmp_path / "p.toml"
    path.write_bytes(PROPOSAL.format(name='"é 😀 −"').encode())
    result = start("score", str(path), *FAST, env=env, encoding="ascii", errors="strict")
    sound(result)
    assert result.returncode == 0
    result = warm.run("score", str(path), *FAST, "--json", env=env)
    assert json.loads(result.stdout)["project"]["name"] == "é 😀 −"
    result = start("priors", "show", "né", env=env)
    assert result.returncode == 2
    sound(result)


def test_streams_that_are_closed(proposal: Path) -> None:
    """What a library opens must not take the place of a stream: so that one asks for a forecast."""
    score = f"score {shlex.quote(str(proposal))} --draws 200 --no-evidence --model overhang"
    for words in (f"{score} >&- 2>&-", "priors list >&-", "priors list <&-", "priors list | head -1"):
        ran = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f'"$0" -m difprog {words}', sys.executable],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert ran.returncode == 0, words
        assert ran.stderr == ""


# ---- many at once


def at_once(count: int, asked: Callable[[int], Sequence[str]], **options: Any) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda n: warm.run(*asked(n), **options), range(count)))


REVIEWED = PROPOSAL.format(name='"P"') + "".join(
    f'[[reviews]]\nreviewer = "{who}"\nparallel_speedup = {{ p10 = {low}, p90 = {high} }}\n'
    for who, low, high in (("A", 1, 8), ("B", 0.5, 20))
)


def check_many(count: int, tmp_path: Path) -> None:
    path, mine = tmp_path / "p.toml", tmp_path / "mine.toml"
    path.write_text(REVIEWED)
    mine.write_text("# mine\n[beliefs.skill]\nvalue = 1\n")
    found = at_once(count, lambda _: ("score", str(path), *FAST, "--json"))
    assert [r.returncode for r in found] == [0] * count, found[0].stderr
    assert len({r.stdout for r in found}) == 1
    found = at_once(count, lambda _: ("rank", str(path), *FAST, "--json"))
    done = [r for r in found if r.returncode == 0]
    assert done
    assert len({r.stdout for r in done}) == 1
    assert all(r.returncode == 2 and "another process" in r.stderr for r in found if r not in done)
    change = ("priors", "set", str(mine), "skill")
    found = at_once(count, lambda n: (*change, f"value={n + 1}", "--source", f"s{n}"))
    assert [r.returncode for r in found] == [0] * count, found[0].stderr
    text = mine.read_text()
    assert text in {f'# mine\n[beliefs.skill]\nvalue = {n + 1}\nsource = "s{n}"\n' for n in range(count)}
    kept = list((files.cache_folder() / "posteriors").glob("*.nc"))
    assert all(netcdf.load(one) is not None for one in kept)
    assert left(tmp_path) == ["mine.toml", "p.toml"]


def test_processes_at_once_on_one_store(tmp_path: Path) -> None:
    check_many(2, tmp_path)


@pytest.mark.slow
def test_many_processes_at_once_on_one_store(tmp_path: Path, short: bool) -> None:
    check_many(4 if short else 20, tmp_path)


@pytest.mark.slow
def test_many_fits_at_once(tmp_path: Path, short: bool) -> None:
    """A cold store: one process fits while the others wait, or each comes to the same."""
    asked = shlex.split(
        "evidence fit --without timelines --without coupling --without parallelisation"
        " --draws 1000 --chains 2 --json"
    )
    count = 3 if short else 20
    found = at_once(count, lambda _: asked, timeout=1800)
    assert [r.returncode for r in found] == [0] * count, found[0].stderr
    assert len({re.sub(r'"seconds": [0-9.]+', "", r.stdout) for r in found}) == 1
    kept = list((files.cache_folder() / "posteriors").glob("*.nc"))
    assert len(kept) == 1
    assert netcdf.load(kept[0]) is not None


# ---- hostile names


def test_hostile_names_go_through_every_command(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for n, name in enumerate(HOSTILE):
        (folder / f"{n}.toml").write_text(PROPOSAL.format(name=json.dumps(name, ensure_ascii=False)), "utf-8")
    paths = [str(p) for p in sorted(folder.iterdir())]
    out = tmp_path / "out"
    asked: list[tuple[str, ...]] = [
        ("rank", str(folder), *FAST, "--csv", str(tmp_path / "rank.csv"), "--report", str(out)),
        ("compare", *paths[:3], *FAST),
        *(("score", path, *FAST, "--save", str(tmp_path / f"run{n}")) for n, path in enumerate(paths)),
        ("explain", paths[1], *FAST),
        ("diff", str(tmp_path / "run0"), str(tmp_path / "run1")),
        ("report", "--from", str(tmp_path / "run1"), "-o", str(out)),
    ]
    for each in asked:
        result = call(*each)
        sound(result)
        assert result.exit_code == 0, result.stderr
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", result.stdout)
    # Nothing was written but where it was told to.
    due = {"in", "out", "home", "rank.csv", *(f"run{n}" for n in range(len(HOSTILE)))}
    assert {p.name for p in tmp_path.iterdir()} <= due
    assert not list(tmp_path.parent.glob("passwd*"))


@pytest.mark.parametrize("name", ["", "   ", "\t\n"])
def test_an_empty_name_is_refused(name: str, proposal: Path) -> None:
    proposal.write_text(PROPOSAL.format(name=json.dumps(name)))
    result = call("score", str(proposal), *FAST)
    sound(result)
    assert result.exit_code == 2


def test_a_terabyte_of_nesting(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    many = 200_000
    for text in ("x = " + "[" * many, "x = " + "{a=" * many, "a." * many + "b = 1", "x = 1" + "0" * 4 * many):
        path.write_text(text)
        for asked in (("score",), ("priors", "check"), ("rank",), ("priors", "set")):
            rest = ("skill", "value=1") if asked[-1] == "set" else ()
            result = call(*asked, str(path), *rest)
            sound(result)
            assert result.exit_code == 2


# ---- saved runs


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    (folder / "p.toml").write_text(PROPOSAL.format(name='"P"'))
    assert call("score", str(folder / "p.toml"), *FAST, "--save", str(folder / "run")).exit_code == 0
    return folder / "run"


@pytest.fixture
def run(tmp_path: Path, saved: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "run"))


def _version(manifest: dict[str, Any]) -> None:
    manifest["schema"] = "difprog.run/1"


def _number(manifest: dict[str, Any]) -> None:
    manifest["seed"] = 2


def _outside(manifest: dict[str, Any]) -> None:
    manifest["files"]["../../p.toml"] = {"bytes": 1, "sha256": "0"}


@pytest.mark.parametrize("tamper", [_version, _number, _outside])
def test_a_run_that_was_tampered_with_is_refused(tamper: Callable[[dict[str, Any]], None], run: Path) -> None:
    manifest = json.loads((run / "run.json").read_text())
    tamper(manifest)
    (run / "run.json").write_text(json.dumps(manifest))
    out = str(run.parent / "out")
    for asked in (("diff", str(run), str(run)), ("report", "--from", str(run), "-o", out)):
        result = call(*asked)
        sound(result)
        assert result.exit_code == 2
    assert not (run.parent / "out").exists()


@pytest.mark.parametrize("name", ["run.json", "summary.json", "draws.nc"])
def test_a_run_with_a_changed_file_is_refused(name: str, run: Path) -> None:
    data = bytearray((run / name).read_bytes())
    data[len(data) // 2] ^= 1
    (run / name).write_bytes(bytes(data))
    result = call("diff", str(run), str(run))
    sound(result)
    assert result.exit_code == 2


def test_nothing_is_unpickled() -> None:
    sources = [*(ROOT / "difprog").rglob("*.py"), *(ROOT / "models").glob("*.py")]
    assert len(sources) > 80
    for path in sources:
        text = path.read_text("utf-8")
        for line in text.splitlines():
            assert not re.search(r"import.*\b(pickle|cloudpickle|dill|shelve|marshal|yaml)\b", line), path
            assert "allow_pickle=True" not in line
            assert "np.load(" not in line or "allow_pickle=False" in line, path
            assert not re.search(r"(?<![.\w])eval\(", line), path


# ---- exit statuses


def commands() -> Iterator[tuple[str, ...]]:
    for name in main.list_commands(None):
        found = main.get_command(None, name)
        inner = getattr(found, "commands", None)
        yield from ((name, each) for each in inner) if inner else ((name,),)


@pytest.mark.parametrize("asked", list(commands()), ids=" ".join)
def test_an_unknown_option_is_refused(asked: tuple[str, ...]) -> None:
    result = call(*asked, "--no-such-option")
    assert result.exit_code == 2
    sound(result)
    assert "--no-such-option" in result.stderr


BAD = """
nothing; score; score no-such; score no/such.toml; score a\0b; score ''; score .; score rlhf rlhf
score rlhf.tom; score rlhf --model no-such; score rlhf --priors no-such; score rlhf --draws -1
score rlhf --draws many; score rlhf --prob nan; rank rlhf --prob nan
score rlhf --prob 1.5; score rlhf --seed -3; score rlhf --publication no
explain no-such; compare no-such rlhf; compare; rank; rank no-such.csv; rank /dev/null; rank rlhf --jobs 0
report; report no-such
report --from no-such; report rlhf --from no-such; diff a; diff no-such no-such
diff /dev/null /dev/null; new; new ''; new ..; new /dev/null/x --yes; new x --yes --effort nonsense
priors show no-such; priors set world no-such p10=2; priors set world skill nonsense; priors set world
priors set world skill p10=nan p90=2; priors set world skill p10=3 p90=2; priors set no-such skill value=1
priors check no-such; priors diff no-such; priors copy no-such; priors edit no-such; priors path no
priors plot no-such; models show no-such; models show no-such.py; evidence fit --without no-such
evidence fit --draws 1; evidence list --priors no-such; verify no-such
""".strip().replace("\n", "; ").split("; ")


@pytest.mark.parametrize("asked", [*BAD, "score " + "a" * 5000], ids=lambda asked: ascii(asked[:40]))
def test_bad_input_is_refused(asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(*shlex.split(asked))
    sound(result)
    assert result.exit_code == 2
    assert left(tmp_path) == []


def test_the_traceback_is_there_for_those_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFPROG_DEBUG", "1")
    assert "Traceback" in warm.run("score", "no-such").stderr
    monkeypatch.setenv("DIFPROG_DEBUG", "0")
    assert "Traceback" not in call("score", "no-such").stderr


# ---- mutations


def test_what_is_said_of_mutants_is_of_the_modules_as_they_stand() -> None:
    listed = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text("utf-8"))["equivalent"]
    assert listed
    for entry in listed:
        source = (ROOT / "difprog" / f"{entry['module']}.py").read_text("utf-8")
        forms = source, ast.unparse(ast.parse(source))
        lines = {line.strip() for text in forms for line in text.splitlines()}
        assert entry["changes"], entry["reason"]
        for line in (line for change in entry["changes"] for line in change if line.startswith("-")):
            assert line[1:].strip() in lines, line
