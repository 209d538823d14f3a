"""Published chances of the outcome and published magnitudes, from the tables that ship, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from difprog.base import files


@lru_cache(maxsize=2)
def _table(name: str) -> Mapping[str, Mapping[str, Any]]:
    table, _ = files.read_toml(path(name))
    found: Mapping[str, Mapping[str, Any]] = table[name]
    return found


def path(name: str) -> Path:
    """Return the file of a table: "outcomes" or "yardsticks"."""
    return files.shipped("priors", "published", f"{name}.toml")


def outcomes() -> Mapping[str, Mapping[str, Any]]:
    """Return what surveys and tournaments found: name → its chances, who was asked what, and the source."""
    return _table("outcomes")


def yardsticks() -> Mapping[str, Mapping[str, Any]]:
    """Return published costs and effects: name → figures and source."""
    return _table("yardsticks")


def chances(entry: Mapping[str, Any]) -> dict[str, float]:
    """Return the statements of one entry of `outcomes`, such as ``p_success`` and ``agi_by_2035``."""
    return {
        name: float(value)
        for name, value in entry.items()
        if name == "p_success" or name.startswith("agi_by_")
    }
