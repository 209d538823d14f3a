"""Cost per row and peak memory of `difprog rank` at growing numbers of rows.

Run ``python benchmarks/rank_cost.py``. Each size runs in a process of its own, all shipped
models. Prints seconds by the clock, processor time per row (of one process, what other work on
the machine disturbs less) and peak memory, with ratios to the smallest portfolio: a flat cost
has ratios near 1.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (100, 1_000, 10_000)

COLUMNS = (
    "name", "kind", "focus", "approach", "novelty", "publication", "effort", "duration", "cost",
    "criteria", "tag",
)  # fmt: skip


def table(path: Path, rows: int) -> None:
    """Write a table of made-up proposals, no two alike."""
    rng = random.Random(rows)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for i in range(rows):
            low = rng.uniform(0.5, 8)
            writer.writerow(
                [
                    f"proposal {i}", "alignment",
                    rng.choice(["average", "pessimistic", "worst"]),
                    rng.choice(["engineering", "behaviourist", "cognitivist"]),
                    rng.choice(["mainstream", "niche"]),
                    rng.choice(["open", "delayed", "restricted", "closed"]),
                    f"{low:.2f} to {low * rng.uniform(1.5, 4):.2f}",
                    round(rng.uniform(0.5, 4), 2), rng.randrange(50_000, 5_000_000),
                    rng.choice(["", "no-scaling humans", "fine-tunes no-scaling humans useful"]), i,
                ]
            )  # fmt: skip


def one(rows: int, draws: int, jobs: int) -> None:
    """Rank one made-up table in this process and print what it took."""
    from difprog.choose.portfolio import read_portfolio
    from difprog.choose.rank import ranked
    from difprog.forecast.request import Request
    from difprog.render import rank as shown

    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIFPROG_HOME"] = folder
        path = Path(folder, "table.csv")
        table(path, rows)
        start, processor = time.perf_counter(), time.process_time()
        request = Request(draws=draws, use_evidence=False)
        with ranked(read_portfolio([str(path)]), request, shown.entry, jobs) as ranking:
            size = sum(len(piece) for piece in shown.as_json(ranking))
            assert len(ranking.order) == rows
        seconds = time.perf_counter() - start
    processor = time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "processor": processor, "mib": memory, "json": size}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--draws", type=int, default=4_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    given = parser.parse_args()
    if given.rows is not None:
        one(given.rows, given.draws, given.jobs)
        return
    first = None
    print(f"{'rows':>7} {'seconds':>8} {'CPU ms/row':>10} {'ratio':>6} {'MiB':>6} {'ratio':>6}", flush=True)
    for rows in given.sizes:
        command = [sys.executable, __file__, "--rows", str(rows), "--draws", str(given.draws),
                   "--jobs", str(given.jobs)]  # fmt: skip
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        per_row = found["processor"] / rows
        first = first or (per_row, found["mib"])
        print(
            f"{rows:>7} {found['seconds']:>8.1f} {1e3 * per_row:>10.1f} {per_row / first[0]:>6.2f} "
            f"{found['mib']:>6.0f} {found['mib'] / first[1]:>6.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
