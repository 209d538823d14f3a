"""The work of `difprog rank` on a Dask cluster. Imports distributed, an optional extra, when used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from difprog.base.errors import BadInput, Problem

#: Does a piece of work, in whatever process.
Work = Callable[[Sequence[Any]], Any]

#: Hands a piece of work to whoever does it; returns something with ``result()``.
Submit = Callable[[Sequence[Any]], Any]

#: Seconds to wait for the scheduler.
PATIENCE = 10

#: How many workers may die over one piece of work before it counts as the work's fault.
RETRIES = 5


@contextmanager
def cluster(address: str, work: Work, ahead: int) -> Iterator[tuple[Submit, int]]:
    """Connect to a scheduler; yields what submits a piece of work, and how many may be under way.

    Work that was on a worker that dies is done again by another.

    Parameters
    ----------
    address : str
        Such as ``tcp://host:8786``.
    work : callable
        Scores rows.
    ahead : int
        Pieces under way per thread.

    Raises
    ------
    BadInput
        Where distributed is not installed or there is no scheduler.
    """
    try:
        from distributed import Client
    except ImportError:
        raise BadInput(
            Problem("--dask", "", "needs the package distributed", hint="install difprog[dask]")
        ) from None
    try:
        client: Any = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BadInput(
            Problem("--dask", "", f"no scheduler answers: {error}", address, "such as tcp://host:8786")
        ) from None
    try:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        threads = sum(worker["nthreads"] for worker in workers)

        def submit(rows: Sequence[Any]) -> Any:
            return client.submit(work, list(rows), pure=False, retries=RETRIES)

        yield submit, ahead * max(2, threads)
    finally:
        client.close()
