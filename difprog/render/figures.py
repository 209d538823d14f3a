"""Figures of a report as SVG, from its plain data.

Made for print and for readers who do not tell colours apart: blue and plain for help, orange
and hatched or hollow for harm, black for sums. The same data and matplotlib give the same bytes,
and every figure carries its text alternative. Imports matplotlib inside functions, and never
touches its global state.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from difprog.base import processes
from difprog.base.errors import plain
from difprog.forecast.summary import MICRODOOM
from difprog.render import reasons, shifted, trust, words
from difprog.render.format import microdooms, percent, significant

Array = npt.NDArray[np.float64]

#: Okabe & Ito 2008, Color Universal Design.
HELP, HARM, NEUTRAL = "#0072B2", "#D55E00", "#555555"
WIDTH = 7.0
ROW = 0.21
DOTS = 50

#: Columns that the dots of a row are piled in.
COLUMNS = 70

#: Most drivers in a tornado.
TOP = 10

_STYLE = {
    "font.family": "DejaVu Sans", "font.size": 8.5, "axes.titlesize": 9.5, "axes.labelsize": 8.5,
    "svg.hashsalt": "difprog", "svg.fonttype": "path", "hatch.linewidth": 0.6,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
    "figure.facecolor": "white", "savefig.facecolor": "white", "axes.axisbelow": True,
    "path.simplify": False, "axes.unicode_minus": True, "text.usetex": False, "text.parse_math": False,
}  # fmt: skip


def figures(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the figures of a report: file name → SVG.

    Parameters
    ----------
    content : mapping
        What `difprog.render.explained.report` returns, or what was kept of it.
    """
    found = {
        "distribution.svg": svg(distribution, content, alternative_distribution(content)),
        "channels.svg": svg(channels, content, alternative_channels(content)),
    }
    if drivers_shown(content):
        found["drivers.svg"] = svg(tornado, content, alternative_drivers(content))
    return found | moved(content)


def moved(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the figure of the beliefs that what is stated had to move; none where nothing is."""
    if not shifted.most(content.get("models", ())):
        return {}
    return {shifted.FIGURE: svg(shifted.draw, content, shifted.alternative(content))}


def drivers_shown(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the drivers that the tornado shows: the mixture's, or those of the only model."""
    source = content["ensemble"] if len(content["models"]) > 1 else content["models"][0]
    return list(source["drivers"][:TOP])


def svg(
    draw: Callable[[Any, Mapping[str, Any]], Any], content: Mapping[str, Any], alternative: tuple[str, str]
) -> bytes:
    """Draw a figure and return it with its title and description, and without a date."""
    processes.import_settled("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_svg")
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context({**mpl.rcParamsDefault, **_STYLE}), warnings.catch_warnings():
        # A name may hold characters that the font lacks; the text alternative has them.
        warnings.filterwarnings("ignore", message="Glyph")
        figure = Figure(layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure, content)
        # Laid out once: left to itself, `savefig` draws all of it an extra time to do so.
        engine = figure.get_layout_engine()
        assert engine is not None
        engine.execute(figure)
        figure.set_layout_engine("none")
        stream = io.BytesIO()
        creator = f"difprog, Matplotlib {mpl.__version__}"
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": creator})
    return _with_alternative(stream.getvalue().decode(), *alternative).encode()


def _with_alternative(text: str, title: str, description: str) -> str:
    """Return SVG text whose root names itself to those who cannot see it."""
    said = f"<title>{escape(plain(title))}</title>\n <desc>{escape(plain(description))}</desc>\n "
    root = re.search(r"<svg\b[^>]*>", text)
    assert root is not None
    head = root[0].replace("<svg", '<svg role="img"', 1)
    whole = text[: root.start()] + head + "\n " + said + text[root.end() :].lstrip()
    return "\n".join(line.rstrip() for line in whole.splitlines()) + "\n"


def _models(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(content["models"])


def _clean(axes: Any) -> None:
    axes.tick_params(left=False, length=3)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.axvline(0, color="black", linewidth=0.9)


def _label(name: object) -> str:
    return plain(name, 26)


# ── The distribution of the net effect ──


def knee(values: Array) -> float:
    """Return where the axis turns from linear to logarithmic: a power of ten near typical sizes."""
    size = np.abs(values[values != 0])
    if not size.size:
        return 1.0
    largest = float(size.max())
    typical = max(float(np.median(size)), largest * 1e-4)
    return float(10.0 ** math.floor(math.log10(typical)))


def distribution(figure: Any, content: Mapping[str, Any]) -> None:
    """Draw a quantile dot plot per model on one axis, with mean and interval below it."""
    models = _models(content)
    every = [np.asarray(m["quantiles"]) / MICRODOOM for m in models]
    figure.set_size_inches(WIDTH, 0.95 + 0.78 * len(models))
    axes = figure.subplots()
    ends = np.concatenate([q[4:-4] for q in every])
    threshold = knee(ends)
    low, high = min(0.0, float(ends.min())), max(0.0, float(ends.max()))

    def stretch(x: Any) -> Any:
        return np.sign(x) * np.log1p(np.abs(x) / threshold)

    edges = stretch(np.array([low, high]))
    step = max(float(edges[1] - edges[0]), 1e-9) / COLUMNS
    for row, (model, values) in enumerate(zip(models, every, strict=True)):
        base = -row
        chosen = np.quantile(values, (np.arange(DOTS) + 0.5) / DOTS)
        # Columns are counted from zero, so that worlds without a change pile up on the zero line.
        place = np.round(np.clip(stretch(chosen), *edges) / step).astype(int)
        lift = 0.64 / max(7.0, float(np.unique(place, return_counts=True)[1].max()))
        seen: dict[int, int] = {}
        for column, value in zip(place.tolist(), chosen, strict=True):
            level = seen[column] = seen.get(column, -1) + 1
            axes.plot(column * step, base + 0.06 + lift * (level + 0.5), zorder=4, **_dot(value))
        net = model["net_effect"]
        ends_ = stretch(np.array([net["lower"], net["upper"], net["mean"]]) / MICRODOOM)
        ends_ = np.clip(ends_, edges[0], edges[1])
        axes.plot(ends_[:2], [base - 0.08] * 2, color="black", linewidth=1.6, solid_capstyle="butt")
        axes.plot(ends_[2], base - 0.08, marker="D", color="black", markersize=4.5, linestyle="")
    _clean(axes)
    axes.set_xlim(edges[0] - 2 * step, edges[1] + 2 * step)
    axes.set_ylim(-len(models) + 0.72, 0.75)
    axes.set_yticks([-r + 0.1 for r in range(len(models))], [_label(m["model"]) for m in models])
    ticks = _ticks(low, high, threshold, float(edges[1] - edges[0]))
    axes.set_xticks([float(stretch(t)) for t in ticks], [significant(t, 1, sign=True) for t in ticks])
    axes.set_xlabel("net effect, microdooms averted (linear near zero, logarithmic beyond)")
    figure.suptitle(
        f"Each dot is 1 world in {DOTS}: ● helps, ○ harms, × no change.\n"
        f"Below the dots: mean (diamond) and {content['prob']:.0%} interval (line).",
        x=0.01, ha="left", fontsize=9.5,
    )  # fmt: skip


def _dot(value: float) -> dict[str, Any]:
    if value > 0:
        return {"marker": "o", "markersize": 3.2, "color": HELP, "markeredgewidth": 0.0, "linestyle": ""}
    if value < 0:
        return {
            "marker": "o", "markersize": 3.0, "markerfacecolor": "white", "markeredgecolor": HARM,
            "markeredgewidth": 0.9, "linestyle": "",
        }  # fmt: skip
    return {"marker": "x", "markersize": 2.6, "color": NEUTRAL, "markeredgewidth": 0.8, "linestyle": ""}


def _ticks(low: float, high: float, threshold: float, room: float) -> list[float]:
    """Return zero and powers of ten, fewer of them where the axis is long."""
    top = math.floor(math.log10(max(-low, high, threshold)))
    powers = [10.0**k for k in range(round(math.log10(threshold)), top + 1)]
    if room > 14:
        powers = powers[1::2]
    return [t for t in sorted([-p for p in powers] + [0.0] + powers) if low <= t <= high]


def alternative_distribution(content: Mapping[str, Any]) -> tuple[str, str]:
    """Return title and description of the distribution."""
    rows = []
    for model in _models(content):
        net = summary_words(model["net_effect"], content)
        rows.append(f"{model['model']}: {net}")
    return "Net effect by model, in microdooms averted", ". ".join(rows) + "."


def summary_words(net: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """Return mean, interval and chances of help and harm in words."""
    low, high = (significant(net[k] / MICRODOOM, 2, sign=True) for k in ("lower", "upper"))
    return (
        f"mean {microdooms(net['mean'], net['mcse'])}, {content['prob']:.0%} interval {low} to {high}, "
        f"helps in {percent(net['p_positive'], content['draws'])} of worlds, harms in "
        f"{percent(net['p_negative'], content['draws'])}"
    )


# ── The channels ──


def _blocks(content: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, float, float]]]]:
    """Return per model the channels in use with value and error, in microdooms; the mixture last."""
    entries = [(m["model"], m) for m in _models(content)]
    if len(entries) > 1:
        entries.append((words.MIXTURE, content["ensemble"]))
    blocks = []
    for name, entry in entries:
        rows = [
            (words.channel_title(c), value / MICRODOOM, entry["channels_mcse"][c] / MICRODOOM)
            for c, value in entry["channels"].items()
            if value
        ]
        net = entry["net_effect"]
        rows.append(("net effect", net["mean"] / MICRODOOM, net["mcse"] / MICRODOOM))
        blocks.append((name, rows))
    return blocks


def channels(figure: Any, content: Mapping[str, Any]) -> None:
    """Draw each model's channels as signed bars and the net effect as a diamond, on one axis."""
    blocks = _blocks(content)
    lines = sum(len(rows) + 1.4 for _, rows in blocks)
    figure.set_size_inches(WIDTH, 0.7 + ROW * lines)
    axes = figure.subplots()
    y = 0.0
    ticks: list[float] = []
    labels: list[str] = []
    heads: list[float] = []
    values = [value for _, rows in blocks for _, value, _ in rows]
    room = 0.012 * ((max(0.0, *values) - min(0.0, *values)) or 1.0)
    for name, rows in blocks:
        heads.append(y)
        ticks.append(y)
        labels.append(_label(name))
        y -= 1
        for title, value, error in rows:
            if title == "net effect":
                axes.errorbar(
                    value, y, xerr=2 * error, marker="D", color="black", markersize=4.5, capsize=2,
                    linewidth=1.0,
                )  # fmt: skip
            else:
                good = value > 0
                axes.barh(
                    y, value, height=0.72, color=HELP if good else "white",
                    edgecolor=HELP if good else HARM, hatch="" if good else "//////", linewidth=0.8,
                )  # fmt: skip
            end = value + (2 * error if title == "net effect" else 0.0) * (1 if value >= 0 else -1)
            axes.text(
                end + (room if value >= 0 else -room), y,
                microdooms(value * MICRODOOM, error * MICRODOOM),
                ha="left" if value >= 0 else "right", va="center", fontsize=7.5,
            )  # fmt: skip
            ticks.append(y)
            labels.append(title)
            y -= 1
        y -= 0.4
    _clean(axes)
    axes.set_yticks(ticks, labels)
    for tick, label in zip(ticks, axes.get_yticklabels(), strict=True):
        if tick in heads:
            label.set_fontweight("bold")
    axes.margins(x=0.12)
    axes.set_ylim(y + 0.6, 0.8)
    axes.set_xlabel("microdooms averted; bars add up to the net effect (diamond, ± 2 errors)")
    axes.set_title("Channels: filled bars help, hatched bars harm", loc="left")


def alternative_channels(content: Mapping[str, Any]) -> tuple[str, str]:
    """Return title and description of the channels."""
    parts = []
    for name, rows in _blocks(content):
        said = ", ".join(f"{t} {microdooms(v * MICRODOOM, e * MICRODOOM)}" for t, v, e in rows)
        parts.append(f"{name}: {said}")
    return "Net effect by channel, in microdooms averted", ". ".join(parts) + "."


# ── The drivers ──


def tornado(figure: Any, content: Mapping[str, Any]) -> None:
    """Draw the mean net effect at the lowest and the highest tenth of every leading belief."""
    found = drivers_shown(content)
    figure.set_size_inches(WIDTH, 1.15 + 0.27 * len(found))
    axes = figure.subplots()
    mean = _mean(content) / MICRODOOM
    for row, driver in enumerate(found):
        low, high = driver["low"] / MICRODOOM, driver["high"] / MICRODOOM
        axes.plot([low, high], [-row, -row], color="#9a9a9a", linewidth=5, solid_capstyle="butt", zorder=2)
        axes.plot(
            low, -row, marker="v", markersize=6.5, markerfacecolor="white", markeredgecolor="black",
            linestyle="", zorder=3,
        )  # fmt: skip
        axes.plot(high, -row, marker="^", markersize=6.5, color="black", linestyle="", zorder=3)
    _clean(axes)
    axes.axvline(mean, color=HELP if mean > 0 else HARM, linewidth=1.0, linestyle=(0, (4, 2)))
    names = [_label(d["belief"]) + trust.mark(content, d["belief"]) for d in found]
    axes.set_yticks([-r for r in range(len(found))], names)
    axes.set_ylim(-len(found) + 0.4, 1.2)
    axes.margins(x=0.06)
    side = axes.secondary_yaxis("right")
    side.set_yticks(
        [0.85, *(-r for r in range(len(found)))],
        ["distance   EVPPI", *(f"{reasons.distance(d):>8}   {reasons.evppi(d):>5}" for d in found)],
    )
    side.tick_params(length=0, labelfontfamily="DejaVu Sans Mono", labelsize=7.5)
    side.spines["right"].set_visible(False)
    axes.set_xlabel("mean net effect, microdooms averted (dashed: over all worlds)")
    judged = ", ‡ a judgement" if any(trust.mark(content, d["belief"]) for d in found) else ""
    axes.set_title(f"▽ lowest tenth of the belief, ▲ highest tenth{judged}", loc="left")


def _mean(content: Mapping[str, Any]) -> float:
    source = content["ensemble"] if len(content["models"]) > 1 else content["models"][0]
    return float(source["net_effect"]["mean"])


def alternative_drivers(content: Mapping[str, Any]) -> tuple[str, str]:
    """Return title and description of the tornado."""
    said = [
        f"{d['belief']}: {microdooms(d['low'], d['low_se'])} at its lowest tenth, "
        f"{microdooms(d['high'], d['high_se'])} at its highest, distance {reasons.distance(d)}, "
        f"EVPPI {reasons.evppi(d)}"
        for d in drivers_shown(content)
    ]
    return "Beliefs that drive the net effect, in microdooms averted", ". ".join(said) + "."
