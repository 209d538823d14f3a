"""Quantities as people write them ("18 months", "$3M", "8 people for 2 years", "4 in 5"), as numbers.

The one parser: files, options, tables and questions all read through `quantity` and `interval`.
What can be read in two ways is refused, with a hint on how to write it.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from difprog.base.errors import plain
from difprog.base.spelling import advice, in_digits, to_joined

#: Longest text of a quantity, and of an interval.
LONGEST_QUANTITY = 80
LONGEST_INTERVAL = 160

#: Numbers further from 1 than this are taken for slips: their squares and products would be no numbers.
LARGEST, SMALLEST = 1e100, 1e-100

Powers = tuple[int, int, int]
"""Exponents of time, labour and money."""

_TIME, _LABOUR, _MONEY, _PLAIN = (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)

#: Words for a unit → (how many of the base unit: year, FTE, USD, 1; its dimension). A year has 365.25 days.
_WORDS: tuple[tuple[str, float, Powers], ...] = (
    ("year years yr yrs y annum", 1.0, _TIME),
    ("quarter quarters", 0.25, _TIME),
    ("month months mo mos mth mths", 1 / 12, _TIME),
    ("week weeks wk wks w", 7 / 365.25, _TIME),
    ("day days d", 1 / 365.25, _TIME),
    ("fortnight fortnights", 14 / 365.25, _TIME),
    ("hour hours hr hrs h", 1 / 8766, _TIME),
    ("minute minutes min mins", 1 / 525_960, _TIME),
    ("second seconds sec secs s", 1 / 31_557_600, _TIME),
    ("decade decades", 10.0, _TIME),
    ("century centuries", 100.0, _TIME),
    ("fte ftes person persons people man men researcher researchers engineer engineers scientist scientists "
     "student students postdoc postdocs staff employee employees", 1.0, _LABOUR),
    ("usd $ us$ dollar dollars", 1.0, _MONEY),
    ("% percent pct", 0.01, _PLAIN),
)  # fmt: skip
UNITS = {name: (scale, powers) for names, scale, powers in _WORDS for name in names.split()}

#: Units of time of which a working year has fewer than a calendar year.
_WORKING = frozenset(
    name for name, (size, powers) in UNITS.items() if powers == _TIME and size < UNITS["week"][0]
)

#: Words that say how large a number is.
_SCALES = {
    "hundred": 1e2, "k": 1e3, "thousand": 1e3,
    "mil": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "millions": 1e6,
    "bn": 1e9, "billion": 1e9, "billions": 1e9, "tn": 1e12, "trillion": 1e12, "trillions": 1e12,
}  # fmt: skip
#: Letters that say it of money, and in capitals of anything that is counted.
_LETTERS = {"m": 1e6, "b": 1e9, "t": 1e12}

#: Articles that say a number; other words for numbers are digits by then.
_SPOKEN = {"a": 1.0, "an": 1.0, "half": 0.5}

#: What is counted from, and what a plain number of years must not be: 2030 is a date.
_CALENDAR = range(1900, 2200)

#: Names of other currencies, which are not converted: their rates move.
_FOREIGN = re.compile(r"[€£¥₹]|\b(?:eur|euros?|gbp|pounds?|chf|jpy|yen|inr|cad|aud|cny)\b", re.IGNORECASE)
_VAGUE = re.compile(
    r"^\s*(?:~|≈|<|>|≤|≥|(?:about|around|roughly|circa|ca\.?|approximately|at least|at most|over|under|"
    r"up to|more than|less than|(?:a )?few|(?:a )?couple|several|some|many)\b)|±|\+/-|\+\s*$", re.IGNORECASE,
)  # fmt: skip

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+|\d+(?:_\d+)*)?(?:\.\d+)?(?:[eE][-+]?\d+)?"
_NUMBER = re.compile(rf"([-+−]?)\s*(\$|us\$|usd(?=[\d\s]))?\s*([-+−]?)({_DIGITS})", re.ASCII | re.IGNORECASE)
_RATIO = re.compile(rf"({_DIGITS})\s*(?:/|in|out of)\s*({_DIGITS})\s*", re.ASCII | re.IGNORECASE)
_DASHED = re.compile(r"(.*?[\d%a-zA-Z.])\s*(?:–|—|(?<![eE])-)\s*(\$?\d.*)", re.DOTALL)
_SPACED = re.compile(r"(.+?)\s+(?:to|–|—|-)\s+(.+)", re.IGNORECASE | re.DOTALL)


class UnitError(ValueError):
    """A quantity cannot be read, or not be converted to the unit that is needed.

    Attributes
    ----------
    hint : str
        How to write what was probably meant, where that is known.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@lru_cache(maxsize=1024)
def measure(unit: str) -> tuple[float, Powers]:
    """Return how many base units (years, FTE, USD) a unit is, and its dimension.

    Words multiply, side by side or joined by a hyphen; what follows "per" or "/" divides.

    Raises
    ------
    UnitError
        Where a word of it is not known.
    """
    if len(unit) > 60:
        raise UnitError(f'unknown unit "{plain(unit, 40)}"')
    scale, powers, sign = 1.0, [0, 0, 0], 1
    spelt = re.sub(r"(?<=[a-z])\s+(?:a|an|each)\s+(?=[a-z])", " per ", unit.strip().lower())
    spelt = re.sub(r"\b(?:full-time equivalents?|full-time)\b", "fte", spelt)
    spelt = re.sub(r"\b(?:annually|yearly|a year|p\.?a\.?)$", "per year", spelt)
    words = re.findall(r"[^\s*·()/-]+|/", spelt)
    if spelt and not words:
        raise UnitError(f'unknown unit "{plain(unit, 40)}"')
    labour = any(UNITS.get(word, (0, _PLAIN))[1] == _LABOUR for word in words)
    for word in words:
        if word in ("per", "/"):
            sign = -1
        elif word == "1":
            continue
        elif word in _WORKING and labour:
            hint = "working days and hours in a year differ: write person-weeks, -months or -years"
            raise UnitError(f'can be read in two ways: "{plain(unit, 40)}"', hint)
        elif word in UNITS:
            size, dimension = UNITS[word]
            scale *= size**sign
            powers = [p + sign * d for p, d in zip(powers, dimension, strict=True)]
        else:
            raise UnitError(f'unknown unit "{plain(word, 40)}"', _hint(word))
    return scale, (powers[0], powers[1], powers[2])


def _hint(word: str) -> str:
    if _FOREIGN.search(word):
        return "amounts are in US dollars: convert it, and state the rate in a note"
    if word == "m":
        return 'write "months" or "million"'
    return ""


def factor(unit: str, wanted: str) -> float:
    """Return what a number in ``unit`` is multiplied by to be in ``wanted``.

    Raises
    ------
    UnitError
        Where the unit is unknown or measures something else.
    """
    if unit == wanted:
        return 1.0
    scale, powers = measure(unit)
    target, needed = measure(wanted)
    if powers != needed:
        hint = ""
        if needed == (1, 1, 0) and powers in (_TIME, _LABOUR):
            hint = 'an effort is people times time, such as "8 people for 2 years"'
        raise UnitError(f'"{plain(unit, 40)}" cannot be converted to {wanted or "a plain number"}', hint)
    return scale / target


def quantity(value: object, unit: str | None, wanted: str) -> float:
    """Return a number, or a text such as "18 months", in the unit ``wanted``.

    Parameters
    ----------
    value : int, float or str
        What was written. A text may carry a unit of its own.
    unit : str or None
        The unit of plain numbers; None means ``wanted``.
    wanted : str
        The parameter's unit, "" for a plain number.

    Raises
    ------
    UnitError
        Where it is no finite number, can be read in two ways, or the unit does not convert.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise UnitError("not a number")
    if isinstance(value, str):
        number = _text(value, unit, wanted)
    else:
        try:
            number = float(value)
        except OverflowError as error:
            raise UnitError("number too large") from error
        if not math.isfinite(number):
            raise UnitError("not a finite number")
        _no_date(number, unit, wanted)
        number *= factor(unit, wanted) if unit is not None else 1.0
    if abs(number) > LARGEST:
        raise UnitError("number too large")
    if 0 < abs(number) < SMALLEST:
        raise UnitError("number too small", "write 0 if that is meant")
    return number


def _text(text: str, unit: str | None, wanted: str) -> float:
    """Return the number that a text says: terms joined by "for" or "×" are multiplied."""
    if len(text) > LONGEST_QUANTITY or not text.strip():
        raise UnitError("not a number")
    if _FOREIGN.search(text):
        raise UnitError("not in US dollars", _hint("€"))
    if _VAGUE.search(text):
        raise UnitError("not one number", 'give an interval, such as "6 to 15"')
    said = " ".join(text.split())
    text = in_digits(text, plain=measure(wanted)[1] == _PLAIN and unit is None)
    if measure(wanted)[1][1]:  # of labour only: money "over 2 years" may be all of it, or each year's
        text = re.sub(r"(?<=[a-z])(?: over|,) (?=\d)", " for ", text, flags=re.IGNORECASE)
    try:
        return _read(text, unit, wanted)
    except UnitError as error:
        if not error.hint:
            raise UnitError(str(error), advice(said, wanted)) from None
        raise


def _no_date(number: float, unit: str | None, wanted: str) -> None:
    """Refuse 2030 as a number of years: a date was meant."""
    if measure(wanted if unit is None else unit) == (1.0, _TIME) and number in _CALENDAR:
        hint = f'count from now, such as "4 years"; or write "{number:.0f} years" if so many are meant'
        raise UnitError("reads like a date", hint)


def _read(text: str, unit: str | None, wanted: str) -> float:
    terms = re.split(r"\s+for\s+|\s*×\s*|\s+x\s+|\s*\*\s*(?=\d)", text, flags=re.IGNORECASE)
    number, units = 1.0, []
    for term in terms:
        value, own = _term(term, wanted)
        number *= value
        if own:
            units.append(own)
    if not units:
        _no_date(number, unit, wanted)
        return number * (factor(unit, wanted) if unit is not None else 1.0)
    if len(units) == 1:
        return number * factor(units[0], wanted)
    scale, powers = 1.0, [0, 0, 0]
    for one in units:
        size, dimension = measure(one)
        scale *= size
        powers = [p + d for p, d in zip(powers, dimension, strict=True)]
    target, needed = measure(wanted)
    if tuple(powers) != needed:
        hint = 'write "3M USD a year for 2 years", or the sum alone' if needed == _MONEY else ""
        raise UnitError(f'"{plain(text, 40)}" cannot be converted to {wanted or "a plain number"}', hint)
    return number * scale / target


def _term(term: str, wanted: str) -> tuple[float, str]:
    """Return the number of one term, without its unit, and the unit's text ("" for none)."""
    ratio = _RATIO.match(term)
    if ratio and ratio[1] and ratio[2]:
        try:
            part, whole = _float(ratio[1]), _float(ratio[2])
        except ValueError:
            raise UnitError("not a number") from None
        if whole == 0 or not math.isfinite(part / whole):
            raise UnitError("not a finite number")
        return part / whole, term[ratio.end() :].strip()
    match = _NUMBER.match(term)
    if match is None or not match[4]:
        return _spoken(term, wanted)
    rest = term[match.end() :]
    if match[1] and match[3]:
        raise UnitError("not a number")
    if re.match(r",\d", rest):
        raise UnitError("not a number", "write 1.5 with a point, and 1,500 with three digits after the comma")
    if rest and re.match(r"[.,_\d]", rest):
        raise UnitError("not a number")
    try:
        number = _float(match[4])
    except ValueError:
        raise UnitError("not a number") from None
    if not math.isfinite(number):
        raise UnitError("not a finite number")
    sign = -1.0 if "-" in (match[1] + match[3]) or "−" in (match[1] + match[3]) else 1.0
    scale, unit = _scaled(rest.strip(), wanted, money=bool(match[2]) or wanted.startswith("USD"))
    if match[2]:
        unit = f"USD {unit}".strip() if not re.match(r"(?:usd|dollars?)\b", unit, re.IGNORECASE) else unit
    return sign * number * scale, unit


def _float(digits: str) -> float:
    return float(digits.replace(",", "").replace("_", "").replace(" ", ""))


def _spoken(term: str, wanted: str) -> tuple[float, str]:
    """Return the number of "half a year", "an FTE" or "half a million dollars"."""
    number, words = None, term.split()
    while words and words[0].lower() in _SPOKEN:
        number = (1.0 if number is None else number) * _SPOKEN[words.pop(0).lower()]
    if number is None:
        raise UnitError("not a number")
    scale, unit = _scaled(" ".join(words), wanted, money=wanted.startswith("USD"))
    return number * scale, unit


def _scaled(rest: str, wanted: str, money: bool) -> tuple[float, str]:
    """Split "M USD" into a million and "USD": a letter is a scale in capitals, or of money."""
    match = re.match(r"([A-Za-z]+)(?![A-Za-z-])\s*(.*)", rest, re.DOTALL)
    if match is None:
        return 1.0, rest
    word, after = match[1], match[2].strip()
    lower = word.lower()
    if lower in _SCALES:
        return _SCALES[lower], _no_of(after)
    if lower in _LETTERS:
        money = money or bool(re.match(r"(?:usd|dollars?|\$)", after, re.IGNORECASE))
        counted = word.isupper() and lower != "t" and (after or not _in_time(wanted))
        if money or counted:
            return _LETTERS[lower], _no_of(after)
        raise UnitError(f'can be read in two ways: "{word}"', 'write "months", or "million"')
    return 1.0, rest


def _in_time(wanted: str) -> bool:
    return measure(wanted)[1][0] != 0


def _no_of(after: str) -> str:
    return re.sub(r"^of\s+", "", after)


def interval(text: str) -> tuple[str, str] | None:
    """Split "2 to 45 years", "12-20" or "$2-3M" into its two ends as quantities; None for no interval.

    What stands behind the second number (a scale, a unit, "for 2 years") holds for the first too
    where that has none of its own.
    """
    if len(text) > LONGEST_INTERVAL:
        return None
    text = to_joined(in_digits(text))
    if re.search(r"\(.*\d.*\)", text):  # "10 (5 to 20)": refused as a quantity, with what to write
        return None
    head, tail = text, ""
    split = re.match(r"(.*?)((?:\s+for\s+|\s*×\s*|\s+[x*]\s+).*)", text, re.IGNORECASE)
    if split:
        if _ends(split[1]) is None:  # "8 people for 2 to 3 years": the interval stands behind
            joint = re.match(r"(\s*(?:for|×|x|\*)\s+)(.*)", split[2], re.IGNORECASE)
            ends = _ends(joint[2]) if joint else None
            if joint is None or ends is None:
                return None
            return f"{split[1]}{joint[1]}{ends[0]}", f"{split[1]}{joint[1]}{ends[1]}"
        head, tail = split[1], split[2]
    ends = _ends(head)
    return None if ends is None else (f"{ends[0]}{tail}", f"{ends[1]}{tail}")


def _ends(text: str) -> tuple[str, str] | None:
    match = _SPACED.fullmatch(text) or _DASHED.fullmatch(text)
    if match is None:
        return None
    low, high = match[1].strip(), match[2].strip()
    first, second = _NUMBER.match(low), _NUMBER.match(high)
    if first is None or second is None or not first[4]:
        return low, high
    behind = high[second.end() :].strip()
    if first.end() == len(low):  # a number alone takes what stands behind the other
        low = f"{low} {behind}".strip()
    elif behind:
        scale = low[first.end() :].strip()
        of_high = re.match(r"[A-Za-z]+", behind)
        unit = behind[of_high.end() :].strip() if of_high and _is_scale(of_high[0]) else behind
        if _is_scale(scale) and unit and not _is_scale(unit):
            low = f"{low} {unit}"
    if second[2] and not first[2] and not re.search(r"[$A-Za-z%]", low[first.end() :].replace(behind, "", 1)):
        low = f"${low}"
    elif first[2] and not second[2] and not re.search(r"\$|usd|dollar", high, re.IGNORECASE):
        high = f"${high}"
    return low, high


def _is_scale(word: str) -> bool:
    return word.lower() in _SCALES or word.lower() in _LETTERS
