"""No code of the working folder run, no worker left, no file of the user's lost."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from difprog.cli import main

PROPOSAL = '[project]\nname = "p{}"\neffort = 1\nduration = 1\n'
RANK = ["rank", ".", "--jobs", "2", "--draws", "100", "--model", "serial_parallel", "--no-evidence"]
SHADOWED = ("struct", "signal", "json", "numpy", "threading", "socket", "platform", "zlib")


def marker(folder: Path, module: str) -> str:
    """Return the text of a module that leaves a mark when it is run."""
    return f"open({str(folder / 'RAN')!r}, 'a').write('{module}\\n')\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of proposals, among them modules that say so when they are run."""
    for name in range(60):
        (tmp_path / f"p{name}.toml").write_text(PROPOSAL.format(name))
    for module in SHADOWED:
        (tmp_path / f"{module}.py").write_text(marker(tmp_path, module))
    return tmp_path


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    # The package is found where it lies, as an installed one is: not by way of the working folder.
    paths = [str(Path(__file__).parent.parent), *(p for p in sys.path if p.endswith("site-packages"))]
    code = f"import sys; sys.path[:0] = {paths!r}; from difprog.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, *arguments], cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONSAFEPATH": ""},
    )  # fmt: skip


def test_workers_run_nothing_that_lies_in_the_working_folder(folder: Path) -> None:
    process = start(folder, *RANK)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    assert not (folder / "RAN").exists()


def test_python_m_runs_nothing_that_lies_in_the_working_folder(folder: Path) -> None:
    for module in ("click", "importlib_metadata"):
        (folder / f"{module}.py").write_text(marker(folder, module))
    (folder / "json.py").unlink()  # what Python itself reads before it reads difprog is not ours to keep out
    done = subprocess.run(
        [sys.executable, "-m", "difprog", "--version"], cwd=folder, capture_output=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert not (folder / "RAN").exists()


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
def test_a_ranking_that_is_killed_leaves_no_worker(folder: Path) -> None:
    process = start(folder, *RANK, "--draws", "20000")
    workers: list[int] = []
    limit = time.monotonic() + 60
    while len(workers) < 3 and process.poll() is None and time.monotonic() < limit:
        workers = children(process.pid)
        time.sleep(0.05)
    assert len(workers) >= 3, "two workers and the tracker of their resources"
    time.sleep(2.0)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    limit = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < limit:
        time.sleep(0.1)
    assert not [pid for pid in workers if alive(pid)]


def run(*arguments: str, text: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(main, list(arguments), input=text)
    return done.exit_code, done.output


def test_new_leaves_a_file_alone_that_only_looks_like_its_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("grant.draft.toml").write_text("# written by hand\n")
    status, _ = run("new", "grant.toml", text="a name\n" + "\n" * 20)
    assert status == 0
    assert Path("grant.draft.toml").read_text() == "# written by hand\n"


def test_edit_leaves_a_file_alone_that_only_looks_like_its_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDITOR", "true")
    Path("my.toml").write_text("[beliefs]\nskill = 1\n")
    Path("my.draft.toml").write_text("[beliefs]\nskill = 2\n")
    assert run("priors", "edit", "my.toml")[0] == 0
    assert Path("my.toml").read_text() == "[beliefs]\nskill = 1\n"
    assert Path("my.draft.toml").read_text() == "[beliefs]\nskill = 2\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_an_output_never_replaces_what_is_no_regular_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    for place in (pipe, loop):
        status, said = run(
            "rank", "rlhf", "--draws", "100", "--model", "serial_parallel", "--no-evidence", "--csv",
            str(place),
        )
        assert status == 2, said
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs limits on the size of files")
def test_a_full_disk_is_bad_input_and_leaves_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    paths = [str(Path(__file__).parent.parent), *(p for p in sys.path if p.endswith("site-packages"))]
    code = f"import sys; sys.path[:0] = {paths!r}; from difprog.cli import main; main()"

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200 * 512, 200 * 512))

    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "score", "rlhf", "--model", "overhang", "--no-evidence",
         "--no-beliefs", "--save", "run"],
        cwd=tmp_path, capture_output=True, preexec_fn=small, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr.decode()
    assert not list(tmp_path.glob("*run*"))
