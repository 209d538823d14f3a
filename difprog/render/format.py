"""Numbers as people read them, with no digit that the Monte Carlo error does not support."""

from __future__ import annotations

import math

from difprog.forecast.summary import MICRODOOM, Summary

MINUS = "−"


def supported(value: float, error: float, sign: bool = False, digits: int = 3) -> str:
    """Return a number cut where its error begins.

    Parameters
    ----------
    value : float
        The number.
    error : float
        Its standard error; 0 means exact.
    sign : bool
        Whether to write the plus sign.
    digits : int
        Most significant digits, however small the error.
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else f"{MINUS}∞" if value < 0 else "?"
    if value == 0:
        return "0"
    if math.isinf(error):
        return "?"
    magnitude = math.floor(math.log10(abs(value)))
    places = digits - 1 - magnitude
    if error > 0:
        places = min(places, -math.floor(math.log10(error)))
    try:
        rounded = round(value, places)
    except OverflowError:  # the largest numbers that there are cannot be rounded up
        rounded = value
    return _spell(rounded, places, sign)


def significant(value: float, digits: int = 2, sign: bool = False) -> str:
    """Return a number with a few significant digits."""
    return supported(value, 0.0, sign, digits)


def _spell(value: float, places: int, sign: bool) -> str:
    """Spell a number that is rounded to ``places``, which may be negative."""
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-4 or size >= 1e7:
        digits = max(0, min(15, places + math.floor(math.log10(size) + 1e-12)))
        mantissa, exponent = f"{size:.{digits}e}".split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    else:
        text = f"{size:,.{max(0, places)}f}"
    return (MINUS if value < 0 else "+" if sign else "") + text


def microdooms(value: float, error: float = 0.0, sign: bool = True) -> str:
    """Return an effect on probability in microdooms averted."""
    return supported(value / MICRODOOM, error / MICRODOOM, sign)


def interval(lower: float, upper: float, scale: float = 1.0, digits: int = 2, sign: bool = False) -> str:
    """Return an interval in words that read aloud: "−43 to +36".

    An end within a thousandth of the other's size is 0: what it is beyond that says nothing.
    """
    grain = 1e-3 * max(abs(lower), abs(upper)) / scale
    low, high = (
        significant(0.0 if abs(end / scale) < grain else end / scale, digits, sign)
        for end in (lower, upper)
    )
    return low if low == high else f"{low} to {high}"


def percent(share: float, count: int = 0) -> str:
    """Return a share of ``count`` draws in percent, as finely as that many draws support."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    # Wilson's centre keeps the error of a share near 0 or 1 from vanishing.
    centre = (share * count + 1) / (count + 2) if count else 0.0
    error = math.sqrt(centre * (1 - centre) / count) if count else 0.0
    # Fewer than 2,500 draws leave a share uncertain by a point or more: round to fives.
    step = 1 if error <= 0.01 else 5
    whole = step * round(100 * share / step)
    if whole <= 0:
        return f"<{step}%"
    return f">{100 - step}%" if whole >= 100 else f"{whole}%"


def probability(values: Summary) -> str:
    """Return a mean probability in percent, cut where its error begins."""
    if values.mean in (0.0, 1.0):
        return f"{values.mean:.0%}"
    return f"{supported(100 * values.mean, 100 * values.mcse)}%"


def one_in(value: float) -> str:
    """Return a small probability as "1 in N", N with two significant digits."""
    size = abs(value)
    if size == 0:
        return "nothing"
    if size >= 0.95:
        return "certainty"
    return f"1 in {significant(1.0 / size, 2)}"


def with_error(value: float, error: float, scale: float = 1.0, sign: bool = False) -> str:
    """Return "31.2 ± 0.6": a mean and its Monte Carlo standard error."""
    if error == 0:
        return supported(value / scale, 0.0, sign)
    places = -math.floor(math.log10(error / scale))
    text = supported(value / scale, error / scale, sign, digits=6)
    return f"{text} ± {_spell(round(error / scale, places), places, False)}"
