"""Hashes that say under which code and which files a number was made. Reads files only."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import difprog
from difprog.base import files
from difprog.base.plainjson import digest
from difprog.forecast.setup import Setup

#: Distributions whose version can change a number.
LIBRARIES = ("numpy", "scipy", "pymc", "pytensor")


@lru_cache
def code() -> str:
    """Return the SHA-256 of the package's own code: what decides a number, not how it is shown."""
    root = Path(difprog.__file__).resolve().parent
    shown = {"cli", "render"}
    return _files([p for p in root.rglob("*.py") if p.relative_to(root).parts[0] not in shown], root)


@lru_cache
def evidence() -> str:
    """Return the SHA-256 of the data, and of the kept results, that ship."""
    root = files.shipped("priors", "evidence")
    return _files([*root.glob("*.csv"), *root.glob("*.nc")], root)


def _files(paths: Iterable[Path], root: Path) -> str:
    """Return the hash of files' names and contents; line ends do not count in texts."""
    found = {}
    for path in paths:
        content = path.read_bytes()
        if path.suffix != ".nc":
            content = content.replace(b"\r\n", b"\n")
        found[path.relative_to(root).as_posix()] = hashlib.sha256(content).hexdigest()
    return digest(found)


def versions() -> dict[str, str]:
    """Return the versions that a number can depend on."""
    return {
        "difprog": difprog.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def setup(used: Setup) -> dict[str, Any]:
    """Return what identifies the models, layers, credences and statements that projects are scored under."""
    return {
        "code": code(),
        "versions": versions(),
        "evidence": evidence() if used.use_evidence else None,
        "believe": {stated.name: stated.chance for stated in used.believe},
        "models": {
            model.name: {
                "source": model.source.sha256,
                "credence": used.credences[model.name],
                "layers": [layer.source.sha256 for layer in used.stacks[model.name].layers],
            }
            for model in used.models
        },
    }
