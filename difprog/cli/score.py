"""``difprog score``: the terminal report of one proposal."""

from __future__ import annotations

from pathlib import Path

import click

from difprog.cli.options import Destination, draw_options, json_option, publication_option, world_options


@click.command("score", short_help="Score a proposal: does it help or harm, by how much, how sure.")
@click.argument("project")
@world_options()
@draw_options()
@publication_option()
@json_option()
@click.option(
    "--save", type=Destination(folder=True), metavar="DIR",
    help="Keep the run: draws, summary, hashes, seed and versions.",
)  # fmt: skip
@click.option("--beliefs/--no-beliefs", default=True, help="End with where every belief came from.")
def command(
    project: str,
    models: tuple[str, ...],
    priors: tuple[str, ...],
    use_evidence: bool,
    draws: int,
    seed: int,
    prob: float,
    publication: str | None,
    as_json: bool,
    save: Path | None,
    beliefs: bool,
) -> None:
    """Score PROJECT, a proposal file or the name of one.

    Says by how much the project raises or lowers the chance that alignment succeeds before
    AGI, under every model and in their mixture by credence. Exit status 0, or 2 with every
    problem of every file on standard error.
    """
    from difprog.forecast import chunks, forecast
    from difprog.render import data, screen, terminal

    with screen.working("reading and drawing"):
        setup = forecast.prepare(models, priors, use_evidence)
        proposal = forecast.find_project(project, setup)
        if publication is not None:
            proposal = proposal.published(publication)
        # A run that is saved keeps all of its draws; any other needs them only once.
        score = forecast.score if save is not None else chunks.score
        found = score(proposal, setup, draws, seed, prob)
    if save is not None:
        from difprog.runs import runs

        runs.save(found, data.score(found), save)
    if as_json:
        click.echo(data.dumps(data.score(found)))
    else:
        terminal.score(found, screen.console(), beliefs)
