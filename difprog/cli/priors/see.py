"""Commands of ``difprog priors`` that only look: list, show, plot, check, diff, path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from difprog.cli.options import json_option
from difprog.cli.priors import command

if TYPE_CHECKING:
    from difprog.library.layers import Entry


@command.command("list")
@click.argument("file", required=False)
@click.option("--markdown", is_flag=True, help="Print the reference page of the whole vocabulary.")
@json_option()
def list_beliefs(file: str | None, markdown: bool, as_json: bool) -> None:
    """List the beliefs of FILE, or of all files that stand under every project."""
    from difprog.library import layers, vocabulary
    from difprog.render import data, priors, screen

    if markdown:
        click.echo(vocabulary.markdown(), nl=False)
        return
    found = layers.entries(layers.layers_of(file))
    if as_json:
        click.echo(data.dumps({"schema": "difprog.beliefs/1", "beliefs": [priors.data(e) for e in found]}))
    else:
        priors.listing(found, screen.console())


@command.command("show")
@click.argument("names", nargs=-1, required=True, metavar="[FILE] BELIEF...")
@json_option()
def show(names: tuple[str, ...], as_json: bool) -> None:
    """Show beliefs: percentiles, mean, tails in words, source, and the density drawn.

    \b
        difprog priors show agi_arrival
        difprog priors show world leak.open
        difprog priors show my-layer.toml researchers
    """  # noqa: D301
    from difprog.beliefs.beliefs import Stack
    from difprog.library import layers
    from difprog.render import data, priors, screen

    found, file = _entries(names)
    if as_json:
        click.echo(data.dumps({"schema": "difprog.beliefs/1", "beliefs": [priors.data(e) for e in found]}))
        return
    out = screen.console()
    as_of = Stack((*layers.standing("world"), *layers.layers_of(file))).as_of
    for index, entry in enumerate(found):
        if index:
            out.print()
        priors.page(entry, as_of, out)


@command.command("plot")
@click.argument("names", nargs=-1, required=True, metavar="[FILE] BELIEF...")
@click.option("--height", type=click.IntRange(2, 40), default=12, show_default=True, help="Lines.")
def plot(names: tuple[str, ...], height: int) -> None:
    """Draw one belief large, or several of one unit on one axis."""
    from difprog.base.errors import BadInput, Problem
    from difprog.render import priors, screen

    found, _ = _entries(names)
    units = sorted({e.parameter.unit or "no unit" for e in found})
    if len(units) > 1:
        hint = "plot those of one unit together"
        raise BadInput(Problem("plot", "", f"the units differ: {', '.join(units)}", hint=hint))
    priors.plots(found, screen.console(), height)


def _entries(names: tuple[str, ...]) -> tuple[list[Entry], str | None]:
    """Return the entries that "[FILE] BELIEF…" means, and the file."""
    from difprog.library import layers

    parameter = names[0].partition(".")[0]
    # "overhang" is a belief and a model: before another name it means the model's file.
    file_too = len(names) > 1 and layers.is_belief_file(names[0])
    if parameter in layers.vocabulary() and not file_too:
        return [e for name in names for e in layers.pick(None, name)], None
    if len(names) == 1:
        if layers.is_belief_file(names[0]):
            return layers.entries(layers.layers_of(names[0])), names[0]
        layers.split_name(names[0])
    return [e for name in names[1:] for e in layers.pick(names[0], name)], names[0]


@command.command("check")
@click.argument("files_given", metavar="FILE...", nargs=-1)
@click.option("--strict", is_flag=True, help="Exit with status 2 on warnings too.")
@json_option()
def check(files_given: tuple[str, ...], strict: bool, as_json: bool) -> None:
    """Validate belief files, proposals or credences, and warn of what does not cohere.

    Without FILE, the files that stand under every project. Exit status 2 where a file is
    wrong, with every problem on standard error; 0 with warnings.
    """
    from difprog.base.errors import BadInput
    from difprog.library import layers
    from difprog.render import data, priors, screen

    found, problems = layers.check(files_given)
    if as_json:
        click.echo(data.dumps({"schema": "difprog.check/1", "files": [layers.check_data(c) for c in found]}))
    else:
        out = screen.console()
        for item in found:
            doubts = [(d, layers.explained(d, item.layer)) for d in item.doubts]
            count = sum(not known for _, known in doubts)
            word = f"{count} warning{'s' * (count != 1)}" if count else "sound"
            if doubts and not count:
                word = "sound, with warnings that its notes explain"
            out.print(screen.text(f"{item.layer.source.label}: {word}"))
            priors.doubts(doubts, out)
    if problems:
        raise BadInput(*problems)
    if strict and any(not layers.explained(d, c.layer) for c in found for d in c.doubts):
        raise click.exceptions.Exit(2)


@command.command("diff")
@click.argument("first")
@click.argument("second", required=False)
@json_option()
def diff(first: str, second: str | None, as_json: bool) -> None:
    """Compare two files, or a FILE (by default your own layer) with what ships.

    Only beliefs that the first file states are compared with what ships.
    """
    from difprog.library import layers
    from difprog.render import data, priors, screen

    pairs, names = layers.differences(first, second)
    if as_json:
        rows = [[None if e is None else priors.data(e) for e in pair] for pair in pairs]
        click.echo(data.dumps({"schema": "difprog.belief-diff/1", "files": list(names), "beliefs": rows}))
    else:
        priors.comparison(pairs, names, screen.console())


@command.command("path")
@click.argument("file", required=False)
@json_option()
def path(file: str | None, as_json: bool) -> None:
    """Print where files are looked up, or which file a name means."""
    from difprog.base import files
    from difprog.library import layers
    from difprog.render import data

    if file is not None:
        click.echo(str(layers.locate(file)))
        return
    places = {
        "belief files": [str(p.resolve()) for p in files.search_folders("priors")],
        "proposals": [str(p.resolve()) for p in files.search_folders("project")],
        "your folder": [str(files.user_folder())],
        "cache": [str(files.cache_folder())],
    }
    if as_json:
        click.echo(data.dumps(places))
        return
    for what, folders in places.items():
        click.echo(f"{what}:")
        for folder in folders:
            click.echo(f"  {folder}")
