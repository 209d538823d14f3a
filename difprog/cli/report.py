"""``difprog report``: a written report with figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from difprog.cli import complete
from difprog.cli.options import Destination, request_options

if TYPE_CHECKING:
    from difprog.forecast.request import Request


@click.command("report", short_help="Write a memo with figures: markdown, or one HTML file.")
@click.argument("project", required=False, shell_complete=complete.files_of("project"))
@click.option(
    "-o", "--output", "folder", type=Destination(folder=True), default=Path("reports"),
    show_default=True, help="Folder to write to.",
)
@click.option(
    "--from", "run", type=click.Path(path_type=Path), metavar="RUN",
    help="Report on a saved run, from its draws, in place of PROJECT; or make an HTML report again "
    "from the inputs that it carries.",
)  # fmt: skip
@click.option("--html", is_flag=True, help="One HTML file, with figures and inputs inside.")
@request_options()
def command(
    project: str | None,
    folder: Path,
    run: Path | None,
    html: bool,
    request: Request,
) -> None:
    """Write a report on PROJECT: a page that a busy person can read, then all that a careful one checks.

    Markdown goes beside a folder of the same name with its figures. With --html it is one file, to
    forward: it needs nothing beside it, and "difprog report --from FILE.html" makes it again from the
    inputs that it carries. The same seed, files and versions give the same bytes.
    """
    if (project is None) == (run is None):
        raise click.UsageError("name a PROJECT, or a saved run with --from: one of the two.")
    from difprog.render import report, screen

    with screen.working("drawing, explaining and writing"):
        if run is not None:
            written = report.written_from(run, request.models, folder, html)
        else:
            assert project is not None
            found = request.score(project)
            written = report.written(found, folder, html, report.other_worlds(found))
    for path in written:
        click.echo(path)
