"""Options that several commands share, as decorators. Imports click only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from difprog.base.limits import DRAWS, Limit
from difprog.cli import complete

if TYPE_CHECKING:
    from difprog.choose.portfolio import Portfolio
    from difprog.forecast.request import Request
    from difprog.forecast.setup import Setup

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def today() -> date:
    """Return the day it is, the same everywhere on earth."""
    return datetime.now(UTC).date()


class Probability(click.FloatRange):
    """A probability strictly between 0 and 1."""

    def __init__(self) -> None:
        super().__init__(0, 1, min_open=True, max_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, written as people write a chance; fails on NaN too, which no range excludes."""
        number = _number(self, value, 'such as 0.9 or "90%"', param, ctx)
        if 1 < number < 100:
            self.fail(f"{value} is more than 1: write {number:g}%.", param, ctx)
        found = super().convert(number, param, ctx)
        if math.isnan(found):
            self.fail(f"{value} is no probability.", param, ctx)
        return float(found)


def _number(
    kind: click.ParamType[Any], value: Any, example: str, param: click.Parameter | None,
    ctx: click.Context | None,
) -> float:  # fmt: skip
    """Return the number that an option was given; fails with an example of one."""
    from difprog.base.units import UnitError, quantity

    if not isinstance(value, str):
        return float(value)
    try:
        return quantity(value, None, "")
    except UnitError:
        kind.fail(f"{value} is no number, {example}.", param, ctx)


class Seed(click.IntRange):
    """A whole number that names streams of random numbers."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; fails with the range."""
        try:
            return int(super().convert(int(value), param, ctx))
        except ValueError:
            self.fail(f"{value} is no whole number of 0 or more, such as 1.", param, ctx)


class Count(click.IntRange):
    """A whole number up to a limit of the table of limits."""

    def __init__(self, least: int, limit: Limit) -> None:
        super().__init__(least, limit.most)
        self.limit = limit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, written as people write one; fails naming the limit."""
        number = _number(self, value, 'such as 4000, "10k" or 1e5', param, ctx)
        if number != int(number):
            self.fail(f"{value} is no whole number.", param, ctx)
        if number > self.limit.most:
            self.fail(f"{self.limit.words()} (got {int(number):,}).", param, ctx)
        return int(super().convert(int(number), param, ctx))


class Day(click.ParamType):  # type: ignore[type-arg] # the older versions of click take no parameter
    """A day, such as 2027-06-30."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day; fails where it is none."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no day, such as 2027-06-30.", param, ctx)


class Destination(click.Path):
    """Where an output goes, checked before any work: a regular file, or a folder, that is there or not."""

    def __init__(self, folder: bool = False) -> None:
        super().__init__(path_type=Path)
        self.folder = folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; fails where nothing can be written there."""
        from difprog.base import writing

        path = Path(str(super().convert(value, param, ctx)))
        writing.destination(path, self.folder)
        return path


def request_options(draws: int = 20_000, fewest: int = 2) -> Decorator:
    """Under what a project is scored; the command gets them as one record, ``request``.

    Parameters
    ----------
    draws : int
        Draws by default.
    fewest : int
        The least number of draws that the command can do with.
    """
    options = (
        click.option(
            "--model", "models", multiple=True, metavar="NAME-OR-FILE", shell_complete=complete.models,
            help="A shipped model's name or a file's path; repeatable. All shipped models by default.",
        ),
        click.option(
            "--priors", multiple=True, metavar="FILE", shell_complete=complete.files_of("priors"),
            help="A belief file to lay over the shipped ones; repeatable, the last one wins.",
        ),
        click.option(
            "--scenario", "scenarios", multiple=True, metavar="NAME-OR-FILE",
            shell_complete=complete.files_of("scenario"),
            help="A named set of beliefs, such as short or soares; repeatable, over --priors.",
        ),
        click.option(
            "--believe", multiple=True, metavar="OUTCOME", shell_complete=complete.outcomes,
            help='What you believe about the outcome: "p_success=80%", "agi_by_2035=1 in 2", or the name '
            "of a published chance, such as espai-2023; repeatable.",
        ),
        click.option(
            "--evidence/--no-evidence", "use_evidence", default=True,
            help="Condition world beliefs on evidence, or use their priors as they are.",
        ),
        click.option(
            "--draws", type=Count(fewest, DRAWS), default=draws, show_default=True, metavar="N",
            help="How many worlds are drawn: four times as many halve the Monte Carlo error.",
        ),
        click.option(
            "--seed", type=Seed(0, 2**63 - 1), default=1, show_default=True, metavar="N",
            help="The same seed, files and versions give the same bytes.",
        ),
        click.option(
            "--prob", type=Probability(), default=0.9, show_default=True, metavar="SHARE",
            help="How many of the worlds an interval holds; as many lie below it as above.",
        ),
        click.option(
            "--publication", type=click.Choice(["open", "delayed", "restricted", "closed"]),
            help="Suppose this publication policy in place of the proposal's.",
        ),
    )  # fmt: skip

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(**given: Any) -> Any:
            from difprog.forecast.request import Request

            own = {field: given.pop(field) for field in Request.__dataclass_fields__}
            return function(request=Request(**own), **given)

        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def spelled(request: Request) -> str:
    """Return the options of a request that are not the usual ones, as one would type them."""
    import shlex

    said: list[str] = []
    for option, values in (
        ("--model", request.models), ("--priors", request.priors), ("--scenario", request.scenarios),
        ("--believe", request.believe),
    ):  # fmt: skip
        for value in values:
            said += [option, value]
    if not request.use_evidence:
        said.append("--no-evidence")
    usual = type(request)()
    for option, field in (
        ("--draws", "draws"), ("--seed", "seed"), ("--prob", "prob"), ("--publication", "publication"),
    ):  # fmt: skip
        if getattr(request, field) != getattr(usual, field):
            said += [option, str(getattr(request, field))]
    return f" {shlex.join(said)}" if said else ""


def rows_of(
    portfolio: tuple[str, ...], setup: Setup, keep: tuple[str, ...], renamed: dict[str, str]
) -> Portfolio:
    """Return the rows that a portfolio's words mean, those that repeat another named, evidence at hand."""
    from difprog.choose.portfolio import read_portfolio
    from difprog.choose.rank import condition
    from difprog.models.model import vocabulary_of

    found = read_portfolio(portfolio, vocabulary_of(setup.models), keep=keep, renamed=renamed)
    for words in found.repeated():
        setup.say(words)
    condition(found, setup)
    return found


def again(
    command: str,
    portfolio: tuple[str, ...],
    request: Request,
    more: Sequence[str],
    keep: tuple[str, ...],
    renamed: dict[str, str],
) -> str:
    """Return the command that makes a portfolio's memo again, with no place on a machine in it."""
    import shlex
    from dataclasses import replace

    def bare(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(Path(name).name for name in names)

    said = ["difprog", command, *bare(portfolio), *more]
    for column in keep:
        said += ["--keep", column]
    for column, key in renamed.items():
        said += ["--column", f"{key}={column}"]
    own = replace(
        request, models=bare(request.models), priors=bare(request.priors), scenarios=bare(request.scenarios)
    )
    return f"{shlex.join([*said, '--report', '.'])}{spelled(own)}"


def json_option() -> Decorator:
    """Machine-readable output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, and only JSON.")


def portfolio_options() -> Decorator:
    """Ask for a portfolio, how the columns of its tables are read, under what it is scored, and JSON."""
    options = (
        click.argument(
            "portfolio", nargs=-1, required=True, metavar="FILES-OR-TABLE...",
            shell_complete=complete.files_of("portfolio", "project"),
        ),
        click.option(
            "--keep", multiple=True, metavar="COLUMN",
            help="A column to carry through although it looks like a misspelt one (repeatable).",
        ),
        click.option(
            "--column", "renamed", multiple=True, metavar="KEY=COLUMN", callback=_pairs,
            help="Read a key of a proposal from a column of another name: cost=amount_usd (repeatable).",
        ),
        request_options(draws=4_000, fewest=100),
        json_option(),
    )  # fmt: skip

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _pairs(_ctx: click.Context, _param: click.Parameter, renamed: tuple[str, ...]) -> dict[str, str]:
    """Return the columns that are read as keys of a proposal: column → key."""
    found = {}
    for pair in renamed:
        key, equals, column = pair.partition("=")
        if not (key.strip() and equals and column.strip()):
            what = f"{pair} is not KEY=COLUMN, such as cost=amount_usd"
            raise click.BadParameter(what, param_hint="--column")
        found[column.strip()] = key.strip()
    return found
