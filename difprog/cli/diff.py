"""``difprog diff``: what moved between two saved runs, and what moved it."""

from __future__ import annotations

from pathlib import Path

import click

from difprog.cli.options import json_option


@click.command("diff", short_help="Two saved runs: what moved, and which change moved it.")
@click.argument("first", type=click.Path(path_type=Path), metavar="RUN")
@click.argument("second", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "--model", "models", multiple=True, metavar="FILE",
    help="The file of a model that does not ship, where a run used one; repeatable.",
)  # fmt: skip
@json_option()
def command(first: Path, second: Path, models: tuple[str, ...], as_json: bool) -> None:
    """Compare two runs that were kept with "difprog score --save".

    Shows which changed belief, fact, data or code moved the answer and by how much: one change
    at a time, on the same draws. What changes do only together is shown as interaction.
    """
    from difprog.base.errors import BadInput, Problem
    from difprog.models import model
    from difprog.render import rundiff as shown
    from difprog.render import screen
    from difprog.runs import attribution, runs

    problems: list[Problem] = []
    loaded = []
    for folder in (first, second):
        try:
            loaded.append(runs.load(folder))
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(*dict.fromkeys(problems))
    given = {found.name: found for found in map(model.load, models)}
    with screen.working("comparing"):
        found = attribution.attribute(loaded[0], loaded[1], given)
    if as_json:
        click.echo(shown.dumps(found))
    else:
        shown.terminal(found, screen.console())
