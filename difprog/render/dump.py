"""Data as JSON text, the same bytes every time. Imports nothing heavy."""

from __future__ import annotations

import json
from typing import Any

from difprog.base.plainjson import shown


def dumps(content: Any) -> str:
    """Return plain data as JSON; raises ValueError for a number that JSON cannot hold."""
    return shown(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False))
