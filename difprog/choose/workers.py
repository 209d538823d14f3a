"""Who does the work of a ranking: this process, others that it starts, or a cluster.

A worker finds modules where this process finds them and nowhere in the working folder, takes no
signal from the terminal, and ends when this process ends, however that comes about.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from types import ModuleType
from typing import TYPE_CHECKING, Any

from difprog.base import processes
from difprog.base.errors import DifprogError
from difprog.choose.cluster import Submit, Work, cluster

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

#: Pieces of work that wait or run, per process.
AHEAD = 3


@contextmanager
def opened(work: Work, jobs: int, dask: str | None) -> Iterator[tuple[Submit, int]]:
    """Open what does the work, and say how many pieces of it may be under way.

    Parameters
    ----------
    work : callable
        Of a module, with arguments that can be sent to another process.
    jobs : int
        Processes.
    dask : str or None
        Address of a Dask scheduler that does the work instead.

    Raises
    ------
    DifprogError
        Where a worker process dies.
    """
    if dask is not None:
        with cluster(dask, work, AHEAD) as found:
            yield found
    elif jobs <= 1:
        yield (lambda rows: _Done(work(rows))), 1
    else:
        with _pool(work, jobs) as submit:
            yield submit, AHEAD * jobs


class _Done:
    """A result that is there already."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def result(self) -> Any:
        return self._value


@dataclass(frozen=True)
class _Worker:
    """A process that waits for work at the other end of a pipe."""

    process: SpawnProcess
    pipe: Connection

    def ask(self, rows: Sequence[Any]) -> Any:
        """Have a piece of work done; raises what the work raised."""
        try:
            self.pipe.send(rows)
            done, value = self.pipe.recv()
        except (EOFError, OSError):
            raise DifprogError(
                "a worker process died (out of memory?): run the same command again to go on from there"
            ) from None
        if not done:
            raise value
        return value


@contextmanager
def _pool(work: Work, jobs: int) -> Iterator[Submit]:
    """Start worker processes; yields what submits work to whichever of them is idle.

    They are started by this thread, which stays, and not by those of the pool: to Linux a parent
    has died when the thread has that started a process.
    """
    idle: SimpleQueue[_Worker] = SimpleQueue()
    started: list[_Worker] = []
    threads = ThreadPoolExecutor(jobs, "worker")

    def do(rows: Sequence[Any]) -> Any:
        worker = idle.get()
        try:
            return worker.ask(rows)
        finally:
            idle.put(worker)

    def submit(rows: Sequence[Any]) -> Future[Any]:
        return threads.submit(do, rows)

    try:
        with _no_interrupts():
            for _ in range(jobs):  # one by one: what was started is ended, whatever stops this
                worker = _start(work)
                started.append(worker)
        for worker in started:
            idle.put(worker)
        yield submit
    finally:
        # Whoever still works does so for nobody: the results that count were taken.
        for worker in started:
            worker.process.kill()
        threads.shutdown(wait=True, cancel_futures=True)
        for worker in started:
            worker.process.join()
            worker.pipe.close()


def _start(work: Work) -> _Worker:
    from multiprocessing import get_context

    processes.leave_working_folder_out()  # a library may have put it back
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    # A worker would import the main program of this process, which may begin a ranking on import.
    main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
    try:
        process.start()
    finally:
        sys.modules["__main__"] = main
    there.close()
    here.send(work)
    return _Worker(process, here)


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Start processes that no Ctrl-C reaches: it is for this one, which then ends them.

    A blocked signal stays blocked in what is started, from its first instruction on.
    """
    import signal
    from multiprocessing import resource_tracker

    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # where it is started it would let signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection) -> None:
    """Do what is asked for, one piece after the other, until the pipe ends.

    What the work is comes by the pipe too: importing it takes a second, in which the parent may die.
    """
    processes.die_with_parent()
    with suppress(EOFError, OSError):
        work: Work = pipe.recv()
        while True:
            rows = pipe.recv()
            answer: tuple[bool, Any]
            try:
                answer = True, work(rows)
            except Exception as error:  # whatever it is, it is raised where the work was asked for
                answer = False, error
            pipe.send(answer)
