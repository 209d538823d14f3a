"""Commands of ``difprog priors`` that write: copy, edit, set, unset, elicit."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from difprog.cli.options import json_option
from difprog.cli.priors.group import belief_argument, command, file_argument, model_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from difprog.library.amend import Change
    from difprog.library.drafts import Draft
    from difprog.library.shelf import Shelf


@command.command("copy")
@file_argument()
@model_option()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Where to; your own folder by default, for a proposal the working folder.",
)  # fmt: skip
def copy(file: str, models: tuple[str, ...], output: Path | None) -> None:
    """Copy FILE to where it can be edited, stating what it was copied from."""
    from difprog.library import amend
    from difprog.library.shelf import Shelf

    click.echo(f"Copied to {amend.copy(file, output, Shelf(models))}")


@command.command("set")
@file_argument()
@belief_argument()
@click.argument("keys", nargs=-1, metavar="KEY=VALUE...")
@model_option()
@click.option("--source", help="Who says so, with a link.")
@click.option("--note", help="Why.")
@json_option()
def set_belief(
    file: str, belief: str, keys: tuple[str, ...], models: tuple[str, ...], source: str | None,
    note: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Set one BELIEF of FILE and change nothing else of it.

    \b
        difprog priors set world agi_arrival p10=2 p90=40 --source "my reading of …"
        difprog priors set world leak.open "0.4 to 0.9" judgement=true
        difprog priors set my.toml lead_time value="18 months"

    New percentiles or a value replace the old ones whole. Changed numbers keep no source that
    spoke for the old ones: give theirs with --source, or say judgement=true. KEY= takes a key out;
    `difprog priors unset` takes the whole belief out.
    """  # noqa: D301
    from difprog.library import amend
    from difprog.library.shelf import Shelf

    texts = {k: v for k, v in (("source", source), ("note", note)) if v is not None}
    shelf = Shelf(models)
    _report(amend.set_belief(file, belief, amend.parse_keys(keys) | texts, shelf), shelf, as_json)


@command.command("unset")
@file_argument()
@belief_argument()
@model_option()
@json_option()
def unset_belief(file: str, belief: str, models: tuple[str, ...], as_json: bool) -> None:
    """Take one BELIEF out of your own FILE, so that what ships holds again.

    \b
        difprog priors unset world agi_arrival
        difprog priors unset my-layer.toml leak.open
    """  # noqa: D301
    from difprog.library import amend
    from difprog.library.shelf import Shelf

    shelf = Shelf(models)
    _report(amend.unset_belief(file, belief, shelf), shelf, as_json)


def _report(change: Change, shelf: Shelf, as_json: bool = False) -> None:
    from difprog.render import dump, priors, screen

    if as_json:
        click.echo(dump.dumps(priors.change_data(change)))
        return
    out = screen.console()
    out.print(screen.text(priors.where(change)), soft_wrap=True)
    name = change.name.partition(".")[0]
    if name in shelf.vocabulary and (change.before or change.after):
        priors.changed(change, shelf.vocabulary[name], out)
    for remark in change.remarks:
        priors.remark("note", remark, out)
    priors.doubts(((d, False) for d in change.doubts), out)


@command.command("edit")
@file_argument()
@model_option()
def edit(file: str, models: tuple[str, ...]) -> None:
    """Open FILE in $VISUAL or $EDITOR and replace it only by what validates.

    You work on a draft in your own folder. Where it is wrong you are told what, and can open it
    again; the draft is kept if you give up, and taken up the next time.
    """
    from difprog.base.errors import BadInput, plain
    from difprog.library import drafts
    from difprog.library.shelf import Shelf

    draft = drafts.draft(file, Shelf(models))
    if draft.resumed:
        click.echo(f"Taking up the draft that was left: {draft.path}", err=True)
    while True:
        _open(draft)
        try:
            changed = draft.finish()
        except BadInput as error:
            for problem in error.problems:
                click.echo(f"difprog: {plain(problem)}", err=True)
            if not _again(draft):
                raise click.exceptions.Exit(2) from None
            continue
        click.echo(f"{'Changed' if changed else 'Nothing changed in'} {draft.goal.path}")
        return


def _open(draft: Draft) -> None:
    from difprog.base.errors import BadInput, Problem

    try:
        # Its path is its own: what difprog runs in is not what an editor wants.
        click.edit(filename=str(draft.path), env={"PYTHONSAFEPATH": ""})
    except click.ClickException as error:
        hint = f"set $EDITOR; your draft is kept: {draft.path}"
        raise BadInput(Problem("edit", "", f"the editor failed: {error.message}", hint=hint)) from None


def _again(draft: Draft) -> bool:
    """Ask whether to open the draft again; whatever happens, say where it is."""
    try:
        if click.confirm("Open it again?", default=True, err=True):
            return True
    except click.Abort:
        click.echo(err=True)
    click.echo(f"Nothing was replaced. Your draft is kept: {draft.path}", err=True)
    return False


@command.command("elicit")
@belief_argument()
@model_option()
@click.option(
    "--chips", is_flag=False, flag_value="", metavar='"BIN: N, …"',
    help="Lay chips on bins instead; without bins you are asked for them.",
)
@click.option("--file", "file", default="world", show_default=True, help="The file to write it to.")
@click.option("--percentiles", "stated", metavar='"p10=2 p50=9 …"', help="Answer without being asked.")
@click.option("--source", help="Who says so.")
@click.option("--yes", is_flag=True, help="Write it without being asked.")
def elicit(
    belief: str, models: tuple[str, ...], chips: str | None, file: str, stated: str | None,
    source: str | None, yes: bool,
) -> None:  # fmt: skip
    """Ask for one BELIEF, by percentiles or by chips laid on bins, and draw it back at once.

    Where BELIEF is "outcomes" the questions are about the outcome: the chance that it goes well,
    and of AGI by three dates. Forecasts then start from your answers.

    \b
        difprog priors elicit agi_arrival
        difprog priors elicit agi_arrival --chips "0 to 5: 4, 5 to 15: 9, 15 to 40: 5, 40 to 100: 2"
    """  # noqa: D301
    from difprog.cli import questions
    from difprog.library import amend
    from difprog.library.shelf import Shelf

    shelf = Shelf(models)
    if belief == "outcomes":
        chances = questions.outcomes(stated)
        if chances and (yes or click.confirm(f"Write it to your own layer over {file}?", default=False)):
            path = amend.set_outcomes(file, chances, shelf)
            click.echo(f"Written to {path}. Forecasts now start from it.")
        return
    content = questions.belief(belief, shelf, chips, stated)
    if not yes and not click.confirm(f"Write it to {file}?", default=False):
        keys = " ".join(f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v}" for k, v in content.items())
        click.echo(f"Not written. Later: difprog priors set {file} {belief} {keys}")
        return
    if source is None and not yes:
        said = "Who says so (source; empty: my own judgement)"
        source = click.prompt(said, default="", show_default=False).strip() or None
    spoken = {"source": source} if source else {"judgement": True}
    _report(amend.set_belief(file, belief, content | spoken, shelf), shelf)


@command.command("generate", hidden=True)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; status 3 where a file is stale.")
def generate(only_check: bool) -> None:
    """Write what follows from a checkout's models and datasets.

    Each dataset's name at the beliefs in `world.toml` that it conditions; the schemas, the vocabulary
    page and the README's table of models.
    """
    from difprog.base import files, writing
    from difprog.beliefs import schema
    from difprog.library import reference
    from difprog.models.model import vocabulary

    root = files.shipped("priors")
    world, readme = root / "world.toml", root.parent / "README.md"
    wanted: dict[Path, Callable[[], str]] = {
        world: lambda: reference.with_datasets(world.read_text("utf-8")),
        **{root / name: partial(str, text) for name, text in schema.files(vocabulary()).items()},
        root.parent / "VOCABULARY.md": reference.markdown,
        readme: lambda: reference.with_models(readme.read_text("utf-8")),
    }
    stale = False
    for path, make in wanted.items():  # in this order: the page tells of the beliefs as they then are
        text = make()
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale = True
        click.echo(f"{'stale' if only_check else 'wrote'}: {path.name}")
        if not only_check:
            writing.write_atomically(path, text)
    if stale and only_check:
        raise click.exceptions.Exit(3)
