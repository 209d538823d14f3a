"""``difprog glossary``: the terms of art, each in a sentence or two."""

from __future__ import annotations

import click

from difprog.cli import complete
from difprog.cli.options import json_option


@click.command("glossary", short_help="What the words mean: microdoom, credence, EVPPI, Shapley, ...")
@click.argument("terms", nargs=-1, metavar="[TERM...]", shell_complete=complete.terms)
@json_option()
def command(terms: tuple[str, ...], as_json: bool) -> None:
    """Say what TERMs mean, or all of them. "difprog explain TERM" does the same for one."""
    from difprog.base.errors import BadInput, Problem
    from difprog.render import dump, glossary, screen

    found, problems = {}, []
    for term in terms:
        entry = glossary.lookup(term)
        if entry is None:
            near = glossary.near(term)
            hint = f'did you mean "{near}"?' if near else "difprog glossary lists the terms"
            problems.append(Problem(term, "", "is not in the glossary", hint=hint))
        else:
            found[entry[0]] = entry[1]
    if problems:
        raise BadInput(*problems)
    shown = found or glossary.TERMS
    if as_json:
        click.echo(dump.dumps({"schema": "difprog.glossary/1", "terms": shown}))
    else:
        screen.definitions(screen.console(), shown)
