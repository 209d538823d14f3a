"""Numbers as people read them, with no digit that the Monte Carlo error does not support."""

from __future__ import annotations

import math
from decimal import Context, Decimal

from difprog.forecast.summary import MICRODOOM, Summary

MINUS = "−"

#: Room for the digits of any float.
_WIDE = Context(prec=800)


#: Significant digits of a float that the order of additions, and so the machine, leaves alone.
STEADY = 12


def _steady(value: float) -> Decimal:
    """Return a finite number without its last bits, which differ from machine to machine.

    A tie such as 2.25 is then a tie everywhere, and 9.999999999999998 is 10.
    """
    return Decimal(f"{value:.{STEADY - 1}e}")


def _magnitude(value: Decimal, digits: int) -> int:
    """Return the power of ten of the first digit that is printed: after rounding, not before."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])


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
    if not math.isfinite(error):
        return "?"
    places = digits - 1 - _magnitude(_steady(value), digits)
    if error > 0:
        places = min(places, _places(error))
    return _spell(value, places, sign)


def _places(error: float) -> int:
    """Return the decimal place of an error's only digit: 1 for 0.1, and for 0.097 too; −1 for 30."""
    return -_magnitude(_steady(error), 1)


def significant(value: float, digits: int = 2, sign: bool = False) -> str:
    """Return a number with a few significant digits."""
    return supported(value, 0.0, sign, digits)


def _spell(value: float, places: int, sign: bool) -> str:
    """Spell a finite number rounded to ``places``, which may be negative."""
    # A quantum far above the number leaves 0; far below it, more digits than a context holds.
    exact = _steady(value)
    if -places > exact.adjusted() + 1:
        return "0"
    rounded = exact.quantize(Decimal(1).scaleb(-places), context=_WIDE) if places < 400 else exact
    if rounded == 0:
        return "0"
    size = abs(rounded)
    if size < Decimal("1e-4") or size >= 10**7:
        digits = max(0, min(15, places + size.adjusted()))
        mantissa, exponent = f"{size:.{digits}e}".split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        text = f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    else:
        text = f"{size:,.{max(0, places)}f}"
    return (MINUS if rounded < 0 else "+" if sign else "") + text


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
    whole = step * round(_steady(100 * share / step))
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
    if not math.isfinite(error):
        return f"{supported(value / scale, 0.0, sign)} ± ?"
    text = supported(value / scale, error / scale, sign, digits=6)
    return f"{text} ± {_spell(error / scale, _places(error / scale), False)}"


def money(amount: float) -> str:
    """Return an amount of dollars as people write it: "$2.5M", "$180k", "$2M"."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, "")):
        # What rounds to a thousand of one unit is one of the next.
        if amount >= size * (1 - 5e-4) or size == 1.0:
            digits = significant(amount / size, 3)
            return f"${digits.rstrip('0').rstrip('.') if '.' in digits else digits}{unit}"
    raise AssertionError
