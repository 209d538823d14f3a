"""``difprog verify``: the program checked against simulation, closed forms and itself."""

from __future__ import annotations

from datetime import date

import click

from difprog.base import limits
from difprog.cli.options import Count, Day, Seed, json_option


@click.command("verify", short_help="Check likelihoods by simulation, the race by closed forms.")
@click.option(
    "--short", "setting", flag_value="short", default=True,
    help="20 simulations of two likelihoods, about two minutes; the default.",
)
@click.option("--long", "setting", flag_value="long", help="200 simulations of each one; half an hour.")
@click.option(
    "--simulations", type=Count(5, limits.SIMULATIONS), metavar="N",
    help="Simulations per likelihood, in place of these.",
)  # fmt: skip
@click.option(
    "--seed", type=Seed(0, 2**31 - 1), default=1, show_default=True, metavar="N", help="Seed of every check."
)
@click.option(
    "--backtest", is_flag=True,
    help="In place of these: evidence cut at past dates, and forecasts of what came after. Some minutes, "
    "then kept.",
)  # fmt: skip
@click.option(
    "--as-of", "as_of", type=Day(), multiple=True, metavar="DATE",
    help="With --backtest: what was published before this day, such as 2020-01-01, and what came after; "
    "repeatable.",
)  # fmt: skip
@json_option()
def command(
    setting: str, simulations: int | None, seed: int, backtest: bool, as_of: tuple[date, ...], as_json: bool
) -> None:
    """Check that the program computes what it says.

    Calibrates the likelihoods by simulation (a true value's rank among its posterior draws must
    be uniform), and compares the race with closed forms and quadrature, a likelihood with its
    conjugate case, and every model with the one it is nested in. Exit status 3 where a check fails.

    \b
        difprog verify --backtest                       at four days of the past
        difprog verify --backtest --as-of 2020-01-01    at a day of yours
    """  # noqa: D301
    from difprog import verify
    from difprog.base.errors import DiagnosticsFailed
    from difprog.render import data, screen
    from difprog.render import verify as render
    from difprog.render.progress import progress

    if as_of and not backtest:
        raise click.UsageError("--as-of goes with --backtest.")
    if backtest:
        from difprog.render import backtest as shown
        from difprog.verify import backtest as past

        with progress(screen.console(stderr=True)) as tick:
            table = past.run(tick, seed=seed, as_of=as_of)
        if as_json:
            click.echo(data.dumps(table))
        else:
            shown.terminal(table, screen.console())
        if failures := [why for one in table["backtests"] for why in one["failures"]]:
            raise DiagnosticsFailed("; ".join(failures))
        return
    with progress(screen.console(stderr=True)) as tick:
        found = verify.run(setting, seed, simulations, tick)
    if as_json:
        click.echo(data.dumps({"schema": "difprog.verify/1", "setting": setting, "seed": seed, **found}))
    else:
        render.verify(found, screen.console())
    if not found["passed"]:
        raise DiagnosticsFailed("a check failed")
