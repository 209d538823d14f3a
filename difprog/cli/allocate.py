"""``difprog allocate``: what to fund of a portfolio within a budget, and what would change that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from difprog.cli import complete
from difprog.cli.options import Destination, Probability, again, portfolio_options, rows_of, today

if TYPE_CHECKING:
    from difprog.forecast.request import Request


@click.command("allocate", short_help="Choose what to fund of a portfolio within a budget.")
@click.option(
    "--budget", required=True, metavar="AMOUNT", help="What there is to spend, such as 2.5M or 500k."
)
@click.option(
    "--rule", type=click.Choice(["expected", "worst-model", "regret"]), default="expected", show_default=True,
    help="Largest effect by credence, under the worst model, or smallest regret over models.",
)
@click.option(
    "--max-harm", type=Probability(), metavar="SHARE",
    help="Cap on the share of worlds in which the money does net harm, each row weighed by its cost.",
)
@click.option(
    "--beside", multiple=True, metavar="SCENARIO", shell_complete=complete.files_of("scenario"),
    help="Say what would be funded under this scenario too; repeatable.",
)
@portfolio_options()
@click.option(
    "--report", type=Destination(folder=True), metavar="DIR",
    help="Write a memo to forward too, the decision first: markdown with figures.",
)  # fmt: skip
@click.option("--html", is_flag=True, help="With --report: one HTML file, figures and the JSON inside.")
@click.pass_context
def command(
    ctx: click.Context,
    portfolio: tuple[str, ...],
    budget: str,
    rule: str,
    max_harm: float | None,
    beside: tuple[str, ...],
    keep: tuple[str, ...],
    renamed: dict[str, str],
    request: Request,
    as_json: bool,
    report: Path | None,
    html: bool,
) -> None:
    """Choose the rows of FILES-OR-TABLE to fund: the exact best set within the budget.

    Rows need a cost; rows that share a group (funding levels of one project) exclude each other.

    \b
        difprog allocate grants --budget 2M
        difprog allocate stack.csv --budget 500k --rule worst-model --beside short --beside long
    """  # noqa: D301
    from difprog.base.errors import BadInput, Problem, plain
    from difprog.base.units import UnitError, quantity
    from difprog.choose.candidates import candidates
    from difprog.choose.decision import decide
    from difprog.cli.progress import progress_shown
    from difprog.render import allocate as shown
    from difprog.render import allocation, data, screen

    if html and report is None:
        raise click.UsageError("--html goes with --report DIR.")
    try:
        amount = quantity(budget, "USD", "USD")
    except UnitError as error:
        raise BadInput(Problem("--budget", "", str(error), budget, error.hint)) from None
    if not 0 < amount < float("inf"):
        raise BadInput(Problem("--budget", "", "must be above 0", budget))
    setup = request.setup(say=lambda words: click.echo(f"difprog: {words}", err=True))
    found = rows_of(portfolio, setup, keep, renamed)
    with progress_shown("scoring") as progress:
        stack = candidates(found, request, progress)
    under = {name: replace(request, scenarios=(*request.scenarios, name)) for name in beside}
    others = {name: candidates(found, other) for name, other in under.items()}
    decision = decide(stack, amount, rule.removesuffix("-model"), max_harm, beside=others)
    content = allocation.as_data(decision)
    more = {} if as_json and report is None else allocation.rests_on(decision)
    for row in content["unread"]:
        for problem in row["problems"]:
            click.echo(f"difprog: {plain(problem)}", err=True)
    if report is not None:
        from difprog.render import budget as memo

        said = _again(portfolio, request, budget, rule, max_harm, beside, keep, renamed)
        for path in memo.write(content, report, said, html, more):
            click.echo(f"difprog: wrote {path}", err=True)
    if as_json:
        click.echo(data.dumps(content))
    else:
        shown.show({**content, **more}, screen.console(), today())
    if content["unread"]:
        ctx.exit(3)


def _again(
    portfolio: tuple[str, ...],
    request: Request,
    budget: str,
    rule: str,
    max_harm: float | None,
    beside: tuple[str, ...],
    keep: tuple[str, ...],
    renamed: dict[str, str],
) -> str:
    """Return the command that makes a memo again, with no place on a machine in it."""
    more = ["--budget", budget]
    if rule != "expected":
        more += ["--rule", rule]
    if max_harm is not None:
        more += ["--max-harm", repr(max_harm)]
    for name in beside:
        more += ["--beside", Path(name).name]
    return again("allocate", portfolio, request, more, keep, renamed)
