"""Names that a shell completes: of files, models and beliefs. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _matching(names: Iterable[str], incomplete: str, paths: bool = False) -> list[CompletionItem]:
    """Return the names that begin as typed, in any case; paths too, where a path may stand."""
    typed = incomplete.lower()
    found = [CompletionItem(name) for name in dict.fromkeys(names) if name.lower().startswith(typed)]
    return [*found, CompletionItem(incomplete, type="file")] if paths else found


def files_of(*kinds: str) -> Completer:
    """Return a completer of the bare names of files of these kinds, and of paths."""

    def complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from difprog.base import files

        return _matching((n for kind in kinds for n in files.available(kind)), incomplete, paths=True)

    return complete


def models(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete models by name, or a model file by path."""
    from difprog.models.model import shipped_models

    return _matching(shipped_models(), incomplete, paths=True)


def outcomes(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of published chances, and of what can be stated."""
    from difprog.beliefs import published

    return _matching(("p_success=", "agi_by_", *published.outcomes()), incomplete)


def beliefs(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of beliefs."""
    from difprog.models.model import vocabulary
    from difprog.race.parameters import FACTS, Group

    names = [name for name, p in vocabulary().items() if p.group is not Group.FACT]
    name, dot, _ = incomplete.partition(".")
    if dot and name in names:
        names = [f"{name}.{value}" for values in FACTS.values() for value in values]
    return _matching(names, incomplete)


def terms(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the terms of the glossary."""
    from difprog.render import glossary

    return _matching(glossary.TERMS, incomplete)


def projects_and_terms(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of proposals, and, once something is typed, the terms of the glossary."""
    found = files_of("project")(ctx, param, incomplete)
    return [*(terms(ctx, param, incomplete) if incomplete else ()), *found]


def beliefs_and_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of beliefs and of belief files."""
    return [*beliefs(ctx, param, incomplete), *files_of("priors", "scenario")(ctx, param, incomplete)]
