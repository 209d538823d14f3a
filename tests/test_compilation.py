"""What is compiled is kept between runs; versions have folders of their own; damage is compiled again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from difprog.base.errors import DiagnosticsFailed
from difprog.evidence import compilation

#: Compiles a function with numba, and says where, and how many files were at hand before.
PROGRAM = """
from difprog.evidence import compilation
compilation.keep()
import pytensor, pytensor.tensor as pt
from pathlib import Path
folder = Path(pytensor.config.base_compiledir)
print(sum(p.suffix == ".nbi" for p in folder.rglob("*")))
print(folder)
x = pt.dvector("x")
def run():
    return float(pytensor.function([x], pt.log1p(x).sum(), mode="NUMBA")([1.0, 3.0]))
assert abs(compilation.again_if_damaged(run) - 2.0794415) < 1e-6
"""


def compiled(home: Path, **environment: str) -> tuple[int, Path]:
    """Run a process that compiles; return how many functions it had at hand, and where it compiled."""
    clean = {k: v for k, v in os.environ.items() if k != "PYTENSOR_FLAGS"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True,
        env={**clean, "DIFPROG_HOME": str(home), **environment},
    )  # fmt: skip
    assert done.stderr == ""
    count, folder = done.stdout.splitlines()
    return int(count), Path(folder)


def test_what_was_compiled_is_there_for_the_next_process_and_damage_is_compiled_again(tmp_path: Path) -> None:
    cold, first = compiled(tmp_path)
    warm, second = compiled(tmp_path)
    assert (cold, first) == (0, second)
    assert first.is_relative_to(tmp_path)
    assert warm > 0
    for suffix in (".nbi", ".nbc"):
        for path in first.rglob(f"*{suffix}"):
            path.write_bytes(path.read_bytes()[:50])
        compiled(tmp_path)


def test_no_c_compiler_is_needed_and_nothing_is_said_of_it(tmp_path: Path) -> None:
    """A fresh machine: no g++ within reach, nothing kept."""
    code = (
        "from difprog.evidence import compilation, fit\n"
        "compilation.keep()\n"
        "import pymc as pm\n"
        "assert not pm.pytensorf.pytensor.config.cxx\n"
        "with pm.Model() as model:\n"
        "    pm.Normal('y', pm.Normal('x'), observed=[1.0, 2.0])\n"
        "tree = fit.sample(model, fit.Settings(draws=50, tune=50, chains=2))\n"
        "assert tree.posterior['x'].shape == (2, 50)\n"
    )
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTENSOR_FLAGS", "CXX", "CC")}
    bare = {**clean, "DIFPROG_HOME": str(tmp_path), "HOME": str(tmp_path), "PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=bare)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_folder_that_was_chosen_is_used(tmp_path: Path) -> None:
    _, used = compiled(tmp_path / "home", PYTENSOR_FLAGS=f"base_compiledir={tmp_path / 'mine'}")
    assert used == tmp_path / "mine"
    assert not (tmp_path / "home" / "cache" / "compiled").exists()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    _, used = compiled(tmp_path, HOME=str(tmp_path / "elsewhere"))
    assert used == tmp_path / "elsewhere" / ".pytensor"


def test_other_versions_have_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    now = compilation.folder()
    monkeypatch.setattr(compilation, "version", lambda name: "99" if name == "numba" else "1")
    upgraded = compilation.folder()
    monkeypatch.setattr(compilation, "version", lambda name: "1")
    assert len({now, upgraded, compilation.folder()}) == 3


def test_an_error_of_our_own_is_no_damage() -> None:
    runs = []

    def run() -> None:
        runs.append(1)
        raise DiagnosticsFailed("as it is")

    with pytest.raises(DiagnosticsFailed):
        compilation.again_if_damaged(run)
    assert runs == [1]
