"""Fixtures that every test shares, and the options that turn the slow tests on."""

from __future__ import annotations

import compileall
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

# Every test has a user's folder of its own; what is compiled is shared by all of them, or each would
# compile anew.
os.environ.setdefault("PYTENSOR_FLAGS", f"base_compiledir={Path.home() / '.pytensor'}")

# PyTensor raises the limit when it is first imported; inside a test, hypothesis would wonder at that.
sys.setrecursionlimit(max(10_000, sys.getrecursionlimit()))

# The gate must give the same answer twice: cases are derived from the test itself. New ones are
# looked for with --slow, and whoever finds one adds it as an example. A law that does not hold is said
# at once: to look for the smallest case that breaks it takes minutes, and is for --slow too.
settings.register_profile(
    "fixed", derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
)
settings.register_profile("search", derandomize=False)


def pytest_configure(config: pytest.Config) -> None:
    _compile_once()
    searching = config.getoption("--slow") and not config.getoption("--short")
    settings.load_profile("search" if searching else "fixed")


def _compile_once() -> None:
    """Compile the package before any test, and let no test write bytecode.

    Some tests let no file grow, as on a full disk: what Python before 3.12.8 then writes of a module's
    bytecode is cut off, and whoever imports it next fails.
    """
    if not sys.dont_write_bytecode:
        compileall.compile_dir(Path(__file__).parent.parent / "difprog", quiet=2)
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the slow tests too")
    parser.addoption("--short", action="store_true", help="of the slow tests, fewer cases; as the gate does")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    slow = [item for item in items if "slow" in item.keywords]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if "slow" not in item.keywords]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process a stretch of the tests, so that what a file shares is mostly made once."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test an empty user's folder of its own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("DIFPROG_HOME", str(folder))
    return folder


@pytest.fixture
def short(request: pytest.FixtureRequest) -> bool:
    """Whether a slow test is to look at fewer cases."""
    return bool(request.config.getoption("--short"))


@pytest.fixture
def shipped_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip where a posterior would have to be fitted: that the kept ones are current is a test of its own."""
    from difprog.evidence import store

    def no_fit(*_: object, **__: object) -> None:
        pytest.skip("the kept evidence is not of this version: difprog evidence fit --again --ship")

    monkeypatch.setattr(store, "fit", no_fit)
