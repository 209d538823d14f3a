"""``difprog evidence``: what the world beliefs are conditioned on, and conditioning them."""

from __future__ import annotations

from typing import Any

import click

from difprog.base import limits
from difprog.cli.options import Count, Decorator, json_option
from difprog.evidence import DATASETS


@click.group("evidence", short_help="List the evidence, or condition the world beliefs on it.")
def command() -> None:
    """Condition the world beliefs on evidence.

    A belief that names a dataset (`evidence = "timelines"`) is a prior, and is replaced by its
    posterior. A belief without that key is used as stated. Results are kept, and reused by every
    other command; `--no-evidence` there uses the priors as they are.
    """


def _priors_option() -> Decorator:
    return click.option(
        "--priors", "priors", multiple=True, metavar="FILE",
        help="A belief file to lay over the shipped ones; repeatable, the last one wins.",
    )  # fmt: skip


@command.command("list", short_help="The datasets, their sources, and which beliefs they condition.")
@_priors_option()
@json_option()
def list_(priors: tuple[str, ...], as_json: bool) -> None:
    """List the datasets: what they hold, what of it is used, which beliefs they condition."""
    from difprog.library import overview
    from difprog.render import data, evidence, screen

    found = overview.listing(overview.stack(priors))
    if as_json:
        click.echo(data.dumps({"schema": "difprog.evidence/1", "datasets": found}))
    else:
        evidence.listing(found, screen.console())


@command.command("fit", short_help="Condition the beliefs: diagnostics, prior against posterior.")
@click.option(
    "--without", multiple=True, type=click.Choice([*DATASETS, "all"]),
    help="Leave a dataset out; repeatable. With all left out the priors are used exactly.",
)
@_priors_option()
@click.option(
    "--draws", type=Count(100, limits.SAMPLER_DRAWS),
    help="Draws per chain. Forecasts use only what was fitted with the default.",
)
@click.option("--chains", type=Count(2, limits.CHAINS), help="Chains.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Seed of the chains.")
@click.option("--again", is_flag=True, help="Fit even where a result is kept.")
@click.option(
    "--influence", "with_influence", is_flag=True,
    help="Say what moves when each source of the timelines is left out.",
)
@click.option("--project", metavar="PROJECT", help="With --influence: a proposal whose effect is followed.")
@click.option("--ship", is_flag=True, hidden=True)
@json_option()
def fit(
    without: tuple[str, ...],
    priors: tuple[str, ...],
    draws: int | None,
    chains: int | None,
    seed: int | None,
    again: bool,
    with_influence: bool,
    project: str | None,
    ship: bool,
    as_json: bool,
) -> None:
    """Condition the world beliefs on the evidence, by NUTS.

    Shows the sampler's diagnostics, each belief before and after, what carries it (the prior or
    the data, by power-scaling), and each source's timeline beside the pooled one. What was
    fitted before with the same priors, data, code and versions is shown again at once. Exit
    status 3, said first, where a diagnostic is past its threshold; nothing is kept then, and an
    earlier result stays.
    """
    from functools import partial

    from difprog.base.errors import DiagnosticsFailed
    from difprog.library import overview
    from difprog.render import data, evidence, screen

    errors = screen.console(stderr=True)
    settings = overview.settings(draws, chains, seed)
    names = [] if "all" in without else [n for n in DATASETS if n not in without]
    stack = overview.stack(priors)
    if project is not None and not with_influence:
        raise click.UsageError("--project says whose effect --influence follows: give both")
    if with_influence and not ("timelines" in names and overview.conditioned("timelines", stack)):
        raise click.UsageError("--influence leaves out sources of the timelines, which condition nothing")
    followed = None if project is None else overview.followed(project, priors)
    with _progress(errors) as tick:
        found, failed = overview.fit(names, stack, settings, tick, again, ship)
        rows = None
        if with_influence:
            rows = overview.influence(stack, followed, partial(tick, "without each source"))
    left_out = overview.as_stated(found, stack)
    if as_json:
        content = {"datasets": found, "as_stated": left_out, "influence": rows}
        click.echo(data.dumps({"schema": "difprog.evidence/1", **content}))
    else:
        out = screen.console()
        evidence.failures(found, out)
        if found:
            evidence.diagnostics(found, out)
            evidence.beliefs(found, out)
        evidence.stated(left_out, out)
        if "timelines" in found:
            evidence.sources(found["timelines"], out)
        if rows:
            evidence.influence(rows, project, out)
    if failed:
        raise DiagnosticsFailed(f"diagnostics failed for {', '.join(failed)}; nothing was kept")


def _progress(errors: Any) -> Any:
    """Return a context that yields ``tick(what, done, of)``: a bar on a terminal, lines in a pipe."""
    from difprog.render.progress import progress

    return progress(errors)
