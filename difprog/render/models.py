"""Models on a terminal: the list, and one model's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from difprog.forecast.setup import Setup
from difprog.models.model import Model
from difprog.render.screen import DIM, HEAD, MARGIN, section, text
from difprog.render.terminal import spell_belief


def plain_data(model: Model, credences: Mapping[str, float]) -> dict[str, Any]:
    """Return one model as plain data."""
    return {
        "model": model.name,
        "title": model.title,
        "cites": model.cites,
        "credence": credences[model.name],
        "assumes": list(model.assumes),
        "opens": dict(model.opens),
        "reads": list(model.reads),
        "path": model.source.label,
        "sha256": model.source.sha256,
    }


def listing(setup: Setup, screen: Console) -> None:
    """Print the list of models."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style=DIM)
    table.add_column("model", no_wrap=True)
    table.add_column("credence", justify="right")
    table.add_column("opens", justify="right")
    table.add_column("reads into the race")
    for model in setup.models:
        table.add_row(
            text(model.name), f"{setup.credences[model.name]:.0%}", str(len(model.opens)),
            Text.assemble(text(model.title), "\n", text(model.cites, DIM)),
        )  # fmt: skip
    screen.print(table)
    screen.print()
    said = "credence: how much the model counts; opens: mechanisms it adds to the race."
    screen.print(Text(said, style=DIM))
    screen.print(Text("difprog models show NAME says what one assumes.", style=DIM))
    screen.print(Text("Your own model: --model path/to/file.py", style=DIM))


def page(setup: Setup, found: Mapping[str, tuple[str, ...]], screen: Console) -> None:
    """Print one model: its argument, what it assumes, opens and reads."""
    model = setup.models[0]
    screen.print(Text.assemble(text(model.name, HEAD), ": ", text(model.title)))
    screen.print(text(model.cites, DIM))
    for paragraph in model.argument.split("\n\n")[1:]:
        screen.print(Padding(text(paragraph), (1, MARGIN, 0, MARGIN), expand=False))
    section(screen, "Assumes")
    for assumption in model.assumes:
        screen.print(Padding(Text.assemble("– ", text(assumption)), (0, 0, 0, MARGIN), expand=False))
    section(screen, "Opens", "beyond the base race; belief at 5% to 95%")
    if not model.opens:
        screen.print(Padding(Text("nothing: this is the base race"), (0, 0, 0, MARGIN), expand=False))
    else:
        stack = setup.stacks[model.name]
        table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, show_header=False)
        for _ in range(3):
            table.add_column()
        for name, why in model.opens.items():
            belief = stack.lookup(name, {})
            parameter = model.vocabulary[name]
            says = f"{spell_belief(belief)} {parameter.unit}".strip() if belief else ""
            table.add_row(text(name), text(says, DIM), text(why))
        screen.print(Padding(table, (0, 0, 0, MARGIN), expand=False))
    section(screen, "What reads what", "for an alignment project that meets all criteria")
    table = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, names in found.items():
        reading = Text(", ").join(
            Text(n, style="bold" if n in model.opens else "") for n in names
        )
        table.add_row(text(name), "◂", reading)
    screen.print(Padding(table, (0, 0, 0, MARGIN), expand=False))
    screen.print(Text("\nbold: opened by this model. --mermaid prints the graph for a page.", style=DIM))
