"""``difprog new``: a proposal by questions, each interval drawn back at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from difprog.library.interview import Asked

#: The keys of a proposal that questions are about, and what an answer may be; a test holds them to the
#: interview's. Spelled out here, as help pages load nothing of it.
ANSWERS = {
    "name": "What it is called.",
    "summary": "What it does, in a sentence or two.",
    "kind": "alignment, capabilities, applications or field-building.",
    "focus": "Which cases it is about: average, pessimistic or worst.",
    "approach": "How it works: engineering, behaviourist or cognitivist.",
    "novelty": "Whether others work on something like it: mainstream or niche.",
    "publication": "Who reads the results: open, delayed, restricted or closed.",
    "effort": 'Work on it, such as "8 people for 2 years" or "6 to 15".',
    "start": 'When it starts, from today: "6 months".',
    "duration": 'From start to end: "18 months".',
    "cost": 'What it costs: "$2.5M", or "$2M to $4M".',
    "group": "A name that projects share which exclude each other.",
    "criteria": '"fine-tunes, no-scaling, humans, useful": those that it meets.',
}
KEYS = tuple(ANSWERS)


#: Questions on which no number hangs.
SAID_ONLY = ("name", "summary")


def _answers() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the command an option per question."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for key, what in reversed(ANSWERS.items()):
            function = click.option(f"--{key}", metavar="ANSWER", help=what)(function)
        return function

    return decorate


@click.command("new", short_help="A proposal by questions and answers, each interval drawn as you give it.")
@click.argument("file", type=click.Path())
@_answers()
@click.option("--yes", is_flag=True, help="Ask nothing: take the default where no option answers.")
def command(file: str, yes: bool, **given: str | None) -> None:
    """Make a proposal FILE by questions, each with its meaning, its default and an example.

    After each answer it is drawn back, and you see what it does to the effect. "?" explains a
    question, "<" goes back to the one before. Leave with Ctrl-C or Ctrl-D whenever
    you like: your answers are kept, and the same command takes them up again. Answers can be given
    as options; the start and the group of a project only so.

    \b
        difprog new my-project.toml
        difprog new my-project.toml --name "Mine" --focus worst --effort "8 people for 2 years" \\
            --duration "18 months" --cost "$3M" --yes
    """  # noqa: D301
    from difprog.library import interview, proposals

    path = proposals.place(file)
    questions = {q.key: q for q in interview.QUESTIONS}
    answers = proposals.resume(path)
    if answers:
        click.echo(f"Taking up your draft: {len(answers)} of {len(KEYS)} questions are answered.")
    _check(questions, given, answers)
    put = [key for key in KEYS if questions[key].asked and given[key] is None]
    try:
        if yes:
            missing = (key for key in put if key not in answers)
            answers |= {key: interview.answer(questions[key], questions[key].default) for key in missing}
        else:
            _interview(path, [questions[key] for key in put], answers)
    except (click.Abort, EOFError, KeyboardInterrupt):
        _left(path, answers)
    proposals.write(path, answers)
    click.echo(f"Wrote {path}. Next: difprog score {path}")


def _interview(path: Path, put: list[Asked], answers: dict[str, Any]) -> None:
    """Put every question that has no answer yet, going back where that is asked for."""
    from difprog.cli.questions import BACK
    from difprog.library import proposals

    click.echo('"?" explains a question, "<" goes back, Ctrl-C keeps your answers for later.')
    effects = _Effects() if _somebody_waits() else None
    at = 0
    while at < len(put):
        asked = put[at]
        if asked.key in answers:
            at += 1
            continue
        value = _ask(asked, first=at == 0)
        if value == BACK:
            at -= 1
            answers.pop(put[at].key, None)
            continue
        answers[asked.key] = value
        proposals.keep(path, answers)
        if effects is not None and asked.key not in SAID_ONLY:
            effects.show(answers)
        at += 1


def _somebody_waits() -> bool:
    """Whether questions are answered by somebody, not by a file."""
    return sys.stdin.isatty()


class _Effects:
    """Shows after each answer what it does to the effect."""

    def __init__(self) -> None:
        from difprog.library.outlook import Outlook

        self._outlook = Outlook()
        self._before: str | None = None

    def show(self, answers: dict[str, Any]) -> None:
        """Say what the effect is with the answers so far, and what it was before the last."""
        from difprog.forecast.summary import MICRODOOM
        from difprog.render import priors, screen
        from difprog.render.format import with_error

        with screen.working("what that does to the effect"):
            net = self._outlook.effect(answers)
        if net is None:
            return
        now, out = with_error(net.mean, net.mcse, MICRODOOM, sign=True), screen.console()
        if self._before is None:
            said = f"effect so far: {now} microdooms averted, what is not answered yet taken as usual"
        else:
            same = now == self._before
            said = f"effect so far: {now}, as before" if same else f"effect so far: {now}, was {self._before}"
        priors.remark("", said, out)
        self._before = now


def _check(questions: dict[str, Asked], given: dict[str, str | None], answers: dict[str, Any]) -> None:
    """Take the answers of the options, all that is wrong with them at once."""
    from difprog.base.errors import BadInput, Problem
    from difprog.library import interview

    problems: list[Problem] = []
    for key, text in given.items():
        if text is not None:
            try:
                answers[key] = interview.answer(questions[key], text)
            except BadInput as error:
                problems.extend(error.problems)
    if problems:
        raise BadInput(*problems)


def _left(path: Path, answers: dict[str, Any]) -> None:
    """Say where the answers are, and leave as one who was stopped."""
    from difprog.library import proposals

    click.echo(err=True)
    kept = proposals.keep(path, answers) if answers else None
    if kept is not None:
        click.echo(f"Kept your answers in {kept}.", err=True)
        click.echo(f"To go on: difprog new {path}", err=True)
    elif answers:
        click.echo("Your answers could not be kept: your own folder cannot be written.", err=True)
    raise click.exceptions.Exit(130)


def _ask(asked: Asked, first: bool) -> Any:
    """Ask one question until it is answered; draw an interval back at once; "<" where one goes back."""
    from difprog.base.errors import BadInput, plain
    from difprog.cli.questions import BACK, EXPLAIN
    from difprog.library import interview
    from difprog.render import priors, screen

    click.echo()
    screen.console().print(screen.text(f"{asked.key}: {asked.meaning}."))
    for choice, meaning in (asked.choices or {}).items():
        click.echo(f"  {choice:<14} {meaning}")
    example = f" (such as {asked.example})" if asked.example else ""
    while True:
        shown = asked.default or ("" if asked.key == "name" else "leave out")
        text = click.prompt(f"{asked.key}{example}", default=shown or None, type=str).strip()
        if text == EXPLAIN:
            _explain(asked)
            continue
        if text == BACK:
            if not first:
                return BACK
            click.echo("  This is the first question.")
            continue
        try:
            value = interview.answer(asked, "" if text == "leave out" else text)
        except BadInput as error:
            for problem in error.problems:
                priors.remark("", plain(problem), screen.console())
            continue
        if asked.quantity and value is not None:
            _draw_back(asked, value)
        return value


def _explain(asked: Asked) -> None:
    from difprog.base.errors import plain
    from difprog.render import priors, screen

    priors.remark("", plain(asked.more), screen.console())


def _draw_back(asked: Asked, value: Any) -> None:
    from difprog.beliefs import elicit
    from difprog.beliefs.distributions import Point
    from difprog.library import interview
    from difprog.race.parameters import PARAMETERS
    from difprog.render import priors, screen

    found, parameter, out = interview.belief(asked, value), PARAMETERS[asked.key], screen.console()
    if not isinstance(found.shape, Point):
        priors.draw(found.shape, parameter, out, 2)
    for line in elicit.in_words(parameter, found.shape, priors.standing_date()):
        priors.remark("", line, out)
