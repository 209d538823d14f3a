"""Arrows point one way: what every module imports, anywhere in it, read from the syntax trees."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "difprog"

#: The floors, lowest first: a module imports from its own and from lower ones. Two on one line do not see
#: each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("base",), ("race",), ("beliefs",), ("models",), ("evidence",), ("forecast",), ("why",), ("choose",),
    ("runs", "record"), ("library", "verify"), ("render",), ("cli",),
)  # fmt: skip
HEIGHT = {name: height for height, names in enumerate(FLOORS) for name in names}

#: What takes long to load, and is loaded by who needs it.
HEAVY = ("pymc", "pytensor", "arviz", "xarray", "scipy", "pandas", "matplotlib", "numpy", "rich", "dask")


def dotted(path: Path) -> str:
    """Return a module's name."""
    return ".".join(p for p in path.relative_to(ROOT).with_suffix("").parts if p != "__init__")


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def imports(name: str) -> frozenset[str]:
    """Return what a module imports, as modules of the package where it is one, else as written."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (name, "a relative import")
            assert node.module is not None
            for alias in node.names:
                assert node.module != "difprog" or alias.name in ("__version__", *HEIGHT), name
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else node.module)
    return frozenset(found)


def floor(name: str) -> str | None:
    """Return the floor of a module; None of the package itself and of ``__main__``."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else None


def test_every_folder_is_a_floor_and_every_floor_a_folder() -> None:
    assert {floor(name) for name in MODULES} - {None} == set(HEIGHT)


@pytest.mark.parametrize("name", [n for n in MODULES if floor(n)])
def test_a_module_imports_from_its_own_floor_and_lower_ones(name: str) -> None:
    own = floor(name)
    assert own is not None
    for imported in imports(name):
        other = floor(imported) if imported.split(".")[0] == "difprog" else None
        if other is not None and other != own:
            assert HEIGHT[other] < HEIGHT[own], f"{name} imports {imported}"


@pytest.mark.parametrize("name", MODULES)
def test_what_is_imported_of_the_package_is_there(name: str) -> None:
    assert {i for i in imports(name) if i.split(".")[0] == "difprog"} <= MODULES.keys()


def test_there_is_no_circle() -> None:
    # The package itself hands out what lies in it, and is asked by all of it for the version only.
    arrows = {name: imports(name) & MODULES.keys() - {name, "difprog"} for name in MODULES}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("name", [n for n in MODULES if floor(n) in ("cli", None)])
def test_a_command_loads_nothing_heavy_before_it_is_run(name: str) -> None:
    for node in ast.parse(MODULES[name].read_text(encoding="utf-8")).body:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {n.split(".")[0] for n in names} & set(HEAVY)


def test_what_comes_from_chance_comes_from_a_seed() -> None:
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called != "np.random.seed", name
                assert node.args or not called.endswith("default_rng"), name
