"""Quantities as people write them ("18 months"), in the unit a parameter has.

Loads pint only when a unit is given that is not already the parameter's own.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from difprog.base.errors import plain

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)?(?:\.\d+)?(?:[eE][-+]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(%|[^\d\s].*)?\s*", re.ASCII)
_RANGE = re.compile(r"\s*(.+?)\s+(?:to|–|—)\s+(.+?)\s*")


class UnitError(ValueError):
    """A quantity cannot be read, or not be converted to the unit that is needed."""


@lru_cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(cache_folder=None)
    registry.define("person = [labour] = FTE = fte = people = persons = researcher = researchers")
    registry.define("USD = [money] = usd = dollar = dollars")
    registry.define("percent = 0.01 = pct")
    return registry


def _pint_text(unit: str) -> str:
    """Spell a unit for pint: a hyphen multiplies ("person-years"), $ and % have names."""
    text = unit.replace("$", "USD").replace("%", "percent").replace("per ", "/ ")
    return re.sub(r"(?<=[A-Za-z])-(?=[A-Za-z])", "*", text)


@lru_cache(maxsize=512)
def factor(unit: str, wanted: str) -> float:
    """Return what a number in ``unit`` is multiplied by to be in ``wanted``.

    Raises
    ------
    UnitError
        Where the unit is unknown, has an offset (temperatures), or measures something else.
    """
    if unit == wanted:
        return 1.0
    if len(unit) > 60 or not re.fullmatch(r"[\w\s$%*/().^-]*", unit) or "**" in unit or "^" in unit:
        raise UnitError(f'unknown unit "{plain(unit, 40)}"')
    try:
        scale = _registry().Quantity(1.0, _pint_text(unit)).to(_pint_text(wanted)).magnitude
    except Exception as error:  # pint raises many kinds, some of them from its tokenizer
        raise UnitError(f'"{unit}" cannot be converted to {wanted or "a plain number"}') from error
    if not math.isfinite(scale) or scale <= 0:
        raise UnitError(f'unknown unit "{plain(unit, 40)}"')
    return float(scale)


def quantity(value: object, unit: str | None, wanted: str) -> float:
    """Return a number, or a text such as "18 months", in the unit ``wanted``.

    Parameters
    ----------
    value : int, float or str
        What the file says. A text may carry a unit of its own.
    unit : str or None
        The unit of plain numbers; None means ``wanted``.
    wanted : str
        The parameter's unit, "" for a plain number.

    Raises
    ------
    UnitError
        Where it is no finite number or the unit does not convert.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise UnitError("not a number")
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value) if len(value) <= 80 else None
        if match is None or not match[1].strip("+-"):
            raise UnitError("not a number")
        own = (match[2] or "").strip()
        try:
            number = float(match[1].replace(",", "").replace("_", ""))
        except ValueError as error:
            raise UnitError("not a number") from error
        unit = own or unit
    else:
        try:
            number = float(value)
        except OverflowError as error:
            raise UnitError("number too large") from error
    if not math.isfinite(number):
        raise UnitError("not a finite number")
    number *= factor(unit, wanted) if unit is not None else 1.0
    if not math.isfinite(number):
        raise UnitError("number too large")
    return number


def interval(text: str) -> tuple[str, str] | None:
    """Split "2 to 45 years" into ("2 years", "45 years"); None where the text is no interval."""
    match = _RANGE.fullmatch(text) if len(text) <= 120 else None
    if match is None:
        return None
    low, high = match[1], match[2]
    ends = _QUANTITY.fullmatch(high)
    if ends is not None and ends[2] and re.fullmatch(r"[-+\d.,_eE]+", low):
        low = f"{low} {ends[2]}"
    return low, high
