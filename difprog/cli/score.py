"""``difprog score``: the terminal report of one proposal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from difprog.cli import complete, options
from difprog.cli.options import Destination, json_option, request_options

if TYPE_CHECKING:
    from difprog.forecast.request import Request


@click.command("score", short_help="Score a proposal: does it help or harm, by how much, how sure.")
@click.argument("project", shell_complete=complete.files_of("project"))
@request_options()
@json_option()
@click.option(
    "--save", type=Destination(folder=True), metavar="DIR",
    help="Keep the run: draws, summary, hashes, seed and versions.",
)  # fmt: skip
@click.option("--full", is_flag=True, help="All of the report, not only its first screen.")
@click.option(
    "--beliefs", is_flag=True, help="Where every belief came from, judgements marked, in place of the answer."
)
def command(
    project: str,
    request: Request,
    as_json: bool,
    save: Path | None,
    full: bool,
    beliefs: bool,
) -> None:
    """Score PROJECT, a proposal file or the name of one.

    Says by how much the project raises or lowers the chance that alignment succeeds before
    AGI, under every model and in their mixture by credence. Exit status 0, or 2 with every
    problem of every file on standard error.
    """
    from difprog.render import content, data, screen, terminal

    with screen.working("reading and drawing"):
        found = request.score(project)
    if save is not None:
        from difprog.render import report
        from difprog.runs import saving

        # So that the report of a saved run, which draws nothing, is that of the forecast.
        saving.save(found, data.score(found), save, report.other_worlds(found))
    if as_json:
        click.echo(data.dumps(data.score(found)))
    else:
        terminal.score(
            content.content(found), screen.console(), full=full, beliefs=beliefs,
            today=options.today(), options=options.spelled(request),
        )  # fmt: skip
