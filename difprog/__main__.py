"""Run as ``python -m difprog``, and what the command ``difprog`` runs."""

from __future__ import annotations

import os
import sys

from difprog.base import processes

#: Before 3.12.8 Python keeps what a full disk let it write of a module's bytecode, and fails on it from
#: then on (gh-126606).
DAMAGED = "a module that Python compiled while the disk was full is damaged"


def run() -> None:
    """Run the command line; whatever is imported is none of the working folder's."""
    processes.leave_working_folder_out()
    from difprog.base import aside

    try:
        processes.stop_on_signals()
        from difprog.cli import main

        main()
    except KeyboardInterrupt:
        _last_word("Stopped.", 130)
    except EOFError as error:
        if "marshal" not in str(error):
            raise
        from pathlib import Path  # not before the working folder is out

        _last_word(f"difprog: {DAMAGED}: delete the folders __pycache__ in {Path(__file__).parent}", 1)
    except processes.Stopped as stopped:
        _last_word("Stopped.", stopped.status)
    finally:
        aside.clear()


def _last_word(words: str, status: int) -> None:
    """Leave; another signal must not find a half-ended interpreter to print a traceback from."""
    import signal

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with open(2, "w", closefd=False) as stream:
        stream.write(f"{words}\n")
    sys.exit(status)


if __name__ == "__main__":
    run()
