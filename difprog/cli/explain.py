"""The `explain` command."""

from __future__ import annotations

import click


@click.command("explain")
def command() -> None:
    """Not written yet."""
    raise click.ClickException("not written yet")
