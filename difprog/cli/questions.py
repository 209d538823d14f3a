"""Questions that several commands put: one belief, drawn back as soon as it is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from difprog.library.shelf import Shelf


def belief(name: str, shelf: Shelf, chips: str | None, stated: str | None) -> dict[str, Any]:
    """Return the content of a belief, asked for or as stated on the command line.

    Parameters
    ----------
    name : str
        "agi_arrival" or "leak.open".
    shelf : Shelf
        The models in view.
    chips : str or None
        None for percentiles; bins and chips as text, "" to be asked for them.
    stated : str or None
        Percentiles as text; None to be asked for them.
    """
    from difprog.beliefs import elicit
    from difprog.library import amend

    parameter = shelf.vocabulary[shelf.split(name)[0]]
    if chips is not None and stated is not None:
        raise click.UsageError("state chips or percentiles, not both")
    asked = chips == "" if chips is not None else stated is None
    if asked:
        unit = f" in {parameter.unit}" if parameter.unit else ""
        click.echo(f"{name}: {parameter.meaning}{unit} ({parameter.support}).")
    while True:
        try:
            if chips is not None:
                text = chips or click.prompt('Bins and chips, "0 to 5: 4, 5 to 15: 9, …"')
                content: dict[str, Any] = dict(elicit.parse_roulette(text, parameter))
            else:
                content = amend.parse_keys(_words(stated)) if stated else _percentiles(parameter.unit)
            return _settled(name, shelf, content, asked)
        except Exception as error:
            _complain(error, asked)


def outcomes(stated: str | None) -> dict[str, float]:
    """Return chances of the outcome by statement, asked for or as stated; those left out are not stated.

    Parameters
    ----------
    stated : str or None
        "p_success=80% agi_by_2035=1 in 2"; None to be asked.
    """
    from datetime import UTC, datetime

    from difprog.beliefs.outcomes import parse_believe

    if stated is not None:
        found = {o.name: o.chance for o in parse_believe(re.split(r"[,\s]+(?=\w+=)", stated.strip()))}
        _echo_chances(found)
        return found
    year = datetime.now(UTC).year
    asked = {
        "p_success": "How likely is it that AI goes well, that is, that alignment is solved in time",
        **{f"agi_by_{y}": f"How likely is AGI by the end of {y}" for y in (year + 4, year + 9, year + 19)},
    }
    click.echo('Chances as you would write them: "80%", "4 in 5"; empty to leave one open, "<" to go back.')
    answers: dict[str, float | None] = {}
    names = list(asked)
    while len(answers) < len(names):
        name = names[len(answers)]
        text = click.prompt(asked[name], default="", show_default=False).strip()
        if text == BACK:
            if answers:
                answers.popitem()
            continue
        if text == EXPLAIN:
            click.echo("  Strictly between 0 and 1. Beliefs are moved, no further than needed, to meet it.")
            continue
        try:
            told = {n: v for n, v in answers.items() if v is not None}
            words = [*(f"{n}={v!r}" for n, v in told.items()), *([f"{name}={text}"] if text else [])]
            now = {o.name: o.chance for o in parse_believe(words)}
        except Exception as error:
            _complain(error, True)
            continue
        answers[name] = now.get(name)
        if text:
            _echo_chances({name: now[name]})
    return {n: v for n, v in answers.items() if v is not None}


def _echo_chances(chances: Mapping[str, float]) -> None:
    """Draw chances back as bars of twenty cells."""
    for name, chance in chances.items():
        full = round(20 * chance)
        click.echo(f"  {name:<12} [{'#' * full}{'.' * (20 - full)}] {100 * chance:.3g}%")


def _words(text: str) -> list[str]:
    from difprog.base.units import interval

    return [text] if interval(text) else text.replace(",", " ").split()


def _percentiles(unit: str) -> dict[str, Any]:
    """Ask for the three percentiles, the middle one optional; "<" goes back, "?" explains."""
    example = f", such as 2 {unit}" if unit else ""
    asked = (
        ("p5", f"p5: 1 in 20 that it is below (a number, or with a unit{example})"),
        ("p95", "p95: 1 in 20 that it is above"),
        ("p50", "p50: as likely above as below (empty: leave it open)"),
    )
    found: dict[str, str] = {}
    while len(found) < len(asked):
        key, said = asked[len(found)]
        text = click.prompt(said, default="" if key == "p50" else None, show_default=False).strip()
        if text == BACK:
            if found:
                found.popitem()
        elif text == EXPLAIN:
            click.echo(f"  {_MEANING[key]}")
        else:
            found[key] = text
    return {key: _number(found[key]) for key in ("p5", "p50", "p95") if found[key]}


#: What is typed to go to the question before, and to have one explained.
BACK, EXPLAIN = "<", "?"

_MEANING = {
    "p5": "So low that you would be surprised, one time in twenty, to find it lower still.",
    "p95": "So high that you would be surprised, one time in twenty, to find it higher still.",
    "p50": "Where you would take either side of an even bet. Left open, the other two decide.",
}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip()


def _settled(name: str, shelf: Shelf, content: dict[str, Any], asked: bool) -> dict[str, Any]:
    """Draw a belief back, name the families that fit it better, and return it as it is settled."""
    from difprog.beliefs import elicit
    from difprog.render import priors, screen

    parameter = shelf.vocabulary[shelf.split(name)[0]]
    made = elicit.belief(parameter, content, name)
    out = screen.console()
    out.print()
    priors.draw(made.shape, parameter, out)
    out.print(priors.percentiles([("", made.shape)], made.stated))
    priors.words(parameter, made, priors.standing_date(), out)
    if len(made.stated) > 2 and made.misfit > 0.02:
        fits = elicit.fits(parameter, content, content.get("unit"))
        better = [f for f in fits if f.misfit < made.misfit][:3]
        listed = ", ".join(f"{f.family} ({f.misfit:.0%})" for f in better)
        if listed:
            out.print(screen.text(f"Families that come nearer: {listed}."))
        if better and asked:
            usual = priors.family(made.shape)
            names = click.Choice([usual, *(f.family for f in better)])
            choice = click.prompt("Family", default=usual, type=names)
            if choice != usual:
                return _settled(name, shelf, {**content, "distribution": choice}, False)
    return content


def _complain(error: Exception, asked: bool) -> None:
    """Say what is wrong with an answer that can be given again; raise everything else."""
    from difprog.base.errors import BadInput, plain

    if not (asked and isinstance(error, BadInput)):
        raise error
    for problem in error.problems:
        click.echo(f"  {plain(problem)}")
