"""A saved run: what lies in its folder, loaded only if every byte of it is as it was written.

A run is a folder: ``run.json`` (what made it; the hash of every other file and of itself),
``summary.json`` (the JSON of ``difprog score``), ``draws.nc`` (the forecast's DataTree, which
``arviz.from_netcdf`` opens), ``inputs/`` (the proposal and the belief files, as they were), and
``scenarios.json`` (what a report shows of other scenarios) where it was kept. It is written beside its
place and renamed, so it is there whole or not at all (`difprog.runs.saving`); `difprog.runs.restore` makes
it a forecast again.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base import files, plainjson
from difprog.base.errors import BadInput, Problem, plain
from difprog.base.limits import DRAWS_BYTES, TEXT_BYTES
from difprog.forecast.forecast import MIXED
from difprog.forecast.question import WORLDS
from difprog.race.parameters import FACTS
from difprog.runs import netcdf

Array = npt.NDArray[np.float64]

SCHEMA = "difprog.run/2"
MANIFEST, SUMMARY, DRAWS, BESIDE = "run.json", "summary.json", "draws.nc", "scenarios.json"

#: What a summary has of every quantity, in numbers that are finite.
NUMBERS = ("mean", "sd", "median", "lower", "upper", "p_positive", "p_negative")

#: What a corrupt or hostile manifest makes the code below raise.
DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, OSError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A saved run, checked against its hashes.

    Attributes
    ----------
    folder : Path
        Where it is.
    manifest : dict
        What made it.
    summary : dict
        The JSON of ``difprog score``.
    beside : dict or None
        What a report shows of other scenarios, where it was kept.
    """

    folder: Path
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    beside: Mapping[str, Any] | None = None

    @property
    def count(self) -> int:
        """Number of draws."""
        return int(self.manifest["draws"])

    @property
    def readings(self) -> dict[str, Mapping[str, Any]]:
        """What the manifest says of every reading, by the model's name."""
        return {str(entry["model"]): entry for entry in self.manifest["readings"]}

    def outcome(self) -> dict[str, Array]:
        """Return the draws of `MIXED`, each of shape (reading, draw), as they were saved."""
        found = self.draws(("p_success", "net_effect", "chance_of_hit"))
        return by_quantity(found["p_success"], found["chance_of_hit"], found["net_effect"])

    def draws(self, names: Sequence[str]) -> dict[str, Array]:
        """Return variables of the group ``posterior``, dims (world, reading, draw) or the latter ones.

        Raises
        ------
        BadInput
            Where the file is damaged.
        """
        shape = 1, self.count, len(self.readings), len(WORLDS)
        try:
            labels = netcdf.readings(self.folder / DRAWS, len(self.readings))
            if labels != list(self.readings):
                raise ValueError("its readings are not those of the run")
            return netcdf.read(self.folder / DRAWS, "posterior", names, shape[:2], shape[:3], shape)
        except DAMAGE as error:
            raise damaged(self.folder, DRAWS, error) from None


def by_quantity(success: Array | Sequence[Array], chance: Array, net: Array) -> dict[str, Array]:
    """Return draws of `MIXED`, from those of the three worlds, of the hit's chance and of the net effect."""
    without, hit, miss = success
    return dict(zip(MIXED, (without, chance * hit + (1.0 - chance) * miss, net), strict=True))


def damaged(folder: Path, name: str, why: object) -> BadInput:
    """Return the error of a file of a run that is not as it was written."""
    return BadInput(
        Problem(str(folder / name), "", f"is damaged: {plain(why, 120)}", hint="save the run again")
    )


def input_name(sha256: str) -> str:
    """Return under which name a run keeps an input file."""
    return f"inputs/{sha256[:32]}.toml"


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, however large."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def load(folder: Path) -> Run:
    """Return a saved run after checking that every byte of it is as it was written.

    Raises
    ------
    BadInput
        Where there is no run, it is of another schema, or a file is missing, longer or changed.
    """
    if not folder.exists():
        what = "no such file" if folder.suffix else "no such folder"
        raise BadInput(Problem(str(folder), "", what, hint="difprog score PROJECT --save DIR"))
    if not folder.is_dir():
        raise BadInput(Problem(str(folder), "", "is no folder", hint="difprog score PROJECT --save DIR"))
    if not (folder / MANIFEST).is_file():
        raise BadInput(Problem(str(folder), "", f"is no saved run: it holds no {MANIFEST}"))
    manifest = content_of(folder, MANIFEST)
    schema = manifest.get("schema")
    if schema != SCHEMA:
        raise BadInput(
            Problem(str(folder / MANIFEST), "schema", "is not one that this version reads", schema,
                    f"it reads {SCHEMA}")
        )  # fmt: skip
    said = {key: value for key, value in manifest.items() if key != "sha256"}
    if plainjson.digest(said) != manifest.get("sha256"):
        raise damaged(folder, MANIFEST, "it does not have the hash that it states")
    try:
        for name, wanted in manifest["files"].items():
            _check(folder, str(name), int(wanted["bytes"]), str(wanted["sha256"]))
        for name in (SUMMARY, DRAWS):
            if name not in manifest["files"]:
                raise ValueError(f"it lists no {name}")
        beside = content_of(folder, BESIDE) if BESIDE in manifest["files"] else None
        run = Run(folder, manifest, content_of(folder, SUMMARY), beside)
        if not (1 <= run.count <= 10**9 and run.readings and math.isfinite(float(manifest["prob"]))):
            raise ValueError("it states no draws or no models")
        facts = manifest["project"]["facts"]
        if set(facts) != set(FACTS) or not all(facts[name] in values for name, values in FACTS.items()):
            raise ValueError("it does not state the facts of the project")
        if not all(isinstance(of, str) for of in dict(manifest["versions"]).values()):
            raise ValueError("it does not state the versions that it was made with")
        _check_summary(run)
        check_beside(beside)
    except DAMAGE as error:
        raise damaged(folder, MANIFEST, error) from None
    return run


def _check_summary(run: Run) -> None:
    """Check that the summary has the numbers of the models that the manifest names."""
    parts = run.summary["models"]
    if sorted(str(part["model"]) for part in parts) != sorted(run.readings):
        raise ValueError("its summary is of other models")
    for part in (*parts, run.summary["ensemble"]):
        for name in MIXED:
            if not all(isinstance(part[name][key], (int, float)) for key in NUMBERS):
                raise ValueError(f"its summary has no {name}")


def check_beside(found: Mapping[str, Any] | None) -> None:
    """Raise what damage raises where this is not what a report shows of other scenarios."""
    if found is None:
        return
    if not (isinstance(found["draws"], int) and found["scenarios"] and isinstance(found["scenarios"], list)):
        raise ValueError("what it keeps of other scenarios is none")
    if not all(isinstance(name, str) for name in list(found["left_out"])):
        raise ValueError("what it keeps of scenarios that were left out are no names")
    for entry in found["scenarios"]:
        net = entry["net_effect"]
        numbers = [net[key] for key in (*NUMBERS, "mcse")]
        if not (isinstance(entry["scenario"], str) and entry["sign"] in (-1, 0, 1)):
            raise ValueError("what it keeps of a scenario has no name or sign")
        if not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
            raise ValueError("what it keeps of a scenario has no effect")


def content_of(folder: Path, name: str) -> dict[str, Any]:
    """Return a JSON object of a run; raises `BadInput` where it is damaged."""
    raw = files.read_bytes(folder / name, TEXT_BYTES.most)
    try:
        data = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise damaged(folder, name, error) from None
    if not isinstance(data, dict):
        raise damaged(folder, name, "it is no JSON object")
    return data


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _check(folder: Path, name: str, size: int, sha256: str) -> None:
    """Check one file of a run: inside the folder, of the size and content that the manifest says."""
    parts = PurePosixPath(name).parts
    if not parts or not all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", part) for part in parts):
        raise BadInput(Problem(str(folder / MANIFEST), "files", "names a file outside the run", name))
    path = folder.joinpath(*parts)
    limit = (DRAWS_BYTES if name == DRAWS else TEXT_BYTES).most
    if path.is_symlink() or not path.is_file():
        raise BadInput(Problem(str(path), "", "is missing", hint="save the run again"))
    if size > limit or path.stat().st_size != size or hash_file(path) != sha256:
        raise damaged(folder, name, "it does not have the size and hash that the run states")
