"""Whether a Dask cluster of two workers gives the bytes of one process, and what either takes.

Run ``python benchmarks/dask_bytes.py --draws 100 --model serial_parallel``. Ranks one made-up table
in this process, then on a local cluster; prints the processor time of each, with that of the workers, and
the SHA-256 of both JSON texts. Ends with status 1 where they differ.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from rank_cost import table  # type: ignore[import-not-found]


def ranking(path: Path, models: tuple[str, ...], draws: int, address: str | None) -> dict[str, object]:
    """Rank a table, here or on a cluster; return the hash of its JSON and what it took here."""
    from difprog.choose.portfolio import read_portfolio
    from difprog.choose.rank import ranked
    from difprog.forecast.request import Request
    from difprog.render import rank as shown

    request = Request(models=models, draws=draws, use_evidence=False)
    start, processor = time.perf_counter(), time.process_time()
    digest, size = hashlib.sha256(), 0
    with ranked(read_portfolio([str(path)]), request, shown.entry, dask=address, fresh=True) as found:
        for piece in shown.as_json(found):
            digest.update(piece.encode())
            size += len(piece)
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "processor": round(time.process_time() - processor, 1),
        "bytes": size, "sha256": digest.hexdigest(),
    }  # fmt: skip


def main() -> None:
    """Rank twice and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--model", action="append", default=[])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIFPROG_HOME"] = folder
        path = Path(folder, "table.csv")
        table(path, given.rows)
        alone = ranking(path, tuple(given.model), given.draws, None)
        print("one process", json.dumps(alone), flush=True)
        import distributed

        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster:
            there = ranking(path, tuple(given.model), given.draws, cluster.scheduler_address)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        print("two workers", json.dumps({**there, "workers": round(spent.ru_utime + spent.ru_stime, 1)}))
    same = alone["sha256"] == there["sha256"]
    print("the same bytes" if same else "OTHER BYTES")
    sys.exit(not same)


if __name__ == "__main__":
    main()
