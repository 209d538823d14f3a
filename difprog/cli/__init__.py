"""The command line: a group of commands, each in a file of its own, and what all of them share.

Imports click and nothing heavy; a command's module is imported when it is run or listed, and
imports what it needs inside its functions.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from difprog import __version__
from difprog.base import files
from difprog.base.errors import BadInput, DifprogError, nearest, plain
from difprog.cli.group import Group

#: Command → module below difprog.cli that defines it as ``command``, in the order of --help.
COMMANDS = {
    "score": "score",
    "explain": "explain",
    "compare": "compare",
    "rank": "rank",
    "allocate": "allocate",
    "log": "log",
    "report": "report",
    "diff": "diff",
    "new": "new",
    "list": "list",
    "priors": "priors",
    "models": "models",
    "evidence": "evidence",
    "verify": "verify",
    "glossary": "glossary",
}

#: Objects after which Python looks for unreachable ones: 700, as it does by itself, costs a tenth of a start,
#: in which a million objects are made to stay.
GARBAGE = 50_000


class Commands(Group):
    """Finds commands by name, imports them when needed, and ends them with a sound status."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names, in the order of the list."""
        return [*COMMANDS]  # `list` is the command of that name once it is imported

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"difprog.cli.{COMMANDS[cmd_name]}")
        found: click.Command = module.command
        return found

    def meant(self, name: str, known: Sequence[str]) -> str | None:  # noqa: ARG002
        """Return the command, or the proposal to score, that was probably meant."""
        near = nearest(name, COMMANDS)
        if near is None and (proposal := nearest(name, files.available("project"))):
            near = f"difprog score {proposal}"
        return near

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, turning every outcome into an exit status and no traceback."""
        kwargs["standalone_mode"] = False
        gc.set_threshold(GARBAGE)
        _open_streams()
        said: set[str] = set()

        def notice(words: str) -> None:
            if words not in said:
                said.add(words)
                click.echo(f"difprog: {plain(words)}", err=True)

        files.notice.set(notice)
        try:
            result = super().main(*args, **kwargs)
            sys.stdout.flush()
        except click.exceptions.Exit as done:
            _leave(done.exit_code)
        except click.Abort as ended:
            if isinstance(ended.__cause__, EOFError) and "marshal" in str(ended.__cause__):
                raise ended.__cause__ from None  # no end of what is typed: bytecode that is damaged
            click.echo("Stopped.", err=True)
            _leave(130)
        except click.ClickException as error:
            error.show()
            _leave(2)
        except DifprogError as error:
            lines = error.problems if isinstance(error, BadInput) else (error,)
            for line in lines:
                click.echo(f"difprog: {plain(line)}", err=True)
            _reraise_for_debugging(error)
            _leave(error.exit_status)
        except KeyboardInterrupt:
            click.echo("Stopped.", err=True)
            _leave(130)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _leave(0)
        except OSError as error:
            # A full disk or a folder that cannot be written is no bug of ours.
            what = plain(error.strerror or error)
            click.echo(f"difprog: {plain(error.filename or 'output')}: {what}", err=True)
            _reraise_for_debugging(error)
            _leave(2)
        except Exception as error:
            _reraise_for_debugging(error)
            if sys.flags.optimize > 1:
                click.echo(
                    "difprog: Python runs without docstrings, which its libraries need: unset "
                    "PYTHONOPTIMIZE, leave out -OO",
                    err=True,
                )
                _leave(2)
            click.echo(
                f"difprog: a bug: {type(error).__name__}: {plain(error)}\n"
                "Set DIFPROG_DEBUG=1 to see where, and please report it.",
                err=True,
            )
            _leave(1)
        else:
            _leave(result if isinstance(result, int) else 0)


def _open_streams() -> None:
    """Make the standard streams such that nothing that is written to them is a crash."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # it was closed by whoever started this
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A locale without UTF-8 must not turn a "−" into a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _leave(status: int) -> None:
    sys.exit(status)


def _reraise_for_debugging(error: BaseException) -> None:
    if os.environ.get("DIFPROG_DEBUG") == "1":
        raise error


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="difprog")
def main() -> None:
    """Forecast the differential progress of a research project.

    Does it help alignment more than it shortens the time to AGI? Start with

    \b
        difprog list                  the proposals and models that there are
        difprog score rlhf            a shipped proposal, under every model
        difprog new my-project.toml   a proposal of your own, by questions
        difprog explain rlhf          why, and what would change the answer
    """  # noqa: D301
