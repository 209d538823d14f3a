"""``difprog models``: what each reading of the race assumes, opens and cites."""

from __future__ import annotations

import click

from difprog.cli import complete
from difprog.cli.group import Group
from difprog.cli.options import json_option


@click.group("models", cls=Group, short_help="What a model assumes, adds to the race and cites; its graph.")
def command() -> None:
    """Look at the models: the shipped ones by name, your own by path."""


@command.command("list")
@json_option()
def list_models(as_json: bool) -> None:
    """List the shipped models with their credences."""
    from difprog.forecast.setup import prepare
    from difprog.render import data, models, screen

    setup = prepare()
    if as_json:
        click.echo(data.dumps({"models": [models.plain_data(m, setup.credences) for m in setup.models]}))
    else:
        models.listing(setup, screen.console())


@command.command("show")
@click.argument("name", shell_complete=complete.models)
@click.option("--mermaid", "as_mermaid", is_flag=True, help="Print the graph as a Mermaid flowchart.")
@json_option()
def show(name: str, as_mermaid: bool, as_json: bool) -> None:
    """Show NAME, a shipped model or the path of a model file."""
    from difprog.forecast import structure
    from difprog.forecast.setup import prepare
    from difprog.render import data, models, screen

    setup = prepare([name])
    model = setup.models[0]
    if as_mermaid:
        click.echo(structure.mermaid(model))
        return
    with screen.working("building the graph"):
        found = structure.reads(model)
    if as_json:
        click.echo(data.dumps({**models.plain_data(model, setup.credences), "graph": found}))
    else:
        models.page(setup, found, screen.console())
