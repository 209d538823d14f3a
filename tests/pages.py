"""Compare written pages and figures by what they say: numbers with a tolerance, all else exactly.

Floats differ in their last bits between processors and versions of NumPy, and a digit that is
printed may hang on the last bit. So do the names that matplotlib gives to shapes, which are hashes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

#: How far apart coordinates of a figure may be, in points.
POINTS = 0.05

#: A number; what looks like a piece of a hash is none.
_NUMBER = re.compile(
    r"\b(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b|(?<![\w.])([-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+−]?\d{1,3})?)"
)
_HASHED = re.compile(r"^[a-z][0-9a-f]{10}$")
_LINK = re.compile(r"#([a-z][0-9a-f]{10})\b")


def parts(text: str) -> tuple[str, list[str]]:
    """Return a text with its numbers taken out, and the numbers as they are spelled."""
    words = _NUMBER.sub(lambda found: "0" if found[1] else found[0], text)
    return words, [number for number in _NUMBER.findall(text) if number]


def value(spelled: str) -> tuple[float, float]:
    """Return a spelled number, and one unit of its last digit other than a trailing zero's."""
    plain = spelled.replace("−", "-").replace(",", "")
    mantissa, _, exponent = plain.partition("e")
    head, _, tail = mantissa.partition(".")
    zeros = len(head) - len(head.rstrip("0")) if not tail and head.strip("-+0") else 0
    return float(plain), 10.0 ** (zeros - len(tail) + int(exponent or 0))


def same_number(one: str, other: str) -> bool:
    """Whether two numbers differ by no more than one unit in the last digit of the coarser."""
    (first, grain), (second, fineness) = value(one), value(other)
    return abs(first - second) <= 1.01 * max(grain, fineness)


def text_differences(one: str, other: str) -> Iterator[str]:
    """Yield what differs between two texts, a line at a time."""
    first, second = one.splitlines(), other.splitlines()
    if len(first) != len(second):
        yield f"{len(first)} lines, {len(second)} lines"
    for at, (a, b) in enumerate(zip(first, second, strict=False), 1):
        (words, numbers), (other_words, other_numbers) = parts(a), parts(b)
        if words != other_words or len(numbers) != len(other_numbers):
            yield f"line {at}: {a[:200]!r} and {b[:200]!r}"
        for x, y in zip(numbers, other_numbers, strict=False):
            if not same_number(x, y):
                yield f"line {at}: {x} and {y} in {a[:200]!r}"


class _Figure:
    """A figure as a flat list: elements in order, hashed names numbered as they come."""

    def __init__(self, svg: str) -> None:
        self.names: dict[str, str] = {}
        root = ET.fromstring(svg, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
        self.items = list(self._walk(root))

    def _name(self, hashed: str) -> str:
        return self.names.setdefault(hashed, f"{hashed[0]}{len(self.names)}")

    def _walk(self, element: ET.Element) -> Iterator[tuple[str, list[tuple[str, str]], str]]:
        if element.tag is ET.Comment:
            yield "text", [], (element.text or "").strip()
            return
        attributes = []
        for key, said in sorted(element.attrib.items()):
            name = self._name(said) if key == "id" and _HASHED.match(said) else said
            attributes.append((key, _LINK.sub(lambda m: f"#{self._name(m[1])}", name)))
        yield str(element.tag), attributes, (element.text or "").strip()
        drawn = any(child.tag is ET.Comment for child in element)
        for child in element:
            # The glyphs of a text repeat the comment before them.
            if not drawn or child.tag is ET.Comment:
                yield from self._walk(child)


def figure_differences(one: str, other: str) -> Iterator[str]:
    """Yield what differs between two figures: elements, attributes, texts, coordinates."""
    first, second = _Figure(one).items, _Figure(other).items
    if [item[0] for item in first] != [item[0] for item in second]:
        yield f"{len(first)} elements, {len(second)} elements, or others"
        return
    for (tag, had, said), (_, has, says) in zip(first, second, strict=True):
        yield from text_differences(said, says)
        if [key for key, _ in had] != [key for key, _ in has]:
            yield f"{tag}: {had} and {has}"
            continue
        for (key, a), (_, b) in zip(had, has, strict=True):
            (words, numbers), (other_words, other_numbers) = parts(a), parts(b)
            if words != other_words or len(numbers) != len(other_numbers):
                yield f"{tag} {key}: {a[:200]!r} and {b[:200]!r}"
            elif not all(
                math.isclose(value(x)[0], value(y)[0], rel_tol=1e-4, abs_tol=POINTS)
                for x, y in zip(numbers, other_numbers, strict=True)
            ):
                yield f"{tag} {key}: {a[:200]!r} and {b[:200]!r} are more than {POINTS} points apart"


def differences(name: str, one: bytes, other: bytes) -> list[str]:
    """Return what differs between two versions of a file of a report, at most twenty lines of it."""
    first, second = one.decode(), other.decode()
    if not name.endswith(".svg"):
        found = text_differences(first, second)
    elif _made_by(first) == _made_by(second):
        found = figure_differences(first, second)
    else:  # another matplotlib draws otherwise: what it says must still be the same
        found = text_differences(_described(first), _described(second))
    return [line for line, _ in zip(found, range(20), strict=False)]


def _made_by(svg: str) -> str:
    found = re.search(r"difprog, Matplotlib [\w.]+", svg)
    assert found is not None
    return found[0]


def _described(svg: str) -> str:
    return "\n".join(re.findall(r"<(?:title|desc)>([^<]*)", svg))
