"""What `difprog allocate` takes beside `difprog rank` at growing numbers of rows.

Run ``python benchmarks/budget_cost.py``. Each size runs in a process of its own, all shipped models:
scoring and holding the draws of every row, the choice alone, all that is asked about it (frontier, bar,
credences, what rows would need, what is worth knowing), and ranking the same table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rank_cost import table  # type: ignore[import-not-found]

SIZES = (100, 1_000)


def one(rows: int, draws: int) -> None:
    """Allocate a third of what a made-up table costs, and rank the table, in this process."""
    from difprog.choose.candidates import candidates
    from difprog.choose.decision import decide
    from difprog.choose.portfolio import read_portfolio
    from difprog.choose.rank import ranked
    from difprog.choose.rules import choose
    from difprog.forecast.request import Request
    from difprog.render import rank as shown

    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIFPROG_HOME"] = folder
        path = Path(folder, "table.csv")
        table(path, rows)
        request, portfolio = Request(draws=draws, use_evidence=False), read_portfolio([str(path)])
        start = time.perf_counter()
        with ranked(portfolio, request, shown.entry, 1) as ranking:
            assert len(ranking.order) == rows
        found["rank"] = time.perf_counter() - start
        start = time.perf_counter()
        stack = candidates(portfolio, request)
        found["score"] = time.perf_counter() - start
        budget = float(stack.table().cost.sum()) / 3
        start = time.perf_counter()
        chosen = choose(stack.table(), budget)
        found["choose"] = time.perf_counter() - start
        start = time.perf_counter()
        assert decide(stack, budget).choice == chosen
        found["decide"] = time.perf_counter() - start
    print(json.dumps({**found, "chosen": len(chosen.rows)}))


def main() -> None:
    """Print a table of all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--draws", type=int, default=4_000)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    given = parser.parse_args()
    if given.rows is not None:
        one(given.rows, given.draws)
        return
    print("| rows | rank, s | score and hold, s | choose, s | all that is asked, s | chosen |")
    print("|---|---|---|---|---|---|", flush=True)
    for rows in given.sizes:
        command = [sys.executable, __file__, "--rows", str(rows), "--draws", str(given.draws)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        cells = [f"{found[name]:.1f}" for name in ("rank", "score")]
        cells += [f"{found['choose']:.2f}", f"{found['decide']:.1f}", f"{found['chosen']}"]
        print(f"| {rows:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
