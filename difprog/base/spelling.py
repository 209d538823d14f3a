"""Everyday spellings of a number, put into digits: "two thirds", "1½ years", "a year and a half", "50/50".

What is left is for `difprog.base.units` to read; a spelling that is not known is left as it is.
"""

from __future__ import annotations

import re

_ONES = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_WORDS = _ONES | _TENS | {
    "zero": 0, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS_AND_ONES = re.compile(rf"\b({'|'.join(_TENS)})[- ]({'|'.join(_ONES)})\b", re.IGNORECASE)
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)

_FRACTIONS = {"½": 1 / 2, "⅓": 1 / 3, "⅔": 2 / 3, "¼": 1 / 4, "¾": 3 / 4}

_EVEN = re.compile(r"(?:50\s*[/:–-]\s*50|(?:an? )?even (?:odds|chance)|evens|a toss-?up)", re.IGNORECASE)
_POWER = re.compile(r"(?:(\d+(?:\.\d+)?)\s*[x×*·]\s*)?\b10\s*(?:\^|\*\*)\s*([-+−]?\d{1,4})(?![\d*^])")
_MIXED = re.compile(r"\b(\d{1,3}) ([1-9])/([1-9])(?=\s*[a-z%]|$)", re.IGNORECASE)
_TIMES = re.compile(
    r"(?:by )?(?:an? )?(?:factor of )?([\d.,]+(?:e[-+]?\d+)?)\s*(?:x|×|times|-?\s?fold)?", re.IGNORECASE
)
_WORK = re.compile(r"\b(?:phd|full[- ]time)\s+(?=[a-z])|(?<=[a-z]) full[- ]time\b", re.IGNORECASE)
_THIRDS = re.compile(r"\b(\d+|an?) thirds?(?: of (?:an?\b)?)?", re.IGNORECASE)

#: Two quantities that are added up: of the larger unit, of the smaller, how many of it make one, its name.
_SUMS = tuple(
    (re.compile(rf"(\d+(?:\.\d+)?) ?(?:{large})(?:,? and|,)? (\d+) ?(?:{small})", re.IGNORECASE), times, name)
    for large, small, times, name in (
        ("years?|yrs?|y", "months?|mo", 12, "months"), ("weeks?|wks?", "days?|d", 7, "days"),
    )
)  # fmt: skip
_BETWEEN = re.compile(r"(?:between\s+(.+?)\s+and|from\s+(.+?)\s+to)\s+(.+)", re.IGNORECASE | re.DOTALL)

#: What is no quantity, and how to write what was probably meant.
_SLIPS = tuple(
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, hint in (
        (r"\?+|unknown|tbd|tbc|n/?a|none|nil|null|-+", "leave it out where it is not known"),
        (r"free|nothing", "write 0"),
        (r"never|always|certain(?:ly)?", 'write a chance, such as "1 in 1,000"'),
        (r"\d+\s*:\s*\d.*", 'write odds as a chance: "1 in 20", or "5%"'),
        (r"\d{1,3}(?:['’.]\d{3}){2,}.*|\d{1,3}(?:['’]\d{3})+.*", "write thousands with a comma: 1,200,000"),
        (r".*\bat \$?[\d.].*", 'write "100k USD a year for 3 years"'),
        (r"(?:half|part)[- ]time\b.*", 'write "half an FTE for 1 year"'),
        (r".*\bover\b.*", 'write "3M USD a year for 2 years", or the sum alone'),
        (r"(?:by |in )?(?:Q[1-4]|[A-Z][a-z]+\.?)? ?(?:19|20|21)\d\d", 'count from now, such as "4 years"'),
        (r".*\(.*\d.*\).*", 'write an interval alone, such as "6 to 15", or p5, p50 and p95'),
        (r".*\d\D{0,12}(?:-|–|\bto\b|\bor\b|,) ?\D?\d.*", 'write one number, or one interval: "6 to 15"'),
    )
)  # fmt: skip

#: Unit → how a quantity of it may be written.
_EXAMPLES = {
    "": '"80%", "4 in 5" or 0.8', "years": '"18 months"', "FTE year": '"8 people for 2 years"',
    "FTE": '"1,100 people"', "USD": '"2.5M"', "USD/year": '"1.2bn USD a year"', "1/year": '"20% a year"',
}  # fmt: skip

_ALONE = re.compile(r"(\d[\d,]*(?:\.\d+)?|an?|)\s*\b(half|halves|thirds?|quarters?)\b", re.IGNORECASE)
_PARTS = {"h": 1 / 2, "t": 1 / 3, "q": 1 / 4}


def in_digits(text: str, plain: bool = False) -> str:
    """Return the text of a quantity or of an interval with its numbers in digits.

    Parameters
    ----------
    text : str
        What was written.
    plain : bool
        Whether a number without a unit is meant: "a quarter" is then 0.25, not three months.
    """
    text = " ".join(text.replace("−", "-").split())
    if _EVEN.fullmatch(text):
        return "50%"
    text = _TENS_AND_ONES.sub(lambda m: str(_WORDS[m[1].lower()] + _WORDS[m[2].lower()]), text)
    text = _WORD.sub(lambda m: str(_WORDS[m[1].lower()]), text)
    text = re.sub(r"\bper cent\b", "percent", text, flags=re.IGNORECASE)
    text = re.sub(r"(\d)-(in|out of)-(\d)", r"\1 \2 \3", text)
    text = re.sub("(\\d*) ?([½⅓⅔¼¾])", lambda m: f"{int(m[1] or 0) + _FRACTIONS[m[2]]!r}", text)
    text = _MIXED.sub(lambda m: f"{int(m[1]) + int(m[2]) / int(m[3])!r}", text)
    text = _POWER.sub(lambda m: f"{m[1] or 1}e{m[2]}", text)
    # "1 and a half years", "a year and a half": before "half" can be read alone.
    text = re.sub(r"\b(\d+) and a half\b", r"\1.5", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:an?|1) ([a-z]+) and a half\b", r"1.5 \1", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:an?|1) dozen\b", "12", text, flags=re.IGNORECASE)
    text = _THIRDS.sub(lambda m: repr(int(m[1]) / 3 if m[1].isdigit() else 1 / 3), text)
    for pattern, times, unit in _SUMS:
        for found in reversed([*pattern.finditer(text)]):
            total = times * float(found[1]) + float(found[2])
            text = f"{text[: found.start()]}{total:g} {unit}{text[found.end() :]}"
    text = re.sub(r"\bp-?y\b", "person-years", text, flags=re.IGNORECASE)
    text = _WORK.sub("", text)
    return _plain(text) if plain else text


def _plain(text: str) -> str:
    """Return a number without a unit: "a quarter", "three times", "a factor of 3"."""
    part = _ALONE.fullmatch(text)
    if part:
        many = 1.0 if part[1].lower() in ("", "a", "an") else float(part[1].replace(",", ""))
        return repr(many * _PARTS[part[2][0].lower()])
    times = _TIMES.fullmatch(text)
    return times[1] if times else text


def to_joined(text: str) -> str:
    """Return an interval with its ends joined by "to": "between 6 and 15", "6 .. 15"."""
    between = _BETWEEN.fullmatch(text)
    if between:
        return f"{between[1] or between[2]} to {between[3]}"
    return re.sub(r"(?<=\S) ?(?:\.\.+|…) ?(?=\$?\d)", " to ", text)


def advice(text: str, unit: str) -> str:
    """Return how to write what is no quantity of ``unit`` as it stands."""
    for pattern, hint in _SLIPS:
        if pattern.fullmatch(text):
            return hint
    return f"write it like {_EXAMPLES[unit]}" if unit in _EXAMPLES else ""
