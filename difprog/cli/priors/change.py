"""Commands of ``difprog priors`` that write: copy, edit, set, elicit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from difprog.cli.options import json_option
from difprog.cli.priors import command

if TYPE_CHECKING:
    from difprog.changes import Change
    from difprog.drafts import Draft


@command.command("copy")
@click.argument("file")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Where to; your own folder by default, for a proposal the working folder.",
)  # fmt: skip
def copy(file: str, output: Path | None) -> None:
    """Copy FILE to where it can be edited, stating what it was copied from."""
    from difprog import changes

    click.echo(f"Copied to {changes.copy(file, output)}")


@command.command("set")
@click.argument("file")
@click.argument("belief")
@click.argument("keys", nargs=-1, metavar="KEY=VALUE...")
@click.option("--source", help="Who says so, with a link.")
@click.option("--note", help="Why.")
@json_option()
def set_belief(
    file: str, belief: str, keys: tuple[str, ...], source: str | None, note: str | None, as_json: bool
) -> None:
    """Set one BELIEF of FILE and change nothing else of it.

    \b
        difprog priors set world agi_arrival p10=2 p90=40 --source "my reading of …"
        difprog priors set world leak.open "0.4 to 0.9"
        difprog priors set my.toml lead_time value="18 months"

    New percentiles or a value replace the old ones whole. Changed numbers keep no source that
    spoke for the old ones: give theirs with --source. KEY= takes a key out.
    """  # noqa: D301
    from difprog import changes

    texts = {k: v for k, v in (("source", source), ("note", note)) if v is not None}
    _report(changes.set_belief(file, belief, changes.parse_keys(keys) | texts), as_json)


def _report(change: Change, as_json: bool = False) -> None:
    from difprog import layers
    from difprog.render import data, priors, screen

    if as_json:
        click.echo(data.dumps(priors.change_data(change)))
        return
    out = screen.console()
    out.print(screen.text(priors.where(change)), soft_wrap=True)
    name = change.name.partition(".")[0]
    if change.after is not None and name in layers.vocabulary():
        priors.changed(change, layers.vocabulary()[name], out)
    for remark in change.remarks:
        priors.remark("note", remark, out)
    priors.doubts(((d, False) for d in change.doubts), out)


@command.command("edit")
@click.argument("file")
def edit(file: str) -> None:
    """Open FILE in $VISUAL or $EDITOR and replace it only by what validates.

    You work on a draft of the file. Where it is wrong you are told what, and can open it
    again; the draft is kept if you give up, and taken up the next time.
    """
    from difprog import drafts
    from difprog.errors import BadInput, plain

    draft = drafts.draft(file)
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
    from difprog.errors import BadInput, Problem

    try:
        click.edit(filename=str(draft.path))
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
@click.argument("belief")
@click.option(
    "--chips", is_flag=False, flag_value="", metavar='"BIN: N, …"',
    help="Lay chips on bins instead; without bins you are asked for them.",
)
@click.option("--file", "file", default="world", show_default=True, help="The file to write it to.")
@click.option("--percentiles", "stated", metavar='"p10=2 p50=9 …"', help="Answer without being asked.")
@click.option("--source", help="Who says so.")
@click.option("--yes", is_flag=True, help="Write it without being asked.")
def elicit(
    belief: str, chips: str | None, file: str, stated: str | None, source: str | None, yes: bool
) -> None:
    """Ask for one BELIEF, by percentiles or by chips laid on bins, and draw it back at once.

    \b
        difprog priors elicit agi_arrival
        difprog priors elicit agi_arrival --chips "0 to 5: 4, 5 to 15: 9, 15 to 40: 5, 40 to 100: 2"
    """  # noqa: D301
    from difprog import changes
    from difprog.cli import questions

    content = questions.belief(belief, chips, stated)
    if not yes and not click.confirm(f"Write it to {file}?", default=False):
        keys = " ".join(f"{k}={v:.6g}" if isinstance(v, float) else f"{k}={v}" for k, v in content.items())
        click.echo(f"Not written. Later: difprog priors set {file} {belief} {keys}")
        return
    if source is None and not yes:
        source = click.prompt("Who says so (source)", default="", show_default=False).strip() or None
    _report(changes.set_belief(file, belief, content | ({"source": source} if source else {})))


@command.command("generate", hidden=True)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; status 3 where a file is stale.")
def generate(only_check: bool) -> None:
    """Write the schemas and the vocabulary page of a checkout anew."""
    from difprog import files, schema, vocabulary

    root = files.shipped("priors")
    wanted = {root / name: text for name, text in schema.files().items()}
    wanted[root.parent / "VOCABULARY.md"] = vocabulary.markdown()
    stale = [p for p, text in wanted.items() if not p.is_file() or p.read_text("utf-8") != text]
    for path in stale:
        click.echo(f"{'stale' if only_check else 'wrote'}: {path.name}")
        if not only_check:
            files.write_atomically(path, wanted[path])
    if stale and only_check:
        raise click.exceptions.Exit(3)
