"""JSON as it leaves the program: no NaN and no infinity ever gets out, by one door."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

#: What a terminal obeys though JSON allows it in a text: C1 controls, line separators, marks of direction.
_OBEYED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def finite(value: Any) -> Any:
    """Return plain data in which what is no finite number is None, ``null`` in JSON.

    NaN means "not defined" and an infinity "beyond any number": JSON has neither, and no reader
    could compute with them.
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [finite(inner) for inner in value]
    return value


def digest(data: Any) -> str:
    """Return the SHA-256 of plain data, whatever the order of its keys."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def dumps(data: Any, indent: int | None = None) -> str:
    """Return JSON text: keys in their order, UTF-8, nothing that is no JSON or that a terminal obeys."""
    return shown(json.dumps(finite(data), indent=indent, ensure_ascii=False, allow_nan=False))


def shown(text: str) -> str:
    """Return JSON text in which what a terminal obeys is escaped: the same JSON."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
