"""Commands of ``difprog priors`` that only look: list, show, plot, check, diff, path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from difprog.cli import complete
from difprog.cli.options import json_option
from difprog.cli.priors.group import command, file_argument, model_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from difprog.beliefs.beliefs import Belief
    from difprog.library.shelf import Entry, Shelf
    from difprog.render.priors import Used


@command.command("list")
@file_argument(required=False)
@model_option()
@click.option("--markdown", is_flag=True, help="Print the reference page of the whole vocabulary.")
@json_option()
def list_beliefs(file: str | None, models: tuple[str, ...], markdown: bool, as_json: bool) -> None:
    """List the beliefs of FILE, or of all files that stand under every project.

    A model's name lists all that holds under that model. Marked are beliefs that are conditioned on
    evidence, with what is then used, and beliefs that are somebody's judgement.
    """
    from difprog.library import reference
    from difprog.library.shelf import Shelf
    from difprog.render import dump, priors, screen

    if markdown:
        click.echo(reference.markdown(), nl=False)
        return
    shelf = Shelf(models)
    found = shelf.entries(file)
    used = _used(found, shelf, file)
    if as_json:
        rows = [priors.data(e, used) for e in found]
        click.echo(dump.dumps({"schema": "difprog.beliefs/1", "beliefs": rows}))
    else:
        priors.listing(found, screen.console(), used)


def _used(found: list[Entry], shelf: Shelf, file: str | None) -> Used:
    """Return what scoring uses in place of the priors that are conditioned on evidence."""
    from difprog.beliefs.beliefs import Stack
    from difprog.library.used import used
    from difprog.render import priors

    if not any(e.belief.evidence for e in found):
        return {}
    stack = Stack((*shelf.stack().layers, *shelf.layers(file)))
    return used(found, stack, priors.LEVELS)


@command.command("show")
@click.argument(
    "names", nargs=-1, required=True, metavar="[FILE] BELIEF...", shell_complete=complete.beliefs_and_files
)
@model_option()
@json_option()
def show(names: tuple[str, ...], models: tuple[str, ...], as_json: bool) -> None:
    """Show beliefs: percentiles, mean, tails in words, source, and the density drawn.

    \b
        difprog priors show agi_arrival
        difprog priors show world leak.open
        difprog priors show synthesis overhang
        difprog priors show my-layer.toml researchers
    """  # noqa: D301
    from difprog.beliefs.beliefs import Stack
    from difprog.library.shelf import Shelf
    from difprog.render import dump, priors, screen

    shelf = Shelf(models)
    found, file = _entries(names, shelf)
    used = _used(found, shelf, file)
    if as_json:
        rows = [priors.data(e, used) for e in found]
        click.echo(dump.dumps({"schema": "difprog.beliefs/1", "beliefs": rows}))
        return
    out = screen.console()
    as_of = Stack((*shelf.stack().layers, *shelf.layers(file))).as_of
    for index, entry in enumerate(found):
        if index:
            out.print()
        priors.page(entry, as_of, out, used)


@command.command("plot")
@click.argument(
    "names", nargs=-1, required=True, metavar="[FILE] BELIEF...", shell_complete=complete.beliefs_and_files
)
@model_option()
@click.option("--height", type=click.IntRange(2, 40), default=12, show_default=True, help="Lines.")
def plot(names: tuple[str, ...], models: tuple[str, ...], height: int) -> None:
    """Draw one belief large, or several of one unit on one axis."""
    from difprog.base.errors import BadInput, Problem
    from difprog.library.shelf import Shelf
    from difprog.render import priors, screen

    found, _ = _entries(names, Shelf(models))
    units = sorted({e.parameter.unit or "no unit" for e in found})
    if len(units) > 1:
        hint = "plot those of one unit together"
        raise BadInput(Problem("plot", "", f"the units differ: {', '.join(units)}", hint=hint))
    priors.plots(found, screen.console(), height)


def _entries(names: tuple[str, ...], shelf: Shelf) -> tuple[list[Entry], str | None]:
    """Return the entries that "[FILE] BELIEF…" means, and the file."""
    from difprog.library.shelf import is_file
    from difprog.race.parameters import FACT_OF

    # "overhang" is a belief and a model: before another name it means the model's file. "leak.open" is none.
    name, _, case = names[0].partition(".")
    several = len(names) > 1 and case not in FACT_OF
    file_too = several and (is_file(names[0]) or shelf.model(names[0]) is not None)
    if name in shelf.vocabulary and not file_too:
        return [e for name in names for e in shelf.pick(None, name)], None
    if len(names) == 1:
        if is_file(names[0]):
            return shelf.entries(names[0]), names[0]
        _neither(names[0], shelf)
    return [e for name in names[1:] for e in shelf.pick(names[0], name)], names[0]


def _neither(name: str, shelf: Shelf) -> None:
    """Say which belief, or which file, was probably meant; raises `BadInput`."""
    from difprog.base import files
    from difprog.base.errors import BadInput, Problem, nearest

    known = [*shelf.vocabulary, *(n for k in ("priors", "scenario", "project") for n in files.available(k))]
    near = nearest(name, known)
    if near is None or near in shelf.vocabulary:
        shelf.split(name)
    raise BadInput(Problem(name, "", "no belief and no file of that name", hint=f'did you mean "{near}"?'))


@command.command("check")
@click.argument(
    "files_given", metavar="FILE...", nargs=-1,
    shell_complete=complete.files_of("priors", "scenario", "project"),
)  # fmt: skip
@model_option()
@click.option("--strict", is_flag=True, help="Exit with status 2 on warnings too.")
@json_option()
def check(files_given: tuple[str, ...], models: tuple[str, ...], strict: bool, as_json: bool) -> None:
    """Validate belief files, proposals or credences, and warn of what does not cohere.

    Without FILE, the files that stand under every project. Exit status 2 where a file is
    wrong, with every problem on standard error; 0 with warnings.
    """
    from difprog.base.errors import BadInput
    from difprog.library import checking
    from difprog.library.shelf import Shelf
    from difprog.render import dump, priors, screen

    found, problems = checking.check(files_given, Shelf(models))
    if as_json:
        rows = [checking.check_data(c) for c in found]
        click.echo(dump.dumps({"schema": "difprog.check/1", "files": rows}))
    else:
        out = screen.console()
        for item in found:
            doubts = [(d, checking.explained(d, item.layer)) for d in item.doubts]
            count = sum(not known for _, known in doubts)
            word = f"{count} warning{'s' * (count != 1)}" if count else "sound"
            if doubts and not count:
                word = "sound, with warnings that its notes explain"
            out.print(screen.text(f"{item.layer.source.label}: {word}"))
            priors.doubts(doubts, out)
    if problems:
        raise BadInput(*problems)
    if strict and any(not checking.explained(d, c.layer) for c in found for d in c.doubts):
        raise click.exceptions.Exit(2)


@command.command("diff")
@click.argument("first", shell_complete=complete.files_of("priors", "scenario", "project"))
@click.argument("second", required=False, shell_complete=complete.files_of("priors", "scenario", "project"))
@model_option()
@json_option()
def diff(first: str, second: str | None, models: tuple[str, ...], as_json: bool) -> None:
    """Compare two files, or a FILE (by default your own layer) with what ships.

    Only beliefs that the first file states are compared with what ships.
    """
    from difprog.library.compared import compared
    from difprog.library.shelf import Shelf
    from difprog.render import dump, priors, screen

    shelf = Shelf(models)
    pairs, names = compared(first, second, shelf)
    if as_json:
        rows = [[None if e is None else priors.data(e) for e in pair] for pair in pairs]
        click.echo(dump.dumps({"schema": "difprog.belief-diff/1", "files": list(names), "beliefs": rows}))
    else:
        priors.comparison(pairs, names, screen.console(), use(shelf))


def use(shelf: Shelf) -> Callable[[Belief], dict[float, float] | None]:
    """Return a function that says what scoring uses in place of a belief, were it to hold."""
    from difprog.library.used import used_if
    from difprog.render import priors

    return lambda belief: used_if(belief, shelf.stack(), priors.LEVELS)


@command.command("path")
@file_argument(required=False)
@json_option()
def path(file: str | None, as_json: bool) -> None:
    """Print where files are looked up, or which file a name means."""
    from difprog.base import files
    from difprog.library.shelf import locate
    from difprog.render import dump

    if file is not None:
        found = str(locate(file))
        click.echo(dump.dumps({"path": found}) if as_json else found)
        return
    named = {
        "belief files": "priors", "scenarios": "scenario", "proposals": "project", "portfolios": "portfolio",
    }  # fmt: skip
    places = {what: [str(p.resolve()) for p in files.search_folders(kind)] for what, kind in named.items()}
    places |= {"your folder": [str(files.user_folder())], "cache": [str(files.cache_folder())]}
    if as_json:
        click.echo(dump.dumps(places))
        return
    for what, folders in places.items():
        click.echo(f"{what}:")
        for folder in folders:
            click.echo(f"  {folder}")
