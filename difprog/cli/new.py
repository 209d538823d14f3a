"""``difprog new``: a proposal by questions, each interval drawn back at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from difprog.library.proposals import Asked

KEYS = (
    "name", "summary", "kind", "focus", "approach", "novelty", "publication", "effort", "duration", "cost",
    "criteria",
)  # fmt: skip


def _answers() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the command an option per question."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for key in reversed(KEYS):
            function = click.option(f"--{key}", metavar="TEXT", help=f"Answer {key} beforehand.")(function)
        return function

    return decorate


@click.command("new", short_help="A proposal by questions and answers, each interval drawn back.")
@click.argument("file", type=click.Path())
@_answers()
@click.option("--yes", is_flag=True, help="Ask nothing: take the default where no option answers.")
def command(file: str, yes: bool, **given: str | None) -> None:
    """Make a proposal FILE by questions, each with its meaning, its default and an example.

    Leave with Ctrl-C or Ctrl-D whenever you like: your answers are kept, and the same
    command takes them up again. Answers can be given as options.

    \b
        difprog new my-project.toml
        difprog new my-project.toml --name "Mine" --focus worst --effort "6 to 15" --duration 2 --yes
    """  # noqa: D301
    from difprog.library import proposals

    path = proposals.place(file)
    questions = {q.key: q for q in proposals.QUESTIONS}
    answers = proposals.resume(path)
    if answers:
        click.echo(f"Taking up your draft: {len(answers)} of {len(KEYS)} questions are answered.")
    _check(questions, given, answers)
    try:
        for key in KEYS:
            if key not in answers:
                asked = questions[key]
                answers[key] = proposals.answer(asked, asked.default) if yes else _ask(asked)
                if not yes:
                    proposals.keep(path, answers)
    except (click.Abort, EOFError, KeyboardInterrupt):
        _left(path, answers)
    proposals.write(path, answers)
    click.echo(f"Wrote {path}. Next: difprog score {path}")


def _check(questions: dict[str, Asked], given: dict[str, str | None], answers: dict[str, Any]) -> None:
    """Take the answers of the options, all that is wrong with them at once."""
    from difprog.base.errors import BadInput, Problem
    from difprog.library import proposals

    problems: list[Problem] = []
    for key, text in given.items():
        if text is not None:
            try:
                answers[key] = proposals.answer(questions[key], text)
            except BadInput as error:
                problems.extend(error.problems)
    if problems:
        raise BadInput(*problems)


def _left(path: Path, answers: dict[str, Any]) -> None:
    """Say where the answers are, and leave as one who was stopped."""
    from difprog.library import proposals

    click.echo(err=True)
    if answers and proposals.keep(path, answers):
        click.echo("Kept your answers.", err=True)
        click.echo(f"To go on: difprog new {path}", err=True)
    elif answers:
        click.echo("Your answers could not be kept: your own folder cannot be written.", err=True)
    raise click.exceptions.Exit(130)


def _ask(asked: Asked) -> Any:
    """Ask one question until it is answered; draw an interval back at once."""
    from difprog.base.errors import BadInput, plain
    from difprog.library import proposals

    click.echo(f"\n{asked.key}: {asked.meaning}.")
    for choice, meaning in (asked.choices or {}).items():
        click.echo(f"  {choice:<13} {meaning}")
    example = f" (such as {asked.example})" if asked.example else ""
    while True:
        shown = asked.default or ("" if asked.key == "name" else "leave out")
        text = click.prompt(f"{asked.key}{example}", default=shown or None, type=str)
        try:
            value = proposals.answer(asked, "" if text == "leave out" else text)
        except BadInput as error:
            for problem in error.problems:
                click.echo(f"  {plain(problem)}")
            continue
        if asked.quantity and value is not None:
            _draw_back(asked, value)
        return value


def _draw_back(asked: Asked, value: Any) -> None:
    from difprog.beliefs import elicit
    from difprog.beliefs.families import Point
    from difprog.library import proposals
    from difprog.race.parameters import PARAMETERS
    from difprog.render import priors, screen

    found, parameter, out = proposals.belief(asked, value), PARAMETERS[asked.key], screen.console()
    if not isinstance(found.shape, Point):
        priors.draw(found.shape, parameter, out, 2)
    for line in elicit.in_words(parameter, found.shape, priors.standing_date()):
        priors.remark("", line, out)
