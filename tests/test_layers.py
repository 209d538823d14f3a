"""Arrows point one way: which module may import which, read from the syntax tree."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from difprog.beliefs.families import Distribution, Family, Mixture, Point
from difprog.forecast.simulate import Draws, Question
from difprog.forecast.summary import Summary
from difprog.race.effects import Facts

PACKAGE = Path(__file__).parent.parent / "difprog"

#: Module → what of difprog it may import. A package's modules go by the package's name.
LOWEST = ("errors", "parameters", "arrays")
ALLOWED: dict[str, tuple[str, ...]] = {
    "errors": (),
    "parameters": (),
    "arrays": (),
    "units": ("errors",),
    "families": (),
    "files": ("errors",),
    "race": ("arrays",),
    "effects": ("arrays", "race"),
    "beliefs": ("errors", "families", "files", "parameters", "units"),
    "project": ("beliefs", "effects", "errors", "families", "files", "parameters"),
    "model": ("arrays", "effects", "errors", "families", "files", "memory", "parameters", "race"),
    "memory": (),
    "pymc_model": ("arrays", "effects", "families", "model"),
    "posterior": (),
    "simulate": (
        "arrays", "beliefs", "effects", "errors", "families", "memory", "model", "parameters", "posterior",
    ),
    "summary": (),
}

#: What must never be imported from above: (module or package, what it must not reach).
FORBIDDEN = [
    ("render", ("difprog.forecast.simulate", "difprog.evidence", "difprog.cli", "pymc", "pytensor")),
    ("summary", ("pymc", "pytensor", "difprog")),
    ("decompose", ("pymc", "difprog.render", "difprog.cli")),
    ("sensitivity", ("pymc", "difprog.render", "difprog.cli")),
    ("evidence", ("difprog.render", "difprog.cli")),
]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(p for p in parts if p != "__init__")


@pytest.mark.parametrize("name", ALLOWED)
def test_a_low_module_imports_only_what_lies_below_it(name: str) -> None:
    own = {i for i in imports(PACKAGE / f"{name}.py") if i.startswith("difprog")}
    allowed = {"difprog"} | {f"difprog.{m}" for m in ALLOWED[name]}
    extra = {i for i in own if i not in allowed and ".".join(i.split(".")[:2]) not in allowed}
    assert not extra


@pytest.mark.parametrize(("name", "forbidden"), FORBIDDEN)
def test_arrows_never_turn_back(name: str, forbidden: tuple[str, ...]) -> None:
    paths = [p for p in modules() if dotted(p).split(".")[0] == name]
    for path in paths:
        for imported in imports(path):
            for banned in forbidden:
                assert not (imported + ".").startswith(banned + "."), (path, imported)


def test_nothing_but_the_command_line_imports_the_command_line() -> None:
    for path in modules():
        if dotted(path).split(".")[0] in ("cli", "__main__"):
            continue
        assert not [i for i in imports(path) if i.startswith("difprog.cli")], path


@pytest.mark.parametrize("path", [p for p in modules() if "cli" in p.parts], ids=dotted)
def test_a_command_s_module_imports_nothing_heavy_at_its_top(path: Path) -> None:
    heavy = {"numpy", "scipy", "pymc", "arviz", "xarray", "matplotlib", "pandas", "rich", "pydantic"}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            assert not {a.name.split(".")[0] for a in node.names} & heavy
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.module.split(".")[0] not in heavy


def test_only_one_module_makes_random_numbers_for_scores() -> None:
    for path in modules():
        text = path.read_text()
        assert "np.random.seed" not in text, path
        assert "default_rng()" not in text, path


@pytest.mark.parametrize("kind", [Facts, Family, Distribution, Mixture, Point, Summary, Question, Draws])
def test_what_is_handed_on_cannot_be_changed(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
