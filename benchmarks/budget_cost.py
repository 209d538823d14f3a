"""What `difprog allocate` takes beside `difprog rank` at growing numbers of rows.

Run ``python benchmarks/budget_cost.py``. Each size runs in a process of its own, all shipped models, the same
draws: ranking a table, scoring its rows and holding their draws, the choice alone, all that is asked about
it (rules, frontier, bar, credences, what rows would need, what is worth knowing), and of that the race run
with all of the set. Processor seconds of the one process, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rank_cost import table  # type: ignore[import-not-found]

SIZES = (100, 1_000)


def one(rows: int, draws: int) -> None:
    """Allocate a third of what a made-up table costs, and rank the table, in this process."""
    from difprog.choose.candidates import candidates
    from difprog.choose.decision import decide
    from difprog.choose.portfolio import read_portfolio
    from difprog.choose.rank import ranked
    from difprog.choose.rules import choose
    from difprog.choose.together import together
    from difprog.forecast.request import Request
    from difprog.render import rank as shown

    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIFPROG_HOME"] = folder
        path = Path(folder, "table.csv")
        table(path, rows)
        request, portfolio = Request(draws=draws, use_evidence=False), read_portfolio([str(path)])

        def measured(name: str, work: Callable[[], Any]) -> Any:
            start = time.process_time()
            done = work()
            found[name] = time.process_time() - start
            return done

        def rank() -> None:
            with ranked(portfolio, request, shown.entry, 1) as ranking:
                assert len(ranking.order) == rows

        measured("rank", rank)
        stack = measured("score", lambda: candidates(portfolio, request))
        budget = float(stack.table().cost.sum()) / 3
        chosen = measured("choose", lambda: choose(stack.table(), budget))
        decision = measured("decide", lambda: decide(stack, budget))
        assert decision.choice == chosen
        measured("race", lambda: together(stack.drawn(chosen.rows), stack.credences, request.prob))
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
    print("| rows | rank, s | score and hold, s | choose, s | all asked, s | its race, s | chosen |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for rows in given.sizes:
        command = [sys.executable, __file__, "--rows", str(rows), "--draws", str(given.draws)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        cells = [f"{found[name]:.1f}" for name in ("rank", "score")]
        cells += [f"{found['choose']:.2f}", *(f"{found[name]:.1f}" for name in ("decide", "race"))]
        cells.append(str(found["chosen"]))
        print(f"| {rows:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
