"""Questions that several commands put: one belief, drawn back as soon as it is answered."""

from __future__ import annotations

from typing import Any

import click


def belief(name: str, chips: str | None, stated: str | None) -> dict[str, Any]:
    """Return the content of a belief, asked for or as stated on the command line.

    Parameters
    ----------
    name : str
        "agi_arrival" or "leak.open".
    chips : str or None
        None for percentiles; bins and chips as text, "" to be asked for them.
    stated : str or None
        Percentiles as text; None to be asked for them.
    """
    from difprog.beliefs import elicit
    from difprog.library import changes, layers

    parameter = layers.vocabulary()[layers.split_name(name)[0]]
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
                content = changes.parse_keys(_words(stated)) if stated else _percentiles(parameter.unit)
            return _settled(name, content, asked)
        except Exception as error:
            _complain(error, asked)


def _words(text: str) -> list[str]:
    from difprog.base.units import interval

    return [text] if interval(text) else text.replace(",", " ").split()


def _percentiles(unit: str) -> dict[str, Any]:
    """Ask for the three percentiles, the middle one optional."""
    example = f" {unit}" if unit else ""
    low = click.prompt(f"p5: 1 in 20 that it is below (a number, or with a unit, such as 2{example})")
    high = click.prompt("p95: 1 in 20 that it is above")
    said = "p50: as likely above as below (empty: leave it open)"
    middle = click.prompt(said, default="", show_default=False)
    found = {"p5": low, "p50": middle, "p95": high}
    return {k: _number(v) for k, v in found.items() if v.strip()}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip()


def _settled(name: str, content: dict[str, Any], asked: bool) -> dict[str, Any]:
    """Draw a belief back, name the families that fit it better, and return it as it is settled."""
    from difprog.beliefs import elicit
    from difprog.library import layers
    from difprog.render import priors, screen

    parameter = layers.vocabulary()[layers.split_name(name)[0]]
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
                return _settled(name, {**content, "distribution": choice}, False)
    return content


def _complain(error: Exception, asked: bool) -> None:
    """Say what is wrong with an answer that can be given again; raise everything else."""
    from difprog.base.errors import BadInput, plain

    if not (asked and isinstance(error, BadInput)):
        raise error
    for problem in error.problems:
        click.echo(f"  {plain(problem)}")
