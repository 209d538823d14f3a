"""``difprog rank``: a portfolio, best first, with a progress bar and results that survive a kill."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from difprog.base import limits
from difprog.cli.options import Count, Destination, again, portfolio_options, rows_of, today
from difprog.cli.progress import progress_shown

if TYPE_CHECKING:
    from difprog.choose.portfolio import Portfolio
    from difprog.choose.rank import Ranking
    from difprog.forecast.request import Request


@click.command("rank", short_help="Rank a portfolio: a folder of proposals, files, or a CSV table.")
@portfolio_options()
@click.option(
    "--by", type=click.Choice(("effect", "per-dollar", "best")), default="effect", show_default=True,
    help="Order by the mean effect, by that per dollar, or by the chance to be the best.",
)
@click.option(
    "--jobs", type=Count(1, limits.JOBS), default=1, show_default=True, metavar="N",
    help="How many processes share the work; the numbers do not depend on it.",
)
@click.option("--dask", metavar="ADDRESS", help="Send the work to a Dask scheduler, such as tcp://host:8786.")
@click.option(
    "--resume/--fresh", default=True,
    help="Take up what an interrupted run of the same command left, or begin anew.",
)
@click.option(
    "--csv", "csv_file", type=Destination(), metavar="FILE",
    help="Write the ranking as a CSV table too.",
)
@click.option(
    "--report", type=Destination(folder=True), metavar="DIR",
    help="Write a markdown report of the portfolio too.",
)  # fmt: skip
def command(
    portfolio: tuple[str, ...],
    request: Request,
    by: str,
    keep: tuple[str, ...],
    renamed: dict[str, str],
    jobs: int,
    dask: str | None,
    resume: bool,
    as_json: bool,
    csv_file: Path | None,
    report: Path | None,
) -> None:
    """Rank FILES-OR-TABLE: proposal files, folders of them, or CSV tables.

    A table's columns are the keys of a proposal's [project] (name, effort, duration, cost, kind,
    focus, approach, novelty, publication, criteria) and any belief, such as capability_speedup
    with cells like "0.001 to 0.01 years"; other columns are carried through. Rows that cannot be
    read are reported and passed over; the exit status is then 3. Interrupted, the same command goes
    on where it stopped.
    """
    from difprog.choose.rank import ranked
    from difprog.render import rank as shown

    if dask is not None and jobs > 1:
        raise click.UsageError("--jobs is for this machine, --dask for a cluster: give one of them.")
    setup = request.setup(say=lambda words: click.echo(f"difprog: {words}", err=True))
    found = rows_of(portfolio, setup, keep, renamed)
    try:
        with progress_shown("ranking") as progress, ranked(
            found, request, shown.entry, jobs, dask, fresh=not resume, progress=progress
        ) as ranking:
            progress(-1, len(found.rows))
            ranking.by(by)
            said = again("rank", portfolio, request, ("--by", by) if by != "effect" else (), keep, renamed)
            _show(ranking, found, as_json, csv_file, report, said)
    except KeyboardInterrupt:
        click.echo("difprog: what is done so far is kept: the same command goes on from there.", err=True)
        raise
    if ranking.failed:
        click.get_current_context().exit(3)


def _show(
    ranking: Ranking,
    portfolio: Portfolio,
    as_json: bool,
    csv_file: Path | None,
    report: Path | None,
    said: str,
) -> None:
    """Report bad rows, write the files that were asked for, print; ``said`` makes the report again."""
    from difprog.base import writing
    from difprog.base.errors import plain
    from difprog.choose.rank import nothing_scored
    from difprog.render import rank as shown

    if not ranking.order:
        raise nothing_scored(ranking)
    for bad in ranking.errors():
        for line in bad["problems"]:
            click.echo(f"difprog: {plain(line)}", err=True)
    if csv_file is not None:
        extra = tuple(dict.fromkeys(column for row in portfolio.rows for column in row.extra))
        writing.write_atomically(csv_file, shown.as_csv(ranking, extra))
        click.echo(f"difprog: wrote {csv_file}", err=True)
    if report is not None:
        for path in _report(ranking, report, said):
            click.echo(f"difprog: wrote {path}", err=True)
    if as_json:
        for piece in shown.as_json(ranking):
            click.echo(piece, nl=False)
        click.echo()
    else:
        from difprog.render import content, ranktable, screen

        start = {**shown.start(ranking), "standing": content.standing(ranking.setup)}
        projects = list(ranking.projects(ranktable.MOST_ROWS))
        ranktable.rank(
            start, projects, len(ranking.order), len(ranking.failed), screen.console(), today=today()
        )


def _report(ranking: Ranking, folder: Path, said: str) -> list[Path]:
    """Write the markdown report of the portfolio, and its figure where costs are stated."""
    from difprog.render import budget, content, figures, portfolio, spending
    from difprog.render import rank as shown
    from difprog.render.report import stem

    data = {
        **shown.start(ranking), "projects": list(ranking.projects()), "errors": list(ranking.errors()),
        "standing": content.standing(ranking.setup),
    }  # fmt: skip
    name = stem("portfolio", portfolio.portfolio(data), folder)
    drawn = spending.ranking(data) | figures.moved(data)
    return budget.place(folder, name, portfolio.portfolio(data, name, said), drawn)
