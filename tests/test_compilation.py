"""What is compiled is kept between runs; damage, other versions and bounds of size never spoil a fit."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from difprog.evidence import compilation

#: Compiles a function with numba, and says how many files were at hand before.
PROGRAM = """
import sys
from difprog.evidence import compilation
with compilation.kept():
    import pytensor, pytensor.tensor as pt
    from pathlib import Path
    folder = Path(pytensor.config.base_compiledir)
    print(sum(p.is_file() for p in folder.rglob("*")))
    x = pt.dvector("x")
    assert abs(float(pytensor.function([x], pt.log1p(x).sum(), mode="NUMBA")([1.0, 3.0])) - 2.0794415) < 1e-6
print(folder)
"""


def compiled(home: Path, **environment: str) -> tuple[int, Path]:
    """Run a process that compiles; return how many files it had at hand, and where it compiled."""
    clean = {k: v for k, v in os.environ.items() if k != "PYTENSOR_FLAGS"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True,
        env={**clean, "DIFPROG_HOME": str(home), **environment},
    )  # fmt: skip
    count, folder = done.stdout.splitlines()
    return int(count), Path(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "compiled functions"
    (made / "numba").mkdir(parents=True)
    rng = np.random.default_rng(1)
    for i in range(5):
        (made / "numba" / f"{i}.nbc").write_bytes(rng.bytes(1000))
    return made


def test_what_was_compiled_is_there_for_the_next_process_and_damage_is_not(tmp_path: Path) -> None:
    cold, first = compiled(tmp_path)
    [path] = (tmp_path / "cache" / "compiled").iterdir()
    whole = path.read_bytes()
    warm, second = compiled(tmp_path)
    assert (cold, first.exists(), second.exists()) == (0, False, False)
    assert warm > 0
    assert first != second
    assert path.read_bytes() == whole  # nothing was new
    path.write_bytes(whole[: len(whole) // 2])
    assert compiled(tmp_path)[0] == 0
    assert len(path.read_bytes()) > len(whole) // 2


def test_a_folder_that_was_chosen_is_used(tmp_path: Path) -> None:
    _, used = compiled(tmp_path / "home", PYTENSOR_FLAGS=f"base_compiledir={tmp_path / 'mine'}")
    assert used == tmp_path / "mine"
    assert not (tmp_path / "home" / "cache" / "compiled").exists()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert compiled(tmp_path)[0] == 0


def test_what_is_packed_comes_back(folder: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "x.zip", tmp_path / "out"
    path.write_bytes(compilation.pack(folder))
    assert compilation.unpack(path, out)
    assert {p.relative_to(out): p.read_bytes() for p in out.rglob("*.nbc")} == {
        p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.nbc")
    }


def test_nothing_of_a_damaged_file_is_used(folder: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "x.zip", tmp_path / "out"
    whole = compilation.pack(folder)
    rng = np.random.default_rng(2)
    for at in rng.integers(0, len(whole), 200):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(damaged))
        assert not compilation.unpack(path, out)
    for stump in (b"", whole[:10], whole[:-1], whole[32:]):
        path.write_bytes(stump)
        assert not compilation.unpack(path, out)
    assert not out.exists()


def test_other_versions_have_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    now = compilation.archive()
    monkeypatch.setattr(compilation, "version", lambda name: "99" if name == "numba" else "1")
    upgraded = compilation.archive()
    monkeypatch.setattr(compilation, "version", lambda name: "1")
    assert len({now, upgraded, compilation.archive()}) == 3


def test_a_file_grown_too_large_is_left_behind(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(compilation.pack(folder))
    monkeypatch.setattr(compilation, "LARGEST", 1000)
    assert not compilation.unpack(path, tmp_path / "out")


def test_names_that_lead_out_of_the_folder_stay_in_it(tmp_path: Path) -> None:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        zipped.writestr("../../out.txt", "x")
        zipped.writestr("/tmp/out.txt", "x")
    content = stream.getvalue()
    path, out = tmp_path / "x.zip", tmp_path / "deep" / "out"
    path.write_bytes(hashlib.sha256(content).digest() + content)
    assert compilation.unpack(path, out)
    found = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert found == {"out.txt", "tmp/out.txt"}
    assert not (tmp_path / "out.txt").exists()


def test_only_so_many_other_versions_are_left(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "cache"
    place.mkdir()
    for i in range(5):
        (place / f"old{i}.zip").write_bytes(b"x")
        os.utime(place / f"old{i}.zip", (i, i))
    monkeypatch.setattr(compilation, "archive", lambda: place / "now.zip")
    monkeypatch.setitem(compilation._working, "folder", folder)
    monkeypatch.setattr(compilation, "_known", set())
    compilation._keep()
    assert {p.stem for p in place.iterdir()} == {"now", "old3", "old4"}
