"""``difprog compare``: several proposals, or one under every publication policy, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from difprog.cli import complete
from difprog.cli.options import json_option, request_options, today

if TYPE_CHECKING:
    from difprog.forecast.request import Request


@click.command("compare", short_help="Proposals or publication policies side by side: which is best.")
@click.argument(
    "projects", nargs=-1, required=True, metavar="PROJECT...", shell_complete=complete.files_of("project")
)
@click.option(
    "--policies", is_flag=True,
    help="Every proposal under each publication policy; on by itself for a single PROJECT.",
)  # fmt: skip
@request_options()
@json_option()
def command(
    projects: tuple[str, ...],
    policies: bool,
    request: Request,
    as_json: bool,
) -> None:
    """Compare PROJECTs, proposal files or names of ones, on the same worlds.

    A single PROJECT is compared with itself under the other publication policies. Shows the
    differences pair by pair with their intervals, the chance that each is the best (and that
    doing nothing is), which dominates which, and what a million dollars buys. With several
    --scenario a single PROJECT is compared with itself under each of them.
    """
    from difprog.base import limits
    from difprog.base.errors import BadInput, Problem
    from difprog.choose import compare
    from difprog.forecast.kept import Kept
    from difprog.forecast.setup import find_project
    from difprog.race.parameters import FACTS
    from difprog.render import compare as shown
    from difprog.render import data, screen

    if len(projects) == 1 and len(request.scenarios) > 1 and not policies:
        _scenarios(projects[0], request, as_json)
        return
    if request.publication is not None and (policies or len(projects) == 1):
        raise click.UsageError("--publication supposes one policy; every policy is compared here.")
    many = len(projects) * (len(FACTS["publication"]) if policies or len(projects) == 1 else 1)
    limits.OPTIONS.check(many, "compare")
    with screen.working("reading and drawing"):
        setup = request.setup()
        held = many * len(setup.models) * request.draws
        limits.COMPARED.check(held, "compare", "options × models × draws")
        problems: list[Problem] = []
        proposals = []
        for name in projects:
            try:
                proposals.append(find_project(name, setup))
            except BadInput as error:
                problems += error.problems
        if problems:
            raise BadInput(*dict.fromkeys(problems))
        kept = Kept()
        options = []
        for proposal in proposals:
            each = FACTS["publication"] if policies or len(proposals) == 1 else (request.publication,)
            for policy in each:
                supposed = proposal if policy is None else proposal.published(policy)
                found = request.forecast(supposed, setup, kept)
                name = supposed.name
                if len(each) > 1:
                    name = str(policy) if len(proposals) == 1 else f"{name}, {policy}"
                options.append(compare.Option(name, found))
        comparison = compare.compare(options)
    if as_json:
        click.echo(data.dumps(shown.as_data(comparison)))
    else:
        shown.terminal(comparison, screen.console(), today())


def _scenarios(project: str, request: Request, as_json: bool) -> None:
    """Show a proposal under each scenario by itself."""
    from difprog.choose.scenarios import side_by_side
    from difprog.render import data, scenarios, screen

    with screen.working("reading and drawing"):
        found = side_by_side(project, request)
    if as_json:
        click.echo(data.dumps(scenarios.as_data(found)))
    else:
        scenarios.show(found, screen.console(), today())
