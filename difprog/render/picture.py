"""The first screen as a picture: ``python -m difprog.render.picture`` writes the README's again.

An SVG of what ``difprog score`` prints, without the fonts that rich would fetch from a network.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from difprog.base import writing
from difprog.forecast.forecast import Forecast
from difprog.forecast.request import Request
from difprog.render import content, terminal

#: What is shown, how wide, and where it lies in the repository.
PROJECT, WIDTH, PLACE = "rlhf", 80, Path("docs", "score.svg")


def recorded(found: Forecast, width: int = WIDTH) -> Console:
    """Return a console that has printed a forecast's first screen and kept it."""
    screen = Console(
        record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor",
        highlight=False, markup=False, emoji=False, legacy_windows=False,
        force_jupyter=False,  # or a notebook would show every line of it, once more
    )  # fmt: skip
    terminal.score(content.content(found), screen)
    return screen


def picture(request: Request | None = None) -> str:
    """Return the picture of a proposal's first screen as SVG."""
    screen = recorded((request or Request()).score(PROJECT))
    svg = screen.export_svg(title=f"difprog score {PROJECT}", unique_id="difprog")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", "font-family: monospace")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


if __name__ == "__main__":
    import sys

    place = Path(sys.argv[1]) if len(sys.argv) > 1 else PLACE
    writing.write_atomically(place, picture())
    sys.stdout.write(f"{place}\n")
