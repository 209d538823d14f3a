"""The program in processes of their own that need not import everything anew.

A process that is started afresh spends two to three seconds on importing PyMC. Where a test asks what
the *program* does in a process of its own (its signals, streams, exit status, locks), and not how
Python finds its modules, it is forked from one process that has imported all of it. Each is a
process like any other, with an environment,
a working folder, streams and signals of its own. Run by itself this module is the process that forks.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

PROGRAM = "from difprog.__main__ import run; run()"


# ---- the process that forks


def serve(address: str) -> None:
    """Fork a process for each that is asked for, until standard input ends."""
    sys.path[0] = str(ROOT)
    import importlib

    from difprog.cli import COMMANDS

    for name in ("pymc", "arviz", "xarray", "matplotlib.figure", "rich.console", "difprog.forecast.forecast"):
        importlib.import_module(name)
    for name in COMMANDS.values():
        importlib.import_module(f"difprog.cli.{name}")
    for name in list(sys.modules):
        assert not name.startswith("tests."), name
    import gc

    gc.collect()
    gc.freeze()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        ready, _, _ = select.select([listening, sys.stdin], [], [])
        if listening not in ready:
            return
        connection, _ = listening.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            _keep(connection)
        connection.close()


def _keep(connection: socket.socket) -> None:
    """Start one process; say its id, and how it ended."""
    asked, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    child = os.fork()
    if child == 0:
        connection.close()
        _become(json.loads(asked), streams)
    for stream in streams:
        os.close(stream)
    connection.sendall(f"{child}\n".encode())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):
        connection.sendall(f"{status}\n".encode())
    os._exit(0)


def _become(asked: Mapping[str, Any], streams: Sequence[int]) -> None:
    """Run the program, or other code, with these words, as if it had just been started."""
    status = 70
    try:
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        for stream in streams:
            os.close(stream)
        written = asked["env"].get("PYTHONIOENCODING", "utf-8")
        sys.stdin = open(0, encoding=written, closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding=written, closefd=False)  # noqa: SIM115
        sys.stderr = open(  # noqa: SIM115
            2, "w", encoding=written, errors="backslashreplace", buffering=1, closefd=False
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = ["difprog", *asked["words"]]
        try:
            exec(compile(asked["code"], "<code>", "exec"), {"__name__": "__main__"})
            status = 0
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else int(left.code is not None)
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


# ---- those that ask it


class Warm:
    """A process of the program, or of other code; what of `subprocess.Popen` the tests use."""

    def __init__(
        self, *words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None,
        stdout: Any = subprocess.PIPE, code: str = PROGRAM,
    ) -> None:  # fmt: skip
        self.returncode: int | None = None
        outs: list[int | None] = []
        ends: list[int] = []
        nowhere = os.open(os.devnull, os.O_RDONLY)
        for target in (stdout, subprocess.PIPE):
            if target == subprocess.PIPE:
                ours, theirs = os.pipe()
                outs.append(ours)
                ends.append(theirs)
            else:
                outs.append(None)
                ends.append(os.dup(target.fileno()))
        self._outs = outs
        asked = {
            "words": words, "cwd": str(cwd or Path.cwd()), "code": code,
            "env": dict(os.environ if env is None else env),
        }  # fmt: skip
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(_address())
        socket.send_fds(self._connection, [json.dumps(asked).encode()], [nowhere, *ends])
        for end in (nowhere, *ends):
            os.close(end)
        self._said = self._connection.makefile("r")
        self.pid = int(self._said.readline())

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def first_line(self) -> bytes:
        """Wait for the first line on standard error; it is taken."""
        stream, found = self._outs[1], b""
        assert stream is not None
        while not found.endswith(b"\n") and (piece := os.read(stream, 1)):
            found += piece
        return found

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float = 300) -> int:
        """Wait for its end; minus the number of the signal that ended it, as elsewhere."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                os.kill(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired("difprog", timeout)
            self.returncode = int(self._said.readline())
            self._said.close()
            self._connection.close()
        return self.returncode

    def communicate(self, timeout: float = 300) -> tuple[bytes, bytes]:
        """Return what it printed, once it has ended."""
        said: dict[int, bytes] = {stream: b"" for stream in self._outs if stream is not None}
        waiting = set(said)
        while waiting:
            ready = select.select(list(waiting), [], [], timeout)[0]
            if not ready:
                os.kill(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired("difprog", timeout)
            for stream in ready:
                piece = os.read(stream, 1 << 16)
                said[stream] += piece
                if not piece:
                    waiting.remove(stream)
                    os.close(stream)
        self.wait(timeout)
        out, err = (b"" if stream is None else said[stream] for stream in self._outs)
        return out, err


def run(*words: str, timeout: float = 300, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process of its own."""
    process = Warm(*words, **how)
    out, err = process.communicate(timeout)
    assert process.returncode is not None
    text = (part.decode("utf-8", "surrogateescape") for part in (out, err))
    return subprocess.CompletedProcess(words, process.returncode, *text)


_SERVER: list[tuple[subprocess.Popen[str], str]] = []


def _address() -> str:
    """Start the process that forks, if it is not there yet; return where it listens."""
    if not _SERVER:
        folder = tempfile.TemporaryDirectory(prefix="warm-")
        atexit.register(folder.cleanup)
        address = f"{folder.name}/s"
        command = [sys.executable, str(Path(__file__).resolve()), address]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"

        def end() -> None:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.close()
            server.stdout.close()
            server.wait(10)

        atexit.register(end)
        _SERVER.append((server, address))
    return _SERVER[0][1]


if __name__ == "__main__":
    serve(sys.argv[1])
