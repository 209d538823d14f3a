"""``difprog explain``: why a forecast comes out as it does, and what would change it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from difprog.cli import complete
from difprog.cli.options import json_option, request_options, today

if TYPE_CHECKING:
    from difprog.forecast.request import Request


@click.command("explain", short_help="Explain a score (channels, break-even, prices, drivers), or a TERM.")
@click.argument("project", shell_complete=complete.projects_and_terms)
@request_options()
@json_option()
@click.option(
    "--drivers/--no-drivers", "with_drivers", default=True,
    help="Rank the beliefs that drive the answer; this takes most of the time.",
)
@click.option(
    "--know", multiple=True, metavar="BELIEF", shell_complete=complete.beliefs,
    help="Value of knowing these beliefs together before choosing (repeatable).",
)  # fmt: skip
@click.option(
    "--pilot", "pilots", multiple=True, metavar="'BELIEF ± ERROR for PRICE'",
    shell_complete=complete.beliefs,
    help="Whether to pay for a measurement first, such as 'researchers +- 20% for $50k' (repeatable); "
    "ERROR is one standard deviation.",
)
@click.option(
    "--bar", metavar="NUMBER-OR-NAME",
    help="What money buys elsewhere, in microdooms per million dollars, or a published bar. "
    "[default: stein-perlman, 2]",
)
@click.option("--all", "everything", is_flag=True, help="Every belief, and under every model too.")
def command(
    project: str,
    request: Request,
    as_json: bool,
    with_drivers: bool,
    know: tuple[str, ...],
    pilots: tuple[str, ...],
    bar: str | None,
    everything: bool,
) -> None:
    """Explain the score of PROJECT, a proposal file or the name of one.

    Says through which channels it helps and harms, what would have to be true for it to break
    even, what a month of capability speedup costs in alignment work, and which beliefs are worth
    arguing about before deciding; with --pilot, whether to pay for knowing one better first.

    Where no proposal is called PROJECT, it may be a term of the glossary: difprog explain microdoom.
    "difprog glossary" lists them.
    """
    from difprog.render import data, explained, screen

    if _is_term(project):
        from difprog.cli import glossary

        click.get_current_context().invoke(glossary.command, terms=(project,), as_json=as_json)
        return
    _check_term(project)
    from difprog.choose import pilot
    from difprog.render import explain as terminal
    from difprog.render import pilot as learning
    from difprog.why import explain

    if bar is not None and not pilots:
        raise click.UsageError("--bar prices a --pilot: state one.")
    asked = [pilot.stated(text) for text in dict.fromkeys(pilots)]
    priced = pilot.bar(pilot.BAR if bar is None else bar)
    with screen.working("drawing and explaining"):
        forecast = request.score(project)
        found = explain.explain(
            forecast, with_drivers, tuple(dict.fromkeys(know)), each_model=as_json or everything
        )
        answers = [learning.as_data(pilot.pilot(forecast, one, priced)) for one in asked]
    if as_json:
        content = explained.explain(found)
        click.echo(data.dumps({**content, "pilots": answers} if answers else content))
    else:
        terminal.explain(explained.report(found), screen.console(), everything, pilots=answers, today=today())


def _check_term(name: str) -> None:
    """Say which term was probably meant by a name that is nearer to one than to a proposal's."""
    from difprog.base import files
    from difprog.base.errors import BadInput, Problem, nearest
    from difprog.render import glossary

    proposals = files.available("project")
    near = glossary.near(name)
    if near and not files.is_path(name) and name not in proposals and nearest(name, proposals) is None:
        hint = f'did you mean "{near}"?'
        raise BadInput(Problem(name, "", "no proposal and no term of that name", hint=hint))


def _is_term(name: str) -> bool:
    """Whether a name is a term of the glossary, and no proposal."""
    from difprog.base import files
    from difprog.render import glossary

    known = name in files.available("project") or Path(name).exists()
    return glossary.lookup(name) is not None and not known
