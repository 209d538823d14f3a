"""Progress of several pieces of work on standard error: bars on a terminal, a line each in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from difprog.base.pace import Pace
from difprog.render.screen import text

Tick = Callable[[str, int, int], None]


@contextmanager
def progress(screen: Console) -> Iterator[Tick]:
    """Yield ``tick(what, done, of)``, to be called as work goes on.

    Parameters
    ----------
    screen : Console
        Of standard error.
    """
    if not screen.is_terminal:
        paces: dict[str, Pace] = {}

        def line(what: str, done: int, of: int) -> None:
            if what not in paces:
                paces[what] = Pace()
                screen.print(text(f"{what}: {of:,} steps"))
            if words := paces[what](done, of):
                screen.print(text(f"{what}: {words}"))
            if done >= of:
                screen.print(text(f"{what}: done"))

        yield line
        return
    columns = (TextColumn("{task.description:<18}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeRemainingColumn(), console=screen, transient=True) as bars:
        tasks = {}

        def bar(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done)

        yield bar
