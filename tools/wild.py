"""Hostile texts: TOML, CSV, JSON and damaged bytes, from a generator that knows what the files look like.

`text` makes a file from nothing, `changed` takes a sound one and breaks it. All randomness is the
`random.Random` that is passed in. Touches no files.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from random import Random
from typing import Any

from difprog.beliefs.forms import BELIEF_KEYS, CORRELATION_KEYS, DISTRIBUTIONS, PROJECT_KEYS
from difprog.race.parameters import CRITERIA, FACT_OF, FACTS, PARAMETERS, Group

BELIEFS = tuple(n for n, p in PARAMETERS.items() if p.group is not Group.FACT)
EFFECTS = tuple(n for n, p in PARAMETERS.items() if p.group is Group.EFFECT)

NUMBERS: tuple[float, ...] = (
    0, -0.0, 1, -1, 2, 3, 0.5, 1e-300, 1e300, 5e-324, 1.7976931348623157e308, -1e300, 10**400, -(10**400),
    2**63, 2**64, float("nan"), float("inf"), float("-inf"), 1 + 2e-16, 1e-9, 1e9, 0.999999999999, 1e-16,
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "\x1b[31mred", "\u202ereversed", "\u2066x\u2069", "[bold]x[/bold]", "[/]", "<script>",
    "../../../etc/passwd", "/dev/zero", "C:\\con", "a" * 300, "é" * 5000, "😀∞", "a\nb", "a\r\nb\tc", "| x |",
    "{0}", "%s%n", "$(id)", "`id`", "18 months", "2 to 45 years", "2 to", "to 3", "1e400", "-5 %", "10 %",
    "1,000", "1,00,0", "nan", "inf years", "5 person-years", "3 FTE", "2 years**9", "2 degC", "1 _", "٣",
    "0x10", "1 to 2 to 3", "1–2", "years", "1 years/0", "9" * 70, "1e5 usd", "\ufeff", "\ud7ff", "x" * 70_000,
    "timelines", "headcounts", "reviews", "coupling", "open", "niche", "=cmd|x", "'", '"', "\\", "#",
    "1/0 years", "1 " + "(" * 40, "1 years per", "1 m per s", "1 $", "1e-400 years", "3 years years", "1 %%",
)  # fmt: skip
UNITS = (
    "", "years", "months", "days", "person-years", "FTE", "USD", "1/year", "percent", "%", "kelvin", "degC",
    "years years", "centuries", "seconds", "light_year", "USD/year", "1/month", "per year", "((((", "a**9",
)  # fmt: skip


def text(random: Random, kind: str) -> str:
    """Return a file of a kind: "beliefs", "proposal", "credences", or "table"."""
    if kind == "table":
        return _table(random)
    content: dict[str, Any] = {}
    if kind == "credences":
        names = ("serial_parallel", "synthesis", "overhang", "research_grid", _word(random))
        content["credences"] = {random.choice(names): _scalar(random) for _ in range(random.randint(0, 6))}
    else:
        if kind == "proposal":
            content["project"] = _project(random)
            if random.random() < 0.3:
                content["reviews"] = [_review(random, n) for n in range(random.randint(1, 4))]
        elif random.random() < 0.2:
            days = ("2026-11-20", "0001-01-01", date(9999, 12, 31), _scalar(random))
            content["as_of"] = random.choice(days)
        content["beliefs"] = {random.choice(BELIEFS): _belief(random) for _ in range(random.randint(0, 4))}
        if random.random() < 0.3:
            content["correlations"] = [_correlation(random) for _ in range(random.randint(1, 5))]
    if random.random() < 0.1:
        content[_word(random)] = _any(random, 4)
    return dump(content)


def changed(random: Random, data: bytes) -> bytes:
    """Return a sound file with one to three values changed, put in, taken out, or its bytes damaged."""
    try:
        content = tomllib.loads(data.decode())
        for _ in range(random.randint(1, 3)):
            _change(random, content)
        return dump(content).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return damaged(random, data)


def changed_json(random: Random, data: bytes) -> bytes:
    """Return JSON with one to three values changed, put in or taken out."""
    content = json.loads(data)
    for _ in range(random.randint(1, 3)):
        _change(random, content)
    return json.dumps(content, default=str).encode("utf-8", "surrogatepass")


def damaged(random: Random, data: bytes) -> bytes:
    """Return bytes flipped, cut, doubled, zeroed or put in."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        at = random.randrange(len(out) + 1)
        to = min(len(out), at + random.choice((1, 2, 8, 64, 512)))
        match random.randrange(6):
            case 0:
                out[at:to] = random.randbytes(to - at)
            case 1:
                del out[at:to]
            case 2:
                out[at:at] = out[at:to]
            case 3:
                out[at:to] = bytes(to - at)
            case 4:
                out[at:to] = b"\xff" * (to - at)
            case _:
                out[at:at] = random.choice(TEXTS)[:200].encode("utf-8", "replace")
    return bytes(out)


def dump(content: Mapping[str, Any]) -> str:
    """Return TOML; hostile on purpose where a value has no TOML."""
    return "\n".join(f"{json.dumps(str(k))} = {_toml(v)}" for k, v in content.items()) + "\n"


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:#x}" if value > 10**300 else str(value)
        case float():
            return repr(value)
        case date() | time() | datetime():
            return value.isoformat()
        case dict():
            return "{" + ", ".join(f"{json.dumps(str(k))} = {_toml(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case None:
            return '""'
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _word(random: Random) -> str:
    lists: tuple[Sequence[str], ...] = (BELIEFS, BELIEF_KEYS, PROJECT_KEYS, CORRELATION_KEYS, TEXTS,
                                        tuple(FACT_OF))  # fmt: skip
    return random.choice(random.choice(lists))


def _number(random: Random) -> float:
    if random.random() < 0.3:
        return random.choice(NUMBERS)
    size = 10 ** random.uniform(-4, 4) if random.random() < 0.8 else 10 ** random.uniform(-300, 300)
    return random.choice((size, size, size, -size, round(size), random.random(), float(f"{size:.1g}")))


def _float(value: float) -> float:
    return float(min(abs(value), 1e308))


def _scalar(random: Random) -> Any:
    match random.randrange(10):
        case 0 | 1:
            return random.choice(TEXTS)
        case 2:
            return f"{str(_number(random))[:80]} to {str(_number(random))[:80]} {random.choice(UNITS)}"
        case 3:
            return random.choice((True, False, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), time(1)))
        case _:
            return _number(random)


def _any(random: Random, depth: int) -> Any:
    if depth <= 0 or random.random() < 0.6:
        return _scalar(random)
    size = random.choice((0, 1, 2, 3, 3, 12))
    if random.random() < 0.5:
        return [_any(random, depth - 1) for _ in range(size)]
    return {_word(random): _any(random, depth - 1) for _ in range(size)}


def _belief(random: Random, depth: int = 2) -> Any:
    roll = random.random()
    if roll < 0.12:
        return _scalar(random)
    if roll < 0.15:
        return _any(random, 3)
    if roll < 0.3 and depth:
        fact = random.choice(list(FACTS.values()))
        return {random.choice(fact): _belief(random, depth - 1) for _ in range(random.randint(1, 3))}
    if roll < 0.4 and depth:
        size = random.choice((1, 2, 3, 20, 3000)) if random.random() < 0.2 else 2
        return {
            "distribution": "mixture",
            "weights": [random.choice((0, 1, 0.5, abs(_number(random)))) for _ in range(size)],
            "parts": [_belief(random, 0)] * size if size > 20 else [_belief(random, 0) for _ in range(size)],
        }
    levels = random.sample(("p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99", "p0_001", "p99_999"),
                           random.choice((1, 2, 2, 2, 3, 3, 5, 8)))  # fmt: skip
    levels.sort(key=lambda k: float(k[1:].replace("_", ".")))
    start = abs(_number(random)) if random.random() < 0.8 else _number(random)
    kind = random.randrange(5)
    values: dict[int, Callable[[int], Any]] = {
        0: lambda n: start * (1 + n),
        1: lambda n: start * (1 + n * 1e-15),
        2: lambda n: start * 10.0 ** (n * random.choice((1, 50, 300))) if abs(start) < 1 else start + n,
        3: lambda n: (n + 1) / (len(levels) + 1),
        4: lambda _: _scalar(random),
    }
    found: dict[str, Any] = {}
    for n, level in enumerate(levels):
        try:
            found[level] = values[kind](n)
        except OverflowError:
            found[level] = 1e308
    if random.random() < 0.5:
        found["distribution"] = random.choice(DISTRIBUTIONS)
    if random.random() < 0.25:
        ends = [_float(start) * random.choice((0, 0.1, 1)), _float(start) * random.choice((1, 10, 1e6))]
        found["bounds"] = ends if random.random() < 0.8 else _any(random, 2)
    if random.random() < 0.2:
        found["unit"] = random.choice(UNITS)
    if random.random() < 0.2:
        found[random.choice((*BELIEF_KEYS, "p05", "p_5", "p100", "p0"))] = _any(random, 2)
    return found


def _project(random: Random) -> Any:
    found: dict[str, Any] = {
        "name": random.choice(TEXTS) or "x", "effort": _belief(random, 1), "duration": 2, "cost": 1e6
    }  # fmt: skip
    for fact, values in FACTS.items():
        if random.random() < 0.5:
            found[fact] = random.choice(values)
    if random.random() < 0.6:
        found["effort"] = 10
    for key in ("duration", "cost"):
        if random.random() < 0.3:
            found[key] = _belief(random, 1)
    if random.random() < 0.3:
        found["criteria"] = random.sample(CRITERIA, random.randint(0, len(CRITERIA)))
    if random.random() < 0.15:
        found[random.choice(PROJECT_KEYS)] = _any(random, 3)
    return found


def _review(random: Random, number: int) -> Any:
    return {
        "reviewer": random.choice((f"R{number}", random.choice(TEXTS))),
        **{random.choice(EFFECTS): _belief(random, 0) for _ in range(random.randint(1, 3))},
    }


def _correlation(random: Random) -> Any:
    rank = random.choice((0.5, -0.9, 0.99, 0.999999999, -0.999999999, _scalar(random)))
    few = ("breakthrough", "relevance", "skill", "coupling", "agi_arrival", random.choice(BELIEFS))
    return {"between": [random.choice(few), random.choice(few)], "rank": rank}


def _table(random: Random) -> str:
    known = (*PROJECT_KEYS, *BELIEFS, "leak.open", "x", "")
    columns = ["name", "effort", "duration", *random.sample(known, 3)]
    if random.random() < 0.1:
        random.shuffle(columns)
    delimiter = random.choice(",,,;\t")
    lines = [delimiter.join(columns)]
    for row in range(random.choice((0, 1, 2, 5))):
        cells = [f"row {row}", "6 to 15", "2"]
        cells += [random.choice(("", _cell(random), _toml(_belief(random, 0)))) for _ in columns[3:]]
        for at in range(3):
            if random.random() < 0.15:
                cells[at] = _cell(random)
        if random.random() < 0.05:
            cells.append("more")
        quoted = ['"' + c.replace('"', '""') + '"' if random.random() < 0.6 else c for c in cells]
        lines.append(delimiter.join(quoted))
    return random.choice(("\n", "\n", "\r\n", "\r")).join(lines)


def _cell(random: Random) -> str:
    return str(_scalar(random))[:25_000] if random.random() < 0.97 else "y" * 30_000


def _places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            found.append((value, key))
            _places(inner, found)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            found.append((value, at))
            _places(inner, found)
    return found


def _change(random: Random, content: Any) -> None:
    """Change one value anywhere in nested tables and lists."""
    places = _places(content, [])
    if not places:
        return
    where, key = random.choice(places)
    match random.randrange(6):
        case 0:
            del where[key]
        case 1 if isinstance(where, dict):
            where[_word(random)] = where[key]
        case 2:
            other, at = random.choice(places)
            where[key] = json.loads(json.dumps(other[at], default=str))
        case 3:
            where[key] = _belief(random)
        case _:
            where[key] = _any(random, 3)
