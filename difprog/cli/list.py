"""``difprog list``: what a bare name can mean, and where each lies."""

from __future__ import annotations

import click

from difprog.cli.options import json_option


@click.command("list", short_help="What a bare name can mean: proposals, scenarios, models, chances.")
@json_option()
def command(as_json: bool) -> None:
    """List the proposals, portfolios, scenarios, models and published chances that a bare name can mean.

    A name is looked up in the working folder ("here"), then in your own folder ("yours"), then
    among the files that ship.
    """
    from difprog.library.catalogue import catalogue
    from difprog.render import catalogue as shown
    from difprog.render import dump, screen

    found = catalogue()
    if as_json:
        click.echo(dump.dumps(shown.data(found)))
    else:
        shown.listing(found, screen.console())
