"""Written reports: gather the data, or take what a run kept, and write the files.

``python -m difprog.render.report`` writes the example reports of the repository again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from difprog.base import files, writing
from difprog.base.errors import BadInput, Problem
from difprog.beliefs.project import DEFAULT_FACTS
from difprog.choose import scenarios as scenarios_of
from difprog.forecast.forecast import (
    DEFAULT_DRAWS,
    DEFAULT_PROB,
    DEFAULT_SEED,
    Forecast,
)
from difprog.forecast.request import Request
from difprog.models.model import load, shipped_models
from difprog.render import explained, markdown, memo, scenarios
from difprog.render.content import SCENARIO, YOURS, by_themselves, kind, scenario
from difprog.render.gfm import slug
from difprog.why.explain import explain

#: Proposals of which reports are kept in the repository.
EXAMPLES = ("rlhf", "agent-foundations")

#: Most bytes of a page that is read again.
HTML_LIMIT = 1 << 26


def gathered(found: Forecast, beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Explain a forecast and return all that its report shows.

    ``beside`` is what `difprog.render.scenarios.kept` returned; without it nothing is said of scenarios.
    """
    content = explained.report(explain(found), command(found))
    return content if beside is None else {**content, "beside": beside}


def other_worlds(found: Forecast) -> dict[str, Any]:
    """Return what a proposal comes to under every scenario that ships, as the memo shows it."""
    return scenarios.kept(*scenarios_of.beside(found))


def written(
    found: Forecast, folder: Path, html: bool = False, beside: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write the report of a forecast below a folder: markdown and figures, or one HTML file.

    Parameters
    ----------
    found : Forecast
        What was found.
    folder : Path
        Where to write.
    html : bool
        Whether to write one file.
    beside : mapping, optional
        What `other_worlds` returned, now or when the forecast was made.

    Returns
    -------
    list of Path
        What was written, the page first.
    """
    content = gathered(found, beside)
    if not html:
        return write(content, folder)
    from difprog.render import html as page_of
    from difprog.runs import carried

    page = page_of.page(content, carried.dumps(carried.carry(found, beside)))
    name = f"{stem(slug(content['project']['name']), page, folder, '.html')}.html"
    writing.write_atomically(folder / name, page)
    return [folder / name]


def written_from(source: Path, models: Sequence[str], folder: Path, html: bool = False) -> list[Path]:
    """Write the report of a saved run from its draws, or of an HTML report made again from its inputs.

    Parameters
    ----------
    source : Path
        The folder that ``score --save`` wrote, or the file that ``report --html`` wrote.
    models : sequence of str
        Files of models that do not ship.
    folder : Path
        Where to write.
    html : bool
        Whether to write HTML; a report in HTML is made again as such in any case.

    Raises
    ------
    BadInput
        Where it is neither, is damaged, or a model is missing.
    """
    from difprog.runs import carried, restore, runs

    loaded = {model.name: model for model in map(load, models)}
    if source.is_dir() or not source.exists():
        run = runs.load(source)
        return written(restore.forecast(run, loaded), folder, html, run.beside)
    from difprog.render import html as page_of

    text = files.read_bytes(source, HTML_LIMIT).decode("utf-8", "replace")
    inputs = carried.loads(page_of.loaded(text, source.name), source.name)
    with carried.again(inputs, loaded, source.name) as found:
        return written(found, folder, html=True, beside=carried.beside(inputs, source.name))


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
    alone = by_themselves(found)
    own = {layer.source.label: kind(layer) for m in found.models for layer in m.layers[:-1]}
    for layer, where in own.items():
        if where == SCENARIO:
            words += ["--scenario", scenario(layer)]
        elif where == YOURS and layer not in alone:
            words += ["--priors", layer]
    for outcome in found.setup.believe:
        words += ["--believe", f"{outcome.name}={outcome.chance!r}"]
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
    first = memo.head(found)[0]
    pages = markdown.pages(found, stem(slug(found["project"]["name"]), first, folder))
    for name, content_ in pages.items():
        writing.write_atomically(folder / name, content_)
    return [folder / name for name in pages]


def stem(wanted: str, page: str, folder: Path, suffix: str = ".md") -> str:
    """Return what a page can be called so that it replaces nothing but an earlier version of itself.

    Parameters
    ----------
    wanted : str
        What it should be called, without the suffix.
    page : str
        Its text, or of markdown the first line, which tells whose it is.
    folder : Path
        Where it goes.
    suffix : str
        ".md", or ".html".
    """
    for number in range(1, 10_000):
        name = wanted if number == 1 else f"{wanted}-{number}"
        path = folder / f"{name}{suffix}"
        if path.is_symlink() or path.exists():
            try:
                there = files.read_bytes(path, HTML_LIMIT).decode("utf-8", "replace")
            except BadInput:
                continue
            if _is_earlier(there, page, suffix):
                return name
        elif suffix == ".html" or not ((folder / name).exists() or (folder / name).is_symlink()):
            return name
    raise BadInput(Problem(str(folder), "", f"holds thousands of pages called {wanted}"))


def _is_earlier(there: str, page: str, suffix: str) -> bool:
    """Whether a file is an earlier version of a page."""
    if suffix == ".html":
        from difprog.render import html

        return html.is_earlier(there, page)
    return there.splitlines()[:1] == page.splitlines()[:1] and any(mark in there for mark in _MARKS)


#: What only pages of this program say, near their ends.
_MARKS = ("\n## How to do it again\n\n```sh\ndifprog report ", "\n## How it was made\n\ndifprog `")


def examples(folder: Path, projects: Sequence[str] = EXAMPLES) -> list[Path]:
    """Write the example reports below a folder."""
    forecasts = (Request().score(project) for project in projects)
    return [path for found in forecasts for path in written(found, folder, beside=other_worlds(found))]


__all__ = [
    "EXAMPLES", "command", "examples", "gathered", "other_worlds", "write", "written", "written_from",
]  # fmt: skip


if __name__ == "__main__":
    import sys

    for path in examples(Path(sys.argv[1] if len(sys.argv) > 1 else "reports")):
        sys.stdout.write(f"{path}\n")
