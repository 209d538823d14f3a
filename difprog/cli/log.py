"""``difprog log``: forecasts kept until time has answered them, and what the answers say of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from difprog.cli import complete
from difprog.cli.group import Group
from difprog.cli.options import Day, Decorator, Destination, json_option, request_options

if TYPE_CHECKING:
    from difprog.forecast.request import Request


def file_option() -> Decorator:
    """Which log it is."""
    return click.option(
        "--file", "path", type=Destination(), metavar="FILE",
        help="The log; log.jsonl in your own folder by default.",
    )  # fmt: skip


@click.group(
    "log", cls=Group,
    short_help="Keep forecasts, resolve them in time, and see how often they were right.",
)  # fmt: skip
def command() -> None:
    """Keep forecasts that time will resolve, say how they turned out, and score them.

    The log is a text file to which lines are only ever added: one per forecast and per answer.

    \b
        difprog log add rlhf                         what it takes, what reviewers say, the world
        difprog log list                             due first
        difprog log resolve 3f2a yes --source "…"    or a quantity, ambiguous, withdrawn
        difprog log score
    """  # noqa: D301


@command.command("add", short_help="Keep what a proposal's forecast says that time will resolve.")
@click.argument("project", shell_complete=complete.files_of("project"))
@request_options()
@click.option(
    "--by", type=Day(), metavar="DATE",
    help="The day by which questions about the world, or your own, resolve; a year from now by default.",
)
@click.option(
    "--question", "questions", multiple=True, metavar="BELIEF-OR-EFFECT", shell_complete=complete.beliefs,
    help="Ask about this only, or about agi_by_2035; repeatable; needs --by.",
)
@file_option()
def add(
    project: str, request: Request, by: date | None, questions: tuple[str, ...], path: Path | None
) -> None:
    """Forecast PROJECT and keep, line by line, what time will resolve.

    Of the project: what it will have taken, whether its breakthrough happened, and what reviewers will
    say of its effects. Of the world: how many researchers there are, what is spent, and AGI by a year.
    Each is kept with the day by which it resolves, its full distribution, every model's own, and the
    hashes of all that it rests on.
    """
    from difprog.record import ask, log
    from difprog.render import log as shown
    from difprog.render import screen

    with screen.working("reading and drawing"):
        lines = ask.lines(request.score(project), datetime.now(UTC).date(), by, questions)
        new = log.add(path or log.place(), lines)
    shown.added(log.load(path or log.place()), new, len(lines) - 1, screen.console())


@command.command("list", short_help="The forecasts that are open, due first.")
@click.option("--all", "every", is_flag=True, help="List those that are resolved too.")
@file_option()
@json_option()
def list_(every: bool, path: Path | None, as_json: bool) -> None:
    """List the forecasts that are open, due first."""
    from difprog.record import log
    from difprog.render import data, screen
    from difprog.render import log as shown

    found = log.load(path or log.place())
    rows = shown.rows(found, every, datetime.now(UTC).date())
    if as_json:
        click.echo(data.dumps({"schema": "difprog.log-list/1", "damaged": found.damaged, "forecasts": rows}))
    else:
        shown.listing(rows, found.damaged, screen.console())


@command.command("resolve", short_help="Say how a forecast turned out.")
@click.argument("start", metavar="ID")
@click.argument("value")
@click.option("--source", required=True, help="Who says so, with a link.")
@file_option()
def resolve(start: str, value: str, source: str, path: Path | None) -> None:
    """Say that the forecast ID (its first letters will do) came to VALUE.

    VALUE is yes or no, a quantity ("18 months"), ambiguous or withdrawn. To correct an answer give
    another: the latest counts, and the earlier one stays in the log.
    """
    from difprog.record import log
    from difprog.render import log as shown
    from difprog.render import screen

    where = path or log.place()
    entry = log.load(where).meant(start)
    now = datetime.now(UTC)
    outcome = log.answer(entry, value, now.date())
    log.add(where, [log.resolution(entry, outcome, source, now)])
    shown.resolved(entry, outcome, screen.console())


@command.command("score", short_help="How often the forecasts were right, against naive ones.")
@file_option()
@click.option("--svg", type=Destination(), metavar="FILE", help="Draw calibration and PIT to this file too.")
@json_option()
def score(path: Path | None, svg: Path | None, as_json: bool) -> None:
    """Score the resolved forecasts by kind, horizon and model, and say how well they were calibrated.

    Log score, Brier score, CRPS and coverage of intervals, with errors, each against naive forecasts.
    "difprog glossary" says what these are.
    """
    from difprog.base import writing
    from difprog.record import log, tally
    from difprog.render import data, record, screen

    found = tally.record(log.load(path or log.place()))
    if svg is not None:
        writing.write_atomically(svg, record.figure(found))
    if as_json:
        click.echo(data.dumps(found))
    else:
        record.terminal(found, screen.console())


@command.command("export", short_help="The log as CSV, one forecast a row.")
@click.argument("to", type=Destination(), metavar="[FILE.csv]", required=False)
@file_option()
def export(to: Path | None, path: Path | None) -> None:
    """Write the log as CSV, for spreadsheets and forecasting sites; to standard output without a FILE."""
    from difprog.base import writing
    from difprog.record import log, table

    found = log.load(path or log.place())
    for words in found.damaged:
        click.echo(f"difprog: {words}", err=True)
    if to is None:
        click.echo(table.written(found), nl=False)
    else:
        writing.write_atomically(to, table.written(found))


@command.command("import", short_help="Forecasts from a CSV table.")
@click.argument("table", type=click.Path(path_type=Path), metavar="FILE.csv")
@file_option()
def import_(table: Path, path: Path | None) -> None:
    """Add the forecasts of a CSV table, with their answers where it has any.

    Columns: question or quantity, made, resolves, probability or percentiles (p5, p50, p95), and
    optionally unit, project, outcome, source: those that "difprog log export" writes.
    """
    from difprog.record import log
    from difprog.record import table as tables

    where = path or log.place()
    new = log.add(where, tables.taken(table, log.load(where)))
    click.echo(f"{len(new)} lines added to {where}")
