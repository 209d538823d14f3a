"""``difprog priors``: see, test and change belief files."""

from __future__ import annotations

import click


@click.group("priors", short_help="See, test and change belief files; draw and elicit beliefs.")
def command() -> None:
    """See, test and change belief files.

    FILE is a path, or a bare name ("world", a model's name) looked up beside the working
    folder, in your own folder, then among the files that ship. Shipped files are never
    changed: what you set over them goes into your own folder.

    \b
        difprog priors show agi_arrival
        difprog priors set world agi_arrival p10=2 p90=40 --source "my reading of …"
        difprog priors diff world
    """  # noqa: D301


# The commands add themselves to the group; they import it, so it comes first.
from difprog.cli.priors import change, see  # noqa: E402

__all__ = ["change", "command", "see"]
