"""The group of the commands of ``difprog priors``, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from difprog.cli import complete
from difprog.cli.group import Group


@click.group("priors", cls=Group, short_help="See, test and change belief files; draw and elicit beliefs.")
def command() -> None:
    """See, test and change belief files.

    FILE is a path, or a bare name ("world", a model's name, a scenario's) looked up in the
    working folder, in your own folder, then among the files that ship. Shipped files are never
    changed: what you set over them goes into your own folder.

    \b
        difprog priors show agi_arrival
        difprog priors set world agi_arrival p10=2 p90=40 --source "my reading of …"
        difprog priors unset world agi_arrival
        difprog priors diff world
    """  # noqa: D301


def model_option() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Which models are in view: a model file's own beliefs are then known like the others."""
    return click.option(
        "--model", "models", multiple=True, metavar="NAME-OR-FILE", shell_complete=complete.models,
        help="A shipped model's name or a model file's path, repeatable: what stands under it, and the "
        "beliefs that the file itself defines.",
    )  # fmt: skip


def file_argument(**kwargs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """One belief file, scenario or proposal."""
    kinds = complete.files_of("priors", "scenario", "project")
    return click.argument("file", shell_complete=kinds, **kwargs)


def belief_argument() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """One belief."""
    return click.argument("belief", shell_complete=complete.beliefs)
