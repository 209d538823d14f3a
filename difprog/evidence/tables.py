"""The shipped tables of evidence: figures with a citation on every row. Reads files, nothing else."""

from __future__ import annotations

import csv
import io
from datetime import date

from difprog.base import files


def content(dataset: str) -> bytes:
    """Return a table's bytes, line ends made alike."""
    path = files.shipped("priors", "evidence", f"{dataset}.csv")
    return files.read_bytes(path, files.TABLE_LIMIT, files.label(path)).replace(b"\r\n", b"\n")


def rows(dataset: str, every: bool = False) -> list[dict[str, str]]:
    """Return a table's rows as texts by column; those that are not used only if ``every``."""
    found = list(csv.DictReader(io.StringIO(content(dataset).decode())))
    return [row for row in found if every or row.get("use", "yes") == "yes"]


def decimal_year(day: date) -> float:
    """Return a date as a decimal year."""
    return day.year + (day.timetuple().tm_yday - 1) / 365.25
