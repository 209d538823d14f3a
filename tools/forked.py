"""Commands in processes forked from one that has imported everything and run nothing.

So the time of a command is spent in the command, and not in importing PyMC; and as the process that forks
has one thread, no forked one waits for a thread, or for a lock of one, that it was not given. Every wait has
an end: a process that has not ended by then is asked where it stands, killed, and told of. POSIX.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import multiprocessing
import os
import pkgutil
import resource
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

#: Seconds within which whatever a stopped command started must be gone.
GONE = 5.0

#: Seconds within which a command must have ended, on a machine that is busy with much else: by itself, and
#: when it was asked to by a signal.
WHOLE, STOPPED = 900.0, 120.0

#: What a process that does not end is reported with.
ENDLESS = -1000

#: Threads of the libraries' own, which a fork leaves behind.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

#: What commands import only when they need it.
LIBRARIES = (
    "pymc", "arviz", "xarray", "h5netcdf", "matplotlib.figure", "scipy.optimize", "scipy.stats",
    "rich.console", "rich.progress",
)  # fmt: skip

#: The signals that a command is stopped by, or asked by where it stands.
ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(words: Sequence[str]) -> int:
    """Run a command to its end; return its status."""
    return wait(start(words), WHOLE)


def start(words: Sequence[str], errors: Path | None = None) -> int:
    """Start a command in a session of its own, and return its process.

    Parameters
    ----------
    words : sequence of str
        The command line.
    errors : Path, optional
        A file for what it says on standard error.
    """
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 1
    with contextlib.suppress(BaseException):
        status = _become(words, errors)
    while True:  # whenever a signal comes, this process never goes back to what it was forked from
        with contextlib.suppress(BaseException):
            for number in ASKED:
                signal.signal(number, signal.SIG_IGN)
            for ended in multiprocessing.active_children():
                ended.kill()
            os._exit(status)


def _become(words: Sequence[str], errors: Path | None) -> int:
    """Run a command in this process as if it had just been started; return its status."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    said = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if errors else nowhere
    for stream, target in enumerate((nowhere, nowhere, said)):
        os.dup2(target, stream)
    faulthandler.register(signal.SIGUSR1, file=2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # by QUIT it would leave its memory beside the files
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):  # ignored where a shell or nohup did
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from difprog.__main__ import run as whole

    sys.argv = ["difprog", *words]
    try:
        whole()
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def ended(child: int, seconds: float) -> int | None:
    """Return the status of a process that ends within so many seconds, None of one that does not."""
    until = time.monotonic() + seconds
    pause = 0.0005
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        left = until - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(pause, left))
        pause = min(0.02, 2 * pause)


def wait(child: int, seconds: float) -> int:
    """Return the status of a process; where it does not end it says where it stands, and is killed."""
    status = ended(child, seconds)
    if status is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGUSR1)
            time.sleep(1)
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return ENDLESS
    return status


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


def warm() -> None:
    """Import what commands import, and run none of them.

    Raises
    ------
    RuntimeError
        Where this process has more than one thread then.
    """
    os.environ |= dict.fromkeys(THREADS, "1")
    import difprog
    from difprog.evidence import compilation

    compilation.keep()
    for module in pkgutil.walk_packages(difprog.__path__, "difprog."):
        if not module.name.endswith(("__main__", "cluster")):
            importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    tasks = Path("/proc/self/task")
    count = len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()
    if count > 1:
        raise RuntimeError(f"{count} threads: what is forked from here may wait for one of them for ever")
