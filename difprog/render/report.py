"""Written reports: gather the data, or take what a run kept, and write the files.

``python -m difprog.render.report`` writes the example reports of the repository again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import BadInput, Problem
from difprog.beliefs.project import DEFAULT_FACTS
from difprog.forecast.forecast import (
    DEFAULT_DRAWS,
    DEFAULT_PROB,
    DEFAULT_SEED,
    Forecast,
)
from difprog.forecast.request import Request
from difprog.models.model import load, shipped_models
from difprog.render import explained, markdown
from difprog.render.gfm import slug
from difprog.why.explain import explain

#: Proposals of which reports are kept in the repository.
EXAMPLES = ("rlhf", "agent-foundations")


def gathered(found: Forecast) -> dict[str, Any]:
    """Explain a forecast and return all that its report shows."""
    return explained.report(explain(found), command(found))


def kept(run: Path, models: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the report of a saved run shows, from its draws.

    Parameters
    ----------
    run : Path
        The folder that ``score --save`` wrote.
    models : sequence of str
        Files of models that do not ship.

    Raises
    ------
    BadInput
        Where it is no saved run, is damaged, or a model is missing.
    """
    from difprog.runs import runs

    loaded = {model.name: model for model in map(load, models)}
    return gathered(runs.forecast(runs.load(run), loaded))


def command(found: Forecast) -> str:
    """Return the command that makes a forecast's report again, with no place on a machine in it."""
    project = found.project
    label = Path(project.source.label)
    words = ["difprog", "report", label.stem if label.parent.as_posix() == "priors/projects" else label.name]
    names = [m.model.name for m in found.models]
    if set(names) != set(shipped_models()):
        labels = {m.model.name: m.model.source.label for m in found.models}
        for name in names:
            words += ["--model", name if labels[name].startswith("models/") else labels[name]]
    own = {layer.source.label: None for m in found.models for layer in m.layers[:-1]}
    for layer in own:
        if not layer.startswith("priors/"):
            words += ["--priors", layer]
    stated, _ = files.read_toml(project.source.path)
    policy = project.facts["publication"]
    if stated["project"].get("publication", DEFAULT_FACTS["publication"]) != policy:
        words += ["--publication", policy]
    for option, value, usual in (
        ("--draws", found.count, DEFAULT_DRAWS),
        ("--seed", found.seed, DEFAULT_SEED),
        ("--prob", found.prob, DEFAULT_PROB),
    ):
        if value != usual:
            words += [option, str(value)]
    if not found.setup.use_evidence:
        words.append("--no-evidence")
    return shlex.join(words)


def write(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write a report's page and figures below a folder; return the paths, the page first.

    A page that is there is replaced where it is an earlier report of the same name, and left alone
    where it is anything else: the new one is then called by the next number.
    """
    first = "\n\n".join(part for part in markdown.head(found) if part).splitlines()[0]
    pages = markdown.pages(found, stem(slug(found["project"]["name"]), first, folder))
    for name, content_ in pages.items():
        files.write_atomically(folder / name, content_)
    return [folder / name for name in pages]


def stem(wanted: str, page: str, folder: Path) -> str:
    """Return what a page can be called so that it replaces nothing but an earlier version of itself.

    Parameters
    ----------
    wanted : str
        What it should be called, without the suffix.
    page : str
        Its text, of which the first line tells whose it is.
    folder : Path
        Where it goes.
    """
    for number in range(1, 10_000):
        name = wanted if number == 1 else f"{wanted}-{number}"
        path = folder / f"{name}.md"
        if path.is_symlink() or path.exists():
            try:
                there = files.read_bytes(path, files.TABLE_LIMIT).decode("utf-8", "replace")
            except BadInput:
                continue
            if there.splitlines()[:1] == page.splitlines()[:1] and any(mark in there for mark in _MARKS):
                return name
        elif not (folder / name).exists() and not (folder / name).is_symlink():
            return name
    raise BadInput(Problem(str(folder), "", f"holds thousands of pages called {wanted}"))


#: What only pages of this program say, near their ends.
_MARKS = ("\n## How to do it again\n\n```sh\ndifprog report ", "\n## How it was made\n\ndifprog `")


def examples(folder: Path) -> list[Path]:
    """Write the example reports below a folder."""
    return [path for project in EXAMPLES for path in write(gathered(Request().score(project)), folder)]


__all__ = ["EXAMPLES", "command", "examples", "gathered", "kept", "write"]


if __name__ == "__main__":
    import sys

    for written in examples(Path(sys.argv[1] if len(sys.argv) > 1 else "reports")):
        sys.stdout.write(f"{written}\n")
