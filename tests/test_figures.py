"""Figures: the same bytes, a text alternative, no harm from names, nothing left behind."""

from __future__ import annotations

import copy
import itertools
import re
from functools import lru_cache
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from difprog.render import figures, labels, report
from difprog.render.format import microdooms
from difprog.render.labels import Mark
from tests.helpers import score_all
from tests.hostile import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


@lru_cache
def content(model: str | None = None, project: str = "rlhf") -> dict[str, Any]:
    return report.gathered(score_all(project, model, draws=500))


@lru_cache
def drawn() -> dict[str, bytes]:
    return figures.figures(content())


def test_the_same_data_give_the_same_bytes() -> None:
    settings = dict(mpl.rcParams)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": "other"}):
        again = figures.figures(content())
    assert again == drawn()
    assert dict(mpl.rcParams) == settings


def test_there_is_a_text_alternative_and_no_date() -> None:
    assert set(drawn()) == {"distribution.svg", "channels.svg", "drivers.svg"}
    for data in drawn().values():
        root = ET.fromstring(data)
        assert root.get("role") == "img"
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None
        assert description is not None
        assert description.text
        for model in content()["models"][:1]:
            assert model["model"] in description.text or "which model" in description.text
        assert b"<dc:date>" not in data
        assert not re.search(rb"/(home|root|work|tmp)/", data)


def test_the_alternative_says_the_numbers() -> None:
    data = content()
    said = figures.alternative_channels(data)[1]
    for model in data["models"]:
        net = model["net_effect"]
        assert f"net effect {microdooms(net['mean'], net['mcse'])}" in said
    assert "agi_arrival" in figures.alternative_drivers(data)[1]


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 300])
def test_hostile_names_stay_text(text: str) -> None:
    data = copy.deepcopy(content())
    for model in data["models"]:
        model["model"] = text
        for driver in model["drivers"]:
            driver["belief"] = text
    for driver in data["ensemble"]["drivers"]:
        driver["belief"] = text
    for say in (figures.alternative_channels, figures.alternative_drivers, figures.alternative_distribution):
        svg = figures._with_alternative(f'<svg xmlns="{SVG[1:-1]}"></svg>', *say(data))
        tags = {element.tag for element in ET.fromstring(svg).iter()}
        assert tags == {f"{SVG}svg", f"{SVG}title", f"{SVG}desc"}


def test_hostile_names_are_drawn() -> None:
    data = copy.deepcopy(content("serial_parallel"))
    data["models"][0]["model"] = "<script>$x$ \\frac ]]> & 日本"
    data["models"][0]["drivers"][0]["belief"] = "$\\alpha$ <b>"
    for svg in figures.figures(data).values():
        root = ET.fromstring(svg)
        assert not [e for e in root.iter() if e.tag.endswith("script")]


@pytest.mark.parametrize("project", ["toy", "capability-work-now", "applications"])
def test_extreme_projects_can_be_drawn(project: str) -> None:
    """Certain ruin, only harm, effects of a billionth: axes and bars hold."""
    for svg in figures.figures(content("serial_parallel", project)).values():
        assert ET.fromstring(svg).tag == f"{SVG}svg"


def test_labels_do_not_collide() -> None:
    """Tick labels of every figure lie apart from each other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    for draw in (figures.distribution, figures.channels, figures.tornado):
        with mpl.rc_context({**mpl.rcParamsDefault, **figures._STYLE}):
            figure = Figure(layout="constrained")
            canvas = FigureCanvasAgg(figure)
            draw(figure, content())
            canvas.draw()
            axes = figure.axes[0]
            whole = figure.bbox
            for labels, at, limits, low, high in (
                (axes.get_xticklabels(), 0, axes.get_xlim(), "x0", "x1"),
                (axes.get_yticklabels(), 1, axes.get_ylim(), "y0", "y1"),
            ):
                # Ticks beyond the limits are kept by matplotlib but not drawn.
                drawn_ = [t for t in labels if limits[0] <= t.get_position()[at] <= limits[1]]
                boxes = sorted((t.get_window_extent() for t in drawn_), key=lambda b: getattr(b, low))
                assert len(boxes) > 1
                for first, second in pairwise(boxes):
                    assert getattr(first, high) <= getattr(second, low) + 1.0
                assert all(b.x0 >= -1 and b.x1 <= whole.x1 + 1 for b in boxes)
            for text in axes.texts:
                box = text.get_window_extent()
                assert box.x0 >= -1
                assert box.x1 <= whole.x1 + 1


def crowd(seed: int, count: int) -> list[Mark]:
    """Return points of which many lie together, with labels of one to three digits."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(20, 380, count), rng.uniform(20, 200, count)
    x[: count // 2] = rng.normal(200, 9, count // 2)
    y[: count // 2] = rng.normal(100, 5, count // 2)
    reach = rng.uniform(5, 40, count)
    return [
        Mark(float(a), float(b), 2.5, float(b - r), float(b + r), str(n * 7))
        for n, (a, b, r) in enumerate(zip(x, y, reach, strict=True))
    ]


@pytest.mark.parametrize("seed", range(5))
def test_labels_lie_over_no_other_and_over_no_point(seed: int) -> None:
    marks, size, box = crowd(seed, 40), 6.5, (0.0, 0.0, 400.0, 220.0)
    rects = []
    for mark, place in zip(marks, labels.placed(marks, size, box), strict=True):
        if place is None:
            continue
        x, y = mark.x + place.x, mark.y + place.y
        half = labels.DIGIT * size * len(mark.label) / 2, labels.HEIGHT * size / 2
        rects.append((x - half[0], y - half[1], x + half[0], y + half[1]))
    assert len(rects) >= 36, "nearly all have room"
    for one, other in itertools.combinations(rects, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for left, bottom, right, top in rects:
        assert box[0] <= left
        assert right <= box[2]
        assert box[1] <= bottom
        assert top <= box[3]
        assert not any(left < m.x < right and bottom < m.y < top for m in marks)
