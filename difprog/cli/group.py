"""Groups of commands: each listed with its whole first sentence, and the one meant where a name is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import click

from difprog.base.errors import nearest, plain


class Group(click.Group):
    """A group whose list of commands is never cut, and that says which one was probably meant."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; unless it says otherwise it is listed with the first sentence of its help."""
        if not cmd.short_help and cmd.help:
            sentence = " ".join(cmd.help.partition("\n\n")[0].split()).partition(". ")[0]
            cmd.short_help = f"{sentence.rstrip('.')}."
        super().add_command(cmd, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for; say which one was probably meant, in any case."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            meant = self.meant(name, [n for n in self.list_commands(ctx) if not self._hidden(ctx, n)])
            hint = f'did you mean "{meant}"?' if meant else f"{ctx.command_path} --help lists the commands"
            raise click.UsageError(f'No command is called "{plain(name, 40)}"; {hint}', ctx)
        return super().resolve_command(ctx, args)

    def meant(self, name: str, known: Sequence[str]) -> str | None:
        """Return what was probably meant by a name that no command has."""
        return nearest(name, known)

    def _hidden(self, ctx: click.Context, name: str) -> bool:
        found = self.get_command(ctx, name)
        return found is None or found.hidden
