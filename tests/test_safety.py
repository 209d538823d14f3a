"""No code of the working folder run, no worker left, no file of the user's lost, nothing hidden left."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

import difprog
from difprog.base import locks, processes, writing
from difprog.cli import main
from tests import warm
from tests.warm import PROGRAM, Warm

ROOT = Path(__file__).resolve().parent.parent
PROPOSAL = '[project]\nname = "p{}"\neffort = 1\nduration = 1\n'
QUICK = ("--draws", "100", "--model", "serial_parallel", "--no-evidence")
RANK = ("rank", ".", "--jobs", "2", *QUICK)

#: Modules of the standard library and of what the program depends on, for which files lie in the folder.
SHADOWED = (
    "argparse", "arviz", "ast", "asyncio", "bisect", "bz2", "calendar", "click", "collections",
    "concurrent", "contextlib", "copy", "csv", "ctypes", "dataclasses", "datetime", "decimal", "difprog",
    "email", "enum", "fractions", "functools", "h5netcdf", "h5py", "hashlib", "heapq", "importlib_metadata",
    "inspect", "json", "logging", "matplotlib", "multiprocessing", "numba", "numpy", "pickle", "platform",
    "platformdirs", "pydantic", "pymc", "pytensor", "queue", "random", "re", "rich", "scipy", "secrets",
    "selectors", "signal", "sitecustomize", "socket", "sqlite3", "statistics", "string", "struct",
    "subprocess", "tempfile", "threading", "tomlkit", "tomllib", "typing", "usercustomize", "uuid", "weakref",
    "xarray", "zlib",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that somebody else filled: proposals, and files that leave a mark when they are run."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    for name in range(20):
        (folder / f"p{name}.toml").write_text(PROPOSAL.format(name))
    mark = f"open({str(tmp_path / 'RAN')!r}, 'a').write({{!r}} + '\\n')\n"
    for module in SHADOWED:
        (folder / f"{module}.py").write_text(mark.format(module))
    (folder / "evil.pth").write_text(f"import sys; {mark.format('evil.pth')}")
    (folder / "matplotlibrc").write_bytes(b"\xff\xfe not text")
    (folder / ".numba_config.yaml").write_text("debug: 1\n")
    return folder


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start the program as its installed script does: the script's own folder first on the path."""
    scripts = folder.parent / "bin"
    scripts.mkdir(exist_ok=True)
    script = scripts / "difprog-script"
    script.write_text(
        f"import sys\nsys.path.append({str(ROOT)!r})\nfrom difprog.__main__ import run\nrun()\n"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"} | environment
    return subprocess.Popen(
        [sys.executable, str(script), *arguments], cwd=folder, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
    )  # fmt: skip


def ends_well(process: subprocess.Popen[str]) -> str:
    """Wait for a program; return what it printed."""
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    return out


# No code of the working folder


def test_an_empty_entry_of_the_path_is_not_the_working_folder(folder: Path) -> None:
    """To Python it is; what Python itself reads before it reads difprog is not ours to keep out."""
    for module in ("sitecustomize", "usercustomize"):
        (folder / f"{module}.py").unlink()
    # Loaded by Python's own start, or by the site of an editable install.
    code = "import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    for module in {name.partition(".")[0] for name in loaded.stdout.split()} | {"difprog"}:
        (folder / f"{module}.py").unlink(missing_ok=True)
    ends_well(start(folder, "priors", "list", PYTHONPATH=os.pathsep))
    assert not (folder.parent / "RAN").exists()


def test_python_m_runs_nothing_that_lies_in_the_working_folder(folder: Path) -> None:
    for module in (*sys.stdlib_module_names, "difprog", "sitecustomize", "usercustomize"):
        (folder / f"{module}.py").unlink(missing_ok=True)  # read by Python before it reads difprog
    done = subprocess.run(
        [sys.executable, "-m", "difprog", "priors", "list"], cwd=folder, capture_output=True,
        timeout=120, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert not (folder.parent / "RAN").exists()


def test_what_shadows_a_shipped_name_is_said(here: Path) -> None:
    Path("rlhf.toml").write_text(PROPOSAL.format("not what ships"))
    done = CliRunner().invoke(main, ["score", "rlhf", *QUICK])
    assert done.exit_code == 0, done.stderr
    assert "not what ships" in done.stdout
    assert '"rlhf" is rlhf.toml in the working folder, not the one that ships' in done.stderr


# No worker left


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in found.read_text().split()] if found.exists() else []


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_ranking_that_is_stopped_leaves_no_worker(folder: Path, number: signal.Signals) -> None:
    process = Warm(*RANK[:4], "--draws", "200000", *QUICK[2:], cwd=folder)
    workers: list[int] = []
    limit = time.monotonic() + 60
    while len(workers) < 3 and process.poll() is None and time.monotonic() < limit:
        workers = children(process.pid)
        time.sleep(0.05)
    assert len(workers) >= 3, "two workers and the tracker of their resources"
    time.sleep(1.0)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0, "it was done before it could be stopped"
    assert b"Traceback" not in err
    limit = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < limit:
        time.sleep(0.1)
    assert not [pid for pid in workers if alive(pid)]


SWALLOWED = """
import os, signal, sys, time, weakref
from difprog.base import processes
processes.stop_on_signals()

class Thing:
    pass

def callback(_):
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    for _ in range(1000):
        pass

thing = Thing()
kept = weakref.ref(thing, callback)
try:
    del thing
    time.sleep(20)
except processes.Stopped as stopped:
    sys.exit(stopped.status)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_that_a_callback_swallows_is_not_lost(number: signal.Signals) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWALLOWED, number.name], cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (128 + number, "")


# No file of the user's lost


def run(*arguments: str, text: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(main, list(arguments), input=text)
    return done.exit_code, done.output


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_new_leaves_a_file_alone_that_only_looks_like_its_draft(here: Path) -> None:
    Path("grant.draft.toml").write_text("# written by hand\n")
    status, _ = run("new", "grant.toml", text="a name\n" + "\n" * 20)
    assert status == 0
    assert Path("grant.draft.toml").read_text() == "# written by hand\n"


def test_edit_leaves_a_file_alone_that_only_looks_like_its_draft(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "true")
    Path("my.toml").write_text("[beliefs]\nskill = 1\n")
    Path("my.draft.toml").write_text("[beliefs]\nskill = 2\n")
    assert run("priors", "edit", "my.toml")[0] == 0
    assert Path("my.toml").read_text() == "[beliefs]\nskill = 1\n"
    assert Path("my.draft.toml").read_text() == "[beliefs]\nskill = 2\n"


def test_a_draft_of_another_file_is_not_taken_up(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a folder in the place of one, without the note that says what it is a draft of."""
    from difprog.library import drafts

    monkeypatch.setenv("EDITOR", "true")
    mine = here / "my.toml"
    mine.write_text("[beliefs]\nskill = 1\n")
    notes: tuple[object, ...] = None, {"goal": "/another.toml", "holds": drafts.TEXT, "sha256": ""}, [], "x"
    for note in notes:
        place = drafts.place(mine)
        place.mkdir(parents=True)
        (place / "my.toml").write_text("[beliefs]\nskill = 2\n")
        if note is not None:
            (place / drafts.NOTE).write_text(json.dumps(note))
        assert run("priors", "edit", "my.toml")[0] == 0
        assert mine.read_text() == "[beliefs]\nskill = 1\n"
        assert not place.exists()


def test_a_draft_that_can_be_written_nowhere_leaves_no_folder(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the program's folder nor in the one for temporary files."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    Path("my.toml").write_text("[beliefs]\nskill = 1\n")
    (here / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(here / "temporary"))
    monkeypatch.setattr(writing, "write_atomically", full)
    monkeypatch.setenv("EDITOR", "true")
    assert run("priors", "edit", "my.toml")[0] == 2
    assert list((here / "temporary").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_an_output_never_replaces_what_is_no_regular_file(here: Path) -> None:
    """And says so before any work: what is asked for does not exist either."""
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    Path("folder").mkdir()
    for place in ("pipe", "loop", "folder", "/dev/null"):
        status, said = run("rank", "nothing", *QUICK, "--csv", place)
        assert status == 2
        assert f"{place}: cannot be written" in said
    for place in ("pipe", "loop", "/dev/null", "pipe/below"):
        for asked in (("score", "nothing", "--save"), ("report", "nothing", "-o"), ("rank", "x", "--report")):
            status, said = run(*asked, place)
            assert status == 2
            assert f"{place}: cannot be written" in said
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
    assert Path("loop").is_symlink()


# Full disks


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs limits on the size of files")
@pytest.mark.parametrize("blocks", [1, 200])
def test_a_full_disk_is_bad_input_and_leaves_nothing(tmp_path: Path, blocks: int) -> None:
    code = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({blocks * 512}, {blocks * 512}))\n" + PROGRAM
    )
    there = tmp_path / "there"
    there.mkdir()
    (there / "p.toml").write_text(PROPOSAL.format(1))
    asked = ("score", "p.toml", "--draws", "2000", *QUICK[2:], "--save", "run")
    done = warm.run(*asked, cwd=there, code=code)
    assert done.returncode == 2, done.stderr
    assert "run" in done.stderr
    assert "was not written" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in there.iterdir()] == ["p.toml"]


@pytest.mark.parametrize("module", ["cli/list.py", "cli/__init__.py"])
def test_bytecode_that_a_full_disk_cut_off_is_said(tmp_path: Path, module: str) -> None:
    """An EOFError of Python's: click would take it for the end of what is typed, and say "Stopped."."""
    package = Path(difprog.__file__).parent
    whole = py_compile.compile(str(package / module), str(tmp_path / "whole"))
    damaged = Path(f"{tmp_path}{package}", module).with_suffix(f".{sys.implementation.cache_tag}.pyc")
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(Path(str(whole)).read_bytes()[:500])
    done = subprocess.run(
        [sys.executable, "-P", "-m", "difprog", "list"], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.lstrip() == (  # click ends the line that it thinks was being typed
        f"difprog: a module that Python compiled while the disk was full is damaged: delete the folders "
        f"__pycache__ in {package}\n"
    )


@pytest.mark.parametrize("room", range(0, 200_001, 40_000))
def test_a_run_that_does_not_fit_is_no_crash_wherever_it_ends(here: Path, room: int) -> None:
    """HDF5 is not told that the disk is full: it may take the process with it."""
    Path("p.toml").write_text(PROPOSAL.format(1))
    with full_disk(room):
        status, said = run("score", "p.toml", "--draws", "2000", *QUICK[2:], "--save", "run")
    assert (status, said) == (2, "difprog: run: was not written: File too large\n")
    assert [path.name for path in here.iterdir()] == ["p.toml"]


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


#: Commands that write, and which file each says was not written.
WRITERS = {
    "report": (("report", "p.toml", *QUICK, "-o", "out"), "out/p1.md"),
    "report-html": (("report", "p.toml", *QUICK, "--html", "-o", "out"), "out/p1.html"),
    "report-again": (("report", "--from", "page/p1.html", "-o", "out"), "p1.html: its inputs"),
    "rank": (("rank", "p.toml", "q.toml", *QUICK), "rows.sqlite"),
    "allocate": (("allocate", "p.toml", "q.toml", "--budget", "1M", *QUICK, "--report", "out"), "budget.md"),
    "log-add": (("log", "add", "p.toml", *QUICK, "--file", "log.jsonl", "--seed", "2"), "log.jsonl"),
    "log-begin": (("log", "add", "p.toml", *QUICK, "--file", "other.jsonl"), "other.jsonl"),
    "log-import": (("log", "import", "log.csv", "--file", "other.jsonl"), "other.jsonl"),
    "log-export": (("log", "export", "other.csv", "--file", "log.jsonl"), "other.csv"),
    "log-score": (("log", "score", "--svg", "log.svg", "--file", "log.jsonl"), "log.svg"),
    "new": (("new", "made.toml", "--name", "Made", "--effort", "6 to 15", "--yes"), "made.toml"),
    "copy": (("priors", "copy", "world", "-o", "copied.toml"), "copied.toml"),
    "set": (("priors", "set", "mine.toml", "skill", "1 to 2", "--source", "me"), "mine.toml"),
    "set-own": (("priors", "set", "world", "skill", "1 to 2", "--source", "me"), "world.toml"),
    "elicit": (("priors", "elicit", "outcomes", "--percentiles", "p_success=80%", "--file", "mine.toml",
                "--yes"), "mine.toml"),
}  # fmt: skip


def below(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a page, a log and its table, whose disk was not full."""
    folder = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("p.toml").write_text(PROPOSAL.format(1) + "cost = 1e5\n")
        Path("q.toml").write_text(PROPOSAL.format(2) + "cost = 2e5\n")
        Path("mine.toml").write_text("[beliefs.skill]\np5 = 1\np95 = 3\n" + "# end\n" * 200)
        for words in (
            ("report", "p.toml", *QUICK, "--html", "-o", "page"),
            ("log", "add", "p.toml", *QUICK, "--file", "log.jsonl"),
            ("log", "export", "log.csv", "--file", "log.jsonl"),
        ):
            assert run(*words)[0] == 0
    return folder


@pytest.mark.parametrize("name", WRITERS)
def test_every_command_says_what_a_full_disk_kept_it_from_writing(
    written: Path, here: Path, home: Path, name: str
) -> None:
    shutil.copytree(written, here, dirs_exist_ok=True)
    before = below(here)
    words, what = WRITERS[name]
    # Room for a part of what is added to the log, for nothing of the others.
    room = Path("log.jsonl").stat().st_size + 100 if name == "log-add" else 0
    with full_disk(room):
        status, said = run(*words)
    assert status == 2, said
    assert what in said
    assert "was not written" in said
    assert "is damaged" not in said
    assert below(here) == before
    assert home.is_relative_to(here)


# Locks and parts


def test_the_lock_of_a_file_lies_beside_it_and_is_gone_afterwards(here: Path) -> None:
    mine = here / "mine.toml"
    mine.write_text("[beliefs]\nskill = 1\n")
    with locks.locked(mine):
        assert [path.name for path in here.glob(".*")] == [".mine.toml.difprog-lock"]
    assert not list(here.glob(".*"))


def test_changes_from_many_homes_are_all_kept(here: Path) -> None:
    """Each process has a user's folder of its own, and all change one file."""
    (here / "mine.toml").write_text("# mine\n")
    names = ("skill", "serial_requirement", "researchers", "agi_arrival")
    said = [
        Warm("priors", "set", str(here / "mine.toml"), name, "1 to 3", "--source", "me",
             env={**os.environ, "DIFPROG_HOME": str(here / f"home-{name}")})
        for name in names
    ]  # fmt: skip
    for process in said:
        _, err = process.communicate()
        assert process.returncode == 0, err
    text = (here / "mine.toml").read_text()
    assert all(f"[beliefs.{name}]" in text for name in names)
    assert not list(here.glob(".*"))


def test_what_a_killed_write_left_is_taken_away_by_the_next(here: Path) -> None:
    part = here / ".mine.toml.abcd1234.difprog-part"
    part.write_text("half")
    other = here / ".mine.toml.keep"
    other.write_text("the user's own")
    writing.write_atomically(here / "mine.toml", "whole")
    assert not part.exists()
    assert other.exists()


def test_what_a_signal_left_beside_a_file_is_taken_away_at_the_end(tmp_path: Path) -> None:
    """Also where it came after a lock or a part was made, and before anything watched over it."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from difprog.base import aside, locks, processes, writing\n"
        "from difprog import __main__, cli\n"
        "def stopped():\n"
        "    blocks.append(locks.locked(Path('a')))\n"
        "    blocks.append(writing._part(Path('b').resolve(), b'half'))\n"
        "    blocks.append(writing.folder_atomically(Path('c')))\n"
        "    for block in blocks:\n"
        "        block.__enter__()\n"
        "    print(*sorted(path.name.rpartition('.')[2] for path in Path().iterdir()))\n"
        "    raise processes.Stopped(15)\n"
        "blocks, cli.main = [], stopped\n"
        "__main__.run()\n"
    )
    done = warm.run(cwd=tmp_path, code=code)
    assert done.stdout.split() == ["difprog-lock", *["difprog-part"] * 3]
    assert (done.returncode, done.stderr) == (143, "Stopped.\n")
    assert not list(tmp_path.iterdir())


def test_a_signal_while_a_lock_is_taken_leaves_none(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it take away one that another process holds."""
    really, calls = locks._try_lock, []

    def stopped(descriptor: int) -> bool:
        calls.append(descriptor)
        if len(calls) == 1:
            raise processes.Stopped(15)
        return really(descriptor)

    monkeypatch.setattr(locks, "_try_lock", stopped)
    with pytest.raises(processes.Stopped), locks.locked(Path("mine.toml")):
        pass
    assert not list(here.iterdir())
    with locks.locked(Path("mine.toml")):
        calls.clear()
        with pytest.raises(processes.Stopped), locks.locked(Path("mine.toml")):
            pass
        assert [path.name for path in here.iterdir()] == [".mine.toml.difprog-lock"]
    assert not list(here.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("through", ["nullcontext()", "processes.ctrl_c_goes_through()"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_that_a_library_swallows_is_sent_again(tmp_path: Path, name: str, through: str) -> None:
    number = getattr(signal, name)
    code = (
        "import os, signal, sys, time\n"
        "from contextlib import nullcontext\n"
        "from difprog.base import processes\n"
        "from difprog import __main__, cli\n"
        "processes.HEARD = 0.2\n"
        "def swallowing():\n"
        f"    with {through}:\n"
        "        for _ in range(2):\n"
        "            try:\n"
        f"                signal.raise_signal({number})\n"
        "            except BaseException:\n"
        "                pass\n"
        "        print('swallowed', flush=True)\n"
        "        time.sleep(60)\n"
        "cli.main = swallowing\n"
        "__main__.run()\n"
    )
    done = warm.run(cwd=tmp_path, code=code)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "swallowed\n", "Stopped.\n")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_what_a_signal_leaves_half_made_is_thrown_away_without_a_word(tmp_path: Path, name: str) -> None:
    """As a file of h5netcdf, which closes itself and takes itself for whole."""
    number = getattr(signal, name)
    code = (
        "import signal\n"
        "from difprog import __main__, cli\n"
        "class Half:\n"
        "    def __init__(self):\n"
        f"        signal.raise_signal({number})\n"
        "        self.closed = False\n"
        "    def __del__(self):\n"
        "        self.closed\n"
        "cli.main = Half\n"
        "__main__.run()\n"
    )
    done = warm.run(cwd=tmp_path, code=code)
    assert (done.returncode, done.stderr) == (128 + number, "Stopped.\n")
