"""Written reports: gather the data, or take what a run kept, and write the files.

``python -m difprog.report`` writes the example reports of the repository again.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from difprog import files, forecast
from difprog.errors import BadInput, Problem
from difprog.explain import explain
from difprog.forecast import DEFAULT_DRAWS, DEFAULT_PROB, DEFAULT_SEED
from difprog.render import explained, markdown

#: Proposals of which reports are kept in the repository.
EXAMPLES = ("rlhf", "agent-foundations")

#: What a saved run keeps for its report, and the largest such file that is read.
KEPT = "report.json"
LARGEST = 1 << 26


def content(
    project: str,
    models: Sequence[str] = (),
    priors: Sequence[str] = (),
    use_evidence: bool = True,
    draws: int = DEFAULT_DRAWS,
    seed: int = DEFAULT_SEED,
    prob: float = DEFAULT_PROB,
    publication: str | None = None,
) -> dict[str, Any]:
    """Score and explain a project, and return all that its report shows.

    Parameters
    ----------
    project : str
        A path or a bare name.
    models, priors, use_evidence, draws, seed, prob, publication
        As on the command line.

    Raises
    ------
    BadInput
        With every problem.
    """
    setup = forecast.prepare(models, priors, use_evidence)
    proposal = forecast.find_project(project, setup)
    if publication is not None:
        proposal = proposal.published(publication)
    found = forecast.score(proposal, setup, draws, seed, prob)
    options = [("--model", files.label(Path(m)) if files.is_path(m) else m) for m in models]
    options += [("--priors", files.label(Path(p)) if files.is_path(p) else p) for p in priors]
    options += [("--publication", publication)] if publication is not None else []
    options += [
        (name, str(value))
        for name, value, usual in (
            ("--draws", draws, DEFAULT_DRAWS), ("--seed", seed, DEFAULT_SEED), ("--prob", prob, DEFAULT_PROB)
        )
        if value != usual
    ]  # fmt: skip
    words = ["difprog", "report", _short(project), *(word for option in options for word in option)]
    if not use_evidence:
        words.append("--no-evidence")
    return explained.report(explain(found), shlex.join(words))


def _short(project: str) -> str:
    """Return what to call a project in a command, without where on a machine it is."""
    if not files.is_path(project):
        return project
    label = Path(files.label(Path(project)))
    return label.stem if label.parent.as_posix() == "priors/projects" else label.name


def kept(run: Path) -> dict[str, Any]:
    """Return what a saved run kept for its report.

    Raises
    ------
    BadInput
        Where it is no saved run, or kept nothing to make a report of.
    """
    path = run / KEPT if run.is_dir() else run
    if run.is_dir() and not path.is_file():
        raise BadInput(
            Problem(str(run), "", f"holds no {KEPT}", hint="save a run with difprog score PROJECT --save DIR")
        )
    try:
        found = json.loads(files.read_bytes(path, LARGEST).decode())
    except (ValueError, RecursionError):
        raise BadInput(Problem(str(path), "", "is not the report data of a saved run")) from None
    if not isinstance(found, dict) or found.get("schema") != explained.REPORT_SCHEMA:
        raise BadInput(
            Problem(str(path), "schema", f"must be {explained.REPORT_SCHEMA}", _schema(found))
        )
    return found


def _schema(found: object) -> object:
    return found.get("schema") if isinstance(found, dict) else type(found).__name__


def write(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write a report's page and figures below a folder; return the paths, the page first."""
    try:
        pages = markdown.pages(found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            Problem("report data", "", f"cannot be rendered: {type(error).__name__}: {error}")
        ) from error
    for name, content_ in pages.items():
        files.write_atomically(folder / name, content_)
    return [folder / name for name in pages]


def examples(folder: Path) -> list[Path]:
    """Write the example reports below a folder."""
    return [path for project in EXAMPLES for path in write(content(project, use_evidence=False), folder)]


__all__ = ["EXAMPLES", "KEPT", "content", "examples", "kept", "write"]


if __name__ == "__main__":
    import sys

    for written in examples(Path(sys.argv[1] if len(sys.argv) > 1 else "reports")):
        sys.stdout.write(f"{written}\n")
