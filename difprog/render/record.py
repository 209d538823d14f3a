"""The record's scores on a terminal and as a figure, from the plain data of `difprog.record.tally`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog.record.log import KINDS
from difprog.record.tally import BARS, EVEN, MEDIAN, RECORD, TWO
from difprog.render.figures import HELP, NEUTRAL, svg
from difprog.render.format import significant, with_error
from difprog.render.log import SHORT, broken, number, turned_out
from difprog.render.screen import DIM, HEAD, MARGIN, Column, fitted, indented, section, text

#: Columns of a drawn bar.
WIDTH = 40

#: Topics below which a sentence says how little the scores show.
FEW = 30

#: Measure → what it is called, and the baselines that it is held against.
MEASURES = {
    "brier": ("Brier score of chances, less is better", (EVEN, RECORD)),
    "log_score": ("log score of chances, nats", (EVEN, RECORD)),
    "crps_share": ("CRPS as a share of the median forecast, less is better", (MEDIAN, TWO)),
    "log_density": ("log score of quantities, nats", (TWO,)),
}


def terminal(found: Mapping[str, Any], screen: Console) -> None:
    """Print what the record says: scores against baselines, calibration, the models, every forecast."""
    broken(found["damaged"], screen)
    aside = [f"{found[word]} {word}" for word in ("ambiguous", "withdrawn") if found[word]]
    counts = [f"{found['resolved']} resolved", f"{found['open']} open", *aside]
    screen.print(text(f"Track record: {', '.join(counts)}", HEAD))
    if found["mismatched"]:
        ids = ", ".join(found["mismatched"])
        indented(screen, text(f"answered in the wrong form, and not counted: {ids}"))
    if not found["resolved"]:
        indented(screen, text("Nothing is resolved yet, so there is nothing to score."))
        indented(screen, text('When you know how one turned out: difprog log resolve ID VALUE --source "…"'))
        return
    indented(screen, text(caution(found), HEAD if found["all"]["topics"] < FEW else ""))
    _measures(found["all"], screen)
    _calibration(found, screen)
    for key, title, names in (
        ("by_kind", "By kind", KINDS), ("by_horizon", "By horizon", {}),
    ):  # fmt: skip
        _groups(found[key], title, names, screen)
    _models(found, screen)
    _forecasts(found["forecasts"], screen)
    screen.print()
    indented(screen, Text("What a score is: difprog glossary brier crps pit 'log score'", style=DIM))


def caution(found: Mapping[str, Any]) -> str:
    """Return how much, or how little, so many forecasts can show."""
    from scipy import stats

    n, topics = found["all"]["n"], found["all"]["topics"]
    low, high = stats.binom.ppf([0.025, 0.975], topics, 0.9) / topics
    many = "1 topic" if topics == 1 else f"{topics} topics"
    least = f"{n} forecast{'s' * (n != 1)} on {many} that share{'s' * (topics == 1)} no luck with others"
    return (
        f"{least}: a forecaster whose 90% intervals are right would see {low:.0%} to {high:.0%} of so many "
        f"hold. {'This shows next to nothing yet.' if topics < FEW else ''}"
    ).strip()


def _measures(group: Mapping[str, Any], screen: Console) -> None:
    section(screen, "Scores", "mean ± error; better than a naive forecast by, above 0 is good")
    lines = []
    for key, (words, baselines) in MEASURES.items():
        if key not in group:
            continue
        one = group[key]
        # Densities are of years, people and dollars: their own mean means nothing, gains do.
        lines.append((words, str(one["n"]), "" if key == "log_density" else _mean(one), ""))
        lines += [
            (f"  better than {name} by", "", "", _mean(one["against"][name], True))
            for name in baselines if name in one["against"]
        ]  # fmt: skip
    columns = [
        Column("", [
            Text("  " * line[0].startswith("  ")).append_text(text(line[0])) for line in lines
        ], left=True, wrap=True),
        Column("n", [line[1] for line in lines]), Column("mean", [line[2] for line in lines]),
        Column("better by", [line[3] for line in lines]),
    ]  # fmt: skip
    indented(screen, fitted(columns, screen.width - MARGIN))


def _mean(one: Mapping[str, Any], sign: bool = False) -> str:
    """Return a mean with its error over topics; with one topic there is none."""
    if one["se"] is None:
        return f"{significant(one['mean'], 2, sign)} ± ?"
    return with_error(one["mean"], one["se"], sign=sign)


def _calibration(found: Mapping[str, Any], screen: Console) -> None:
    rows = found["calibration"]
    if not rows:
        return
    section(screen, "Calibration", "● what came true, │ what was said; ± if it is calibrated")
    lead = f"{' ' * MARGIN}{'':<9} {'said':>4} {'came true':>11} {'n':>4}  "
    width = min(WIDTH, screen.width - len(lead) - 1)
    screen.print(Text(f"{lead}0%{'100%':>{width - 1}}", style=DIM))
    for row in rows:
        what = "intervals" if row["of"] == "interval" else "chances"
        line = [" "] * (width + 1)
        line[round(row["nominal"] * width)] = "│"
        line[round(row["observed"] * width)] = "●"
        came = f"{row['observed']:.0%} ± {row['se']:.0%}"
        said = f"{what:<9} {row['nominal']:>4.0%} {came:>11} {row['n']:>4}  "
        screen.print(Text(" " * MARGIN + said + "".join(line).rstrip()))
    histogram = found["pit"]
    if histogram["n"]:
        note = "tenths of each forecast; flat if calibrated"
        section(screen, "Where answers fell in their forecasts (PIT)", note)
        even = histogram["n"] / BARS
        most = max(*histogram["counts"], 1)
        for at, count in enumerate(histogram["counts"]):
            bar = "█" * round(count / most * min(WIDTH, screen.width - 18))
            screen.print(Text(f"{' ' * MARGIN}{10 * at:>3}–{10 * at + 10:<4} {count:>4} {bar}"))
        indented(screen, Text(f"{significant(even, 2)} expected in each", style=DIM))


def _groups(groups: Mapping[str, Any], title: str, names: Mapping[str, str], screen: Console) -> None:
    if len(groups) < 2:
        return
    section(screen, title, "gain in log score over even odds, and over the median within a factor of two")
    rows = list(groups.items())
    columns = [
        Column("", [text(names.get(name, name)) for name, _ in rows], left=True, wrap=True),
        Column("n", [str(one["n"]) for _, one in rows]),
        Column("topics", [str(one["topics"]) for _, one in rows]),
        *(
            Column(head, [_gain(one, key, name) for _, one in rows])
            for head, key, name in (
                ("chances", "log_score", EVEN), ("quantities", "log_density", TWO),
            )
        ),
    ]  # fmt: skip
    indented(screen, fitted(columns, screen.width - MARGIN))


def _gain(one: Mapping[str, Any], key: str, name: str) -> str:
    found = one.get(key, {}).get("against", {}).get(name)
    return "" if found is None else _mean(found, True)


def _models(found: Mapping[str, Any], screen: Console) -> None:
    said, scored = found["credences"], found["by_model"]
    if len(scored) < 2:
        return
    many = said["questions"]
    note = f"models differ on {many} question{'s' * (many != 1)}; shown, and not used by any forecast"
    section(screen, "What it says of the models", note)
    if not many:
        indented(screen, text("Nothing: on what is resolved they all said the same."))
        return
    names = [n for n in said["models"] if n in scored]
    columns = [
        Column("model", [text(n) for n in names], left=True, wrap=True),
        Column("log score beyond the mixture's", [_mean(scored[n], True) for n in names]),
        Column("credence", [f"{said['models'][n]['prior']:.0%}" for n in names]),
        Column("after the record", [f"{said['models'][n]['posterior']:.0%}" for n in names]),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))
    if many < FEW:
        words = "So few questions move credences by luck: this is no reason to change them."
        indented(screen, Text(words, style=DIM))


def _forecasts(rows: Sequence[Mapping[str, Any]], screen: Console) -> None:
    section(screen, "Every forecast", "the median or chance, the answer, its scores")
    columns = [
        Column("id", [text(r["id"][:SHORT]) for r in rows], left=True),
        Column("resolved", [text(_named(r)) for r in rows], left=True, wrap=True),
        Column("made", [r["made"] for r in rows], left=True, drop=1),
        Column("said", [_said(r) for r in rows]),
        Column("answer", [turned_out(r["outcome"], r) for r in rows]),
        Column("log score", [_number(r["log_score"]) for r in rows]),
        Column("Brier", [_number(r["brier"]) for r in rows], drop=2),
        Column("CRPS", [_number(r["crps"]) for r in rows], drop=2),
        Column("PIT", [_number(r["pit"]) for r in rows], drop=3),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['quantity']} ({row['unit']})" if row["unit"] else str(row["quantity"])


def _said(row: Mapping[str, Any]) -> str:
    if isinstance(row["outcome"], bool):
        return f"{significant(100 * row['forecast'], 2)}%"
    return number(row["forecast"], row)


def _number(value: float | None) -> str:
    return "" if value is None else significant(value, 2)


def figure(found: Mapping[str, Any]) -> bytes:
    """Return calibration and PIT as SVG."""
    rows = found["calibration"]
    said = [
        f"{'90% and other intervals' if r['of'] == 'interval' else 'Chances'}: said {r['nominal']:.0%}, came "
        f"true {r['observed']:.0%} of {r['n']}" for r in rows
    ]  # fmt: skip
    title = f"Calibration of {found['resolved']} resolved forecasts"
    counts = ", ".join(map(str, found["pit"]["counts"]))
    return svg(_draw, found, (title, f"{'. '.join(said)}. PIT in tenths: {counts}."))


def _draw(canvas: Any, found: Mapping[str, Any]) -> None:
    canvas.set_size_inches(7.0, 3.2)
    left, right = canvas.subplots(1, 2)
    left.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.9)
    for of, marker, face, label in (
        ("interval", "s", "white", "intervals"), ("chance", "o", HELP, "chances"),
    ):  # fmt: skip
        rows = [r for r in found["calibration"] if r["of"] == of]
        if rows:
            left.errorbar(
                [r["nominal"] for r in rows], [r["observed"] for r in rows], [2 * r["se"] for r in rows],
                marker=marker, linestyle="", color=HELP, markerfacecolor=face, markersize=5, elinewidth=0.9,
                label=label,
            )  # fmt: skip
    left.set(xlim=(0, 1), ylim=(-0.02, 1.02), xlabel="said", ylabel="came true", aspect="equal")
    if found["calibration"]:
        left.legend(frameon=False, loc="upper left")
    left.set_title("said and came true, ± 2 errors", loc="left")
    counts, n = found["pit"]["counts"], found["pit"]["n"]
    right.bar([(k + 0.5) / BARS for k in range(BARS)], counts, width=0.9 / BARS, color=HELP)
    even = n / BARS
    spread = 2.0 * (even * (1 - 1 / BARS)) ** 0.5
    right.axhline(even, color="black", linewidth=0.9)
    right.axhspan(max(even - spread, 0.0), even + spread, color=NEUTRAL, alpha=0.15, linewidth=0)
    right.set(xlim=(0, 1), xlabel="where the answer fell in the forecast (PIT)", ylabel="forecasts")
    right.set_title(f"{n} quantities; band: 2 errors", loc="left")
