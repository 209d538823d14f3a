"""How far a command is: a bar on a terminal, a few plain lines elsewhere. Imports nothing heavy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

#: Seconds between two lines of progress where standard error is no terminal.
LINES_EVERY = 10.0


@contextmanager
def progress_shown(task: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what is told how many of how many rows are done; -1 says that it is over."""
    if sys.stderr.isatty():
        with _bar(task) as tell:
            yield tell
    else:
        yield _Lines()


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from difprog.render import screen

    console = screen.console(stderr=True)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True), console=console, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task(name, total=None)
        first = True

        def tell(done: int, total: int) -> None:
            nonlocal first
            if done < 0:
                bar.stop()
                return
            if first and done:
                # Rows taken up took no time now: they must not flatter the time left.
                console.print(f"{done:,} of {total:,} rows taken up from an interrupted run.")
                bar.reset(task, total=total, completed=done)
            first = False
            bar.update(task, completed=done, total=total)

        yield tell


class _Lines:
    """Progress as plain lines, few of them."""

    def __init__(self) -> None:
        import time

        self._clock = time.monotonic
        self._last = self._clock()
        self._first = True

    def __call__(self, done: int, total: int) -> None:
        if self._first and done > 0:
            click.echo(f"difprog: {done:,} of {total:,} rows taken up from an interrupted run.", err=True)
        self._first = False
        if 0 < done < total and self._clock() - self._last >= LINES_EVERY:
            self._last = self._clock()
            click.echo(f"difprog: {done:,} of {total:,} rows", err=True)
