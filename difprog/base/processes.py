"""What a process does before anything else, so that a hostile folder runs nothing and a signal ends it well.

Imports nothing but what Python itself has loaded, at its top: it is imported first.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import FrameType


#: Seconds within which what a signal raised must have ended the program; else it is sent again.
HEARD = 5.0


class Stopped(BaseException):
    """A signal asked this process to end; raised so that what is half done is cleaned up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number, self.status = number, 128 + number


def leave_working_folder_out() -> None:
    """Take the working folder off the path that modules are found on, here and in what is started.

    ``python -m`` puts it first, an empty entry of ``PYTHONPATH`` anywhere. It stays where the
    program itself lies in it: a checkout that is run without being installed.
    """
    own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:
        here = ""  # it was deleted
    found = []
    for entry in sys.path:
        where = os.path.realpath(entry) if os.path.isabs(entry) else here
        if where == os.path.realpath(own):
            found.append(own)
        elif os.path.isabs(entry) and where != here:
            found.append(entry)
    sys.path[:] = list(dict.fromkeys(found))
    os.environ["PYTHONSAFEPATH"] = "1"


def stop_on_signals() -> None:
    """Let SIGTERM and SIGHUP raise `Stopped` in place of ending the process on the spot; Ctrl-C as ever.

    A library may swallow what is raised in it, as C code does that asks for an attribute and takes any
    error for a no: a signal is sent again until the program has ended.
    """
    import signal
    import threading  # noqa: F401 - here, and not for the first time in the middle of a signal

    heard: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        heard.append(number)
        _send_in(HEARD, number)
        raise KeyboardInterrupt if number == signal.SIGINT else Stopped(number)

    usual = {"SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL, "SIGINT": signal.default_int_handler}
    for name, before in usual.items():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == before:
            signal.signal(number, stop)
    _send_again_what_was_swallowed(heard)


def _send_in(seconds: float, number: int) -> None:
    """Send this process a signal after so many seconds, if it is there then."""
    import threading

    again = threading.Timer(seconds, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _send_again_what_was_swallowed(heard: list[int]) -> None:
    """Send a signal again that was raised where Python ignores what is raised.

    That is in callbacks of weak references and in ``__del__``, in which a program that throws large
    graphs away spends a good part of its time: the signal would be lost, and a traceback printed.
    Nor is one printed for what a library cannot clean up that a signal left half made.
    """
    import signal
    from contextlib import suppress

    usual = sys.unraisablehook

    def hook(ignored: sys.UnraisableHookArgs) -> None:
        error = ignored.exc_value
        if not isinstance(error, (Stopped, KeyboardInterrupt)):
            if not heard:
                usual(ignored)
            return
        number = error.number if isinstance(error, Stopped) else int(signal.SIGINT)
        sent = False
        while not sent:
            # A moment later: at once it would be raised in here, as it is where the machine is busy.
            with suppress(Stopped, KeyboardInterrupt):
                _send_in(0.01, number)
                sent = True

    sys.unraisablehook = hook


def ctrl_c_goes_through() -> AbstractContextManager[None]:
    """Let Ctrl-C end what a library would go on with after a KeyboardInterrupt.

    PyMC takes one for "enough draws" of a chain, goes on with the next and returns half of one.
    """
    import signal
    import threading
    from contextlib import contextmanager

    @contextmanager
    def open_() -> Iterator[None]:
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or not callable(before):
            yield  # only the main thread hears signals; where Ctrl-C is ignored it stays so
            return

        def stop(number: int, frame: FrameType | None) -> None:
            try:
                before(number, frame)
            except KeyboardInterrupt:
                raise Stopped(number) from None

        signal.signal(signal.SIGINT, stop)
        try:
            yield
        except Stopped as stopped:
            if stopped.number == signal.SIGINT:
                raise KeyboardInterrupt from None
            raise
        finally:
            signal.signal(signal.SIGINT, before)

    return open_()


def die_with_parent() -> None:
    """Have this process end when the one that started it ends, however that ends.

    Linux kills it at once; everywhere a thread waits for the end of a pipe that the parent holds.
    Only in processes that `multiprocessing` started.
    """
    import threading
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        import ctypes
        import signal

        set_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent.pid:
            os._exit(1)  # it died before the call

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True, name="ends with its parent").start()


def elsewhere(folder: Path) -> AbstractContextManager[None]:
    """Go to a folder for as long as the context lasts: for libraries that read settings on import.

    matplotlib reads ``matplotlibrc`` of the working folder, numba ``.numba_config.yaml``.
    """
    from contextlib import contextmanager

    @contextmanager
    def gone() -> Iterator[None]:
        try:
            back: int | None = os.open(".", os.O_RDONLY)
        except OSError:
            back = None  # no way back to a folder that was deleted or may not be read: stay
        if back is None:
            yield
            return
        os.chdir(folder)
        try:
            yield
        finally:
            os.fchdir(back)
            os.close(back)

    return gone()


#: Libraries that read settings in the working folder, or import others that do, and that samplers import.
SAMPLERS = ("numba", "arviz")


def import_settled(*names: str) -> None:
    """Import libraries without the settings that the working folder may hold for them."""
    import importlib
    from pathlib import Path

    if all(name in sys.modules for name in names):
        return
    with elsewhere(Path(__file__).resolve().parent):
        for name in names:
            importlib.import_module(name)


__all__ = [
    "SAMPLERS", "Stopped", "ctrl_c_goes_through", "die_with_parent", "elsewhere", "import_settled",
    "leave_working_folder_out", "stop_on_signals",
]  # fmt: skip
