"""The inputs of a forecast as plain data that a page can carry, and the forecast made again from them.

A saved run keeps the draws; a page that is forwarded carries the proposal and the belief files word
for word, the seed and the options, so that whoever gets it can make the forecast again. Nothing that
is carried is executed: models are the shipped ones of their names, or files that one gives oneself.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from difprog.base import writing
from difprog.base.errors import BadInput, Problem, plain
from difprog.base.limits import DRAWS
from difprog.forecast import identity
from difprog.forecast.forecast import Forecast, score
from difprog.models.model import Model
from difprog.runs import restore, runs, saving

SCHEMA = "difprog.inputs/1"

#: What is carried of what a saved run says of itself.
KEYS = ("draws", "seed", "prob", "use_evidence", "credences", "believe", "project", "readings")


def carry(forecast: Forecast, beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what is needed to make a forecast again: files by hash, seed, options.

    ``beside`` is what the page shows of other scenarios, and is carried as it is.

    Raises
    ------
    BadInput
        Where an input file has changed since it was read.
    """
    posteriors = saving.posteriors_of(forecast)
    manifest = saving.manifest_of(forecast, posteriors)
    # A number that tells which kept posterior it was is of no use elsewhere.
    readings = [{k: v for k, v in entry.items() if k != "evidence"} for entry in manifest["readings"]]
    sources = {forecast.project.source.sha256: forecast.project.source}
    sources |= {
        layer.source.sha256: layer.source
        for stack in forecast.setup.stacks.values()
        for layer in stack.layers
    }
    texts = {sha: saving.unchanged(source).decode() for sha, source in sources.items()}
    found = {key: manifest[key] for key in KEYS} | {"readings": readings}
    shown = {} if beside is None else {"beside": beside}
    return {"schema": SCHEMA, "code": identity.code(), **found, **shown, "files": texts}


def beside(carried: Mapping[str, Any], where: str) -> Mapping[str, Any] | None:
    """Return what a page shows of other scenarios, where it carries that.

    Raises
    ------
    BadInput
        Where it is damaged.
    """
    found: Mapping[str, Any] | None = carried.get("beside")
    try:
        runs.check_beside(found)
    except runs.DAMAGE as error:
        raise BadInput(Problem(where, "", f"is damaged: {plain(error, 120)}")) from None
    return found


@contextmanager
def again(carried: Mapping[str, Any], models: Mapping[str, Model], where: str) -> Iterator[Forecast]:
    """Make the forecast anew that carried inputs ask for; its files are there inside the context only.

    Parameters
    ----------
    carried : mapping
        What `carry` returned, perhaps by way of a file that somebody sent.
    models : mapping of str to Model
        Models that do not ship, by name.
    where : str
        What the file is called in errors.

    Raises
    ------
    BadInput
        Where it is damaged, of another schema, or a model is not at hand.
    """
    if carried.get("schema") != SCHEMA:
        raise BadInput(Problem(where, "schema", "is not one that this version reads", carried.get("schema")))
    with tempfile.TemporaryDirectory(prefix="difprog.") as folder:
        try:
            found = _made(carried, models, Path(folder))
        except BadInput as error:
            # The folder of passage means nothing to a reader.
            problems = (p._replace(file=p.file.replace(folder, where)) for p in error.problems)
            raise BadInput(*problems) from None
        except runs.DAMAGE as error:
            raise BadInput(Problem(where, "", f"is damaged: {plain(error, 120)}")) from None
        yield found


def _made(carried: Mapping[str, Any], models: Mapping[str, Model], folder: Path) -> Forecast:
    """Write carried inputs below a folder, read them as those of a saved run, and score them."""
    names = {}
    for sha, text in carried["files"].items():
        content = str(text).encode()
        if hashlib.sha256(content).hexdigest() != sha:
            raise ValueError("an input does not have the hash that it states")
        name = runs.input_name(sha)
        try:
            writing.write_atomically(folder / name, content)
        except OSError as error:
            # The folder of passage is full, not the file damaged.
            what = f"its inputs cannot be laid out: {error.strerror}"
            raise BadInput(Problem(str(folder), "", what)) from None
        names[name] = sha
    run = runs.Run(folder, {**carried, "files": names}, {})
    seed, prob = int(carried["seed"]), float(carried["prob"])
    if not (1 <= run.count <= DRAWS.most and 0 < prob < 1 and 0 <= seed < 2**63):
        raise ValueError("its draws, seed or probability is beyond what a forecast can have")
    project, setup = restore.inputs(run, restore.models_of(run, models))
    return score(project, setup, run.count, seed, prob)


def dumps(carried: Mapping[str, Any]) -> str:
    """Return carried inputs as JSON on one line, with nothing in it that could end a script element."""
    text = json.dumps(carried, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def loads(text: str, where: str) -> dict[str, Any]:
    """Return carried inputs from JSON.

    Raises
    ------
    BadInput
        Where it is no JSON object.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        said = f"carries no inputs that can be read: {plain(error, 120)}"
        raise BadInput(Problem(where, "", said)) from None
    if not isinstance(found, dict):
        raise BadInput(Problem(where, "", "carries no inputs that can be read"))
    return found


__all__ = ["SCHEMA", "again", "beside", "carry", "dumps", "loads"]
