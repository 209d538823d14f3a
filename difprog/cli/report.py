"""``difprog report``: a written report with figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from difprog.cli import complete
from difprog.cli.options import Destination, request_options

if TYPE_CHECKING:
    from difprog.forecast.request import Request


@click.command("report", short_help="Write a report with figures, as markdown.")
@click.argument("project", required=False, shell_complete=complete.files_of("project"))
@click.option(
    "-o", "--output", "folder", type=Destination(folder=True), default=Path("reports"),
    show_default=True, help="Folder to write to.",
)
@click.option(
    "--from", "run", type=click.Path(path_type=Path), metavar="RUN",
    help="Report on a saved run, from its draws, in place of PROJECT.",
)  # fmt: skip
@request_options()
def command(
    project: str | None,
    folder: Path,
    run: Path | None,
    request: Request,
) -> None:
    """Write a report on PROJECT: markdown that a busy person can read and a careful one check.

    Beside the page goes a folder of the same name with its figures. The same seed, files and
    versions give the same bytes.
    """
    if (project is None) == (run is None):
        raise click.UsageError("name a PROJECT, or a saved run with --from: one of the two.")
    from difprog.render import report, screen

    with screen.working("drawing, explaining and writing"):
        if run is not None:
            content = report.kept(run, request.models)
        else:
            assert project is not None
            content = report.gathered(request.score(project))
        written = report.write(content, folder)
    for path in written:
        click.echo(path)
