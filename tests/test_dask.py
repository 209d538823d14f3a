"""A ranking on a real local cluster of two worker processes, one of which is killed half-way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import distributed
import pytest

from difprog.base.errors import BadInput
from difprog.choose.portfolio import read_portfolio
from difprog.choose.rank import ranked
from difprog.render import rank as shown
from tests.test_rank import REQUEST, make_table, text_of


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("rows", [150, pytest.param(1500, marks=pytest.mark.slow)])
def test_a_cluster_that_loses_a_worker_gives_the_bytes_of_one_process(
    tmp_path: Path, rows: int, short: bool
):
    rows = min(rows, 400) if short else rows
    table = make_table(tmp_path / "t.csv", rows)
    alone = text_of(table)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]
        killed = []

        def progress(done: int, _total: int) -> None:
            if done and not killed:
                os.kill(pids[0], signal.SIGKILL)
                killed.append(done)

        portfolio = read_portfolio([table])
        address = cluster.scheduler_address
        with ranked(portfolio, REQUEST, shown.entry, dask=address, progress=progress) as ranking:
            text = "".join(shown.as_json(ranking))
    assert killed
    assert killed[0] < rows
    assert text == alone


def test_no_scheduler_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("difprog.choose.cluster.PATIENCE", 0.3)
    table = make_table(tmp_path / "t.csv", 1)
    with pytest.raises(BadInput, match="no scheduler answers"):
        text_of(table, dask="tcp://127.0.0.1:9")
