"""Every command runs in a folder that somebody else filled, and nothing of the folder does.

The program is started as its installed script starts it; all commands are run in that one process,
so that all that any of them imports is looked for while the folder is the working one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from difprog.base import files
from tests.test_robust import commands
from tests.test_safety import PROPOSAL, QUICK, ROOT, SHADOWED

SCRIPT = """
import sys
sys.path.append({root!r})
from difprog.__main__ import run
from difprog.base.processes import leave_working_folder_out
leave_working_folder_out()
import contextlib, io, json
for words in json.loads(sys.stdin.read()):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["difprog", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            run()
        status = 0
    except SystemExit as left:
        status = int(left.code or 0)
    print(json.dumps([words, status, len(out.getvalue()), err.getvalue()]), flush=True)
"""

#: Every command, in an order in which each finds what it needs.
EVERY: tuple[tuple[str, ...], ...] = (
    ("list",), ("glossary",), ("models", "list"), ("models", "show", "overhang"),
    ("score", "rlhf", *QUICK, "--save", "run"), ("score", "toy", "--draws", "200", "--scenario", "short"),
    ("explain", "p1.toml", *QUICK), ("compare", "p1.toml", "rlhf", *QUICK),
    ("rank", "theirs", "--jobs", "2", *QUICK, "--csv", "rank.csv"),
    ("rank", "grants", *QUICK, "--report", "out"),
    ("allocate", "grants", "--budget", "1M", *QUICK, "--report", "out"),
    ("log", "add", "p1.toml", *QUICK, "--file", "log.jsonl"), ("log", "list", "--file", "log.jsonl"),
    ("log", "resolve", "{id}", "withdrawn", "--source", "me", "--file", "log.jsonl"),
    ("log", "score", "--file", "log.jsonl", "--svg", "log.svg"),
    ("log", "export", "log.csv", "--file", "log.jsonl"),
    ("log", "import", "log.csv", "--file", "again.jsonl"),
    ("report", "p1.toml", *QUICK, "-o", "out"), ("report", "p1.toml", *QUICK, "--html", "-o", "out"),
    ("diff", "run", "run"), ("new", "made.toml", "--name", "Made", "--effort", "6 to 15", "--yes"),
    ("priors", "copy", "short", "-o", "copied.toml"),
    ("priors", "set", "copied.toml", "skill", "0.5 to 2", "--source", "me"),
    ("priors", "unset", "copied.toml", "skill"), ("priors", "edit", "copied.toml"),
    ("priors", "elicit", "skill", "--percentiles", "p5=1 p95=2", "--file", "copied.toml", "--yes"),
    ("priors", "list"), ("priors", "list", "world"), ("priors", "show", "skill"), ("priors", "plot", "skill"),
    ("priors", "check"), ("priors", "diff", "short", "pessimist"), ("priors", "path", "world"),
    ("priors", "generate", "--check"), ("evidence", "list"),
)  # fmt: skip

#: Those that sample: they may find that so few draws, or simulations, do not do.
SAMPLING: tuple[tuple[str, ...], ...] = (
    ("evidence", "fit", "--without", "timelines", "--without", "parallelisation", "--without", "coupling",
     "--draws", "100", "--chains", "2"),
    ("verify", "--simulations", "5"),
)  # fmt: skip

#: A name that ships, and a command that is told it: each says which of the two files it takes.
SAID = {
    "rlhf": ("score", "rlhf"), "toy": ("score", "toy"), "short": ("priors", "diff"),
    "grants": ("allocate", "grants"), "world": ("priors", "list", "world"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder: over fifty modules, settings of libraries, files under names that ship."""
    folder = tmp_path_factory.mktemp("hostile") / "theirs"
    (folder / "theirs").mkdir(parents=True)
    for name in range(3):
        (folder / f"p{name}.toml").write_text(PROPOSAL.format(name))
        (folder / "theirs" / f"p{name}.toml").write_text(PROPOSAL.format(name))
    mark = f"open({str(folder.parent / 'RAN')!r}, 'a').write({{!r}} + '\\n')\n"
    models = [path.stem for path in (ROOT / "models").glob("*.py")]
    for module in (*SHADOWED, *models):
        (folder / f"{module}.py").write_text(mark.format(module))
    for package in ("yaml", "highspy", "xarray_einstats", "dask", "distributed", "h5netcdf"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text(mark.format(package))
    (folder / "evil.pth").write_text(f"import sys; {mark.format('evil.pth')}")
    (folder / "matplotlibrc").write_bytes(b"\xff\xfe not text")
    (folder / ".numba_config.yaml").write_text("debug: 1\n")
    (folder / ".pytensorrc").write_text("[global]\nmode = no such mode\n")
    (folder / "pyproject.toml").write_text("no toml [")
    for shipped in files.shipped("priors", "projects").glob("*.toml"):
        (folder / shipped.name).write_text(PROPOSAL.format("theirs"))
    beliefs = '[beliefs.skill]\np10 = 0.5\np90 = 3\nsource = "theirs"\n'
    scenarios = files.shipped("priors", "scenarios").glob("*.toml")
    for shipped in (*scenarios, *files.shipped("priors").glob("*.toml")):
        (folder / shipped.name).write_text(beliefs)
    (folder / "credences.toml").write_text("[credences]\noverhang = 1\n")
    (folder / "grants.csv").write_text("name,effort,duration,cost\nA,1,1,1e5\nB,2,1,2e5\n")
    editor = folder.parent / "editor"
    editor.write_text("#!/bin/sh\n")
    editor.chmod(0o755)
    return folder


def run_all(folder: Path, rows: list[list[str]]) -> list[tuple[list[str], int, int, str]]:
    """Run commands in one process that is started in a folder; return what became of each."""
    scripts = folder.parent / "bin"
    scripts.mkdir(exist_ok=True)
    (scripts / "difprog").write_text(SCRIPT.format(root=str(ROOT)))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    environment |= {"EDITOR": str(folder.parent / "editor"), "DIFPROG_HOME": str(folder.parent / "home")}
    environment.pop("VISUAL", None)
    done = subprocess.run(
        [sys.executable, str(scripts / "difprog")], cwd=folder, input=json.dumps(rows), text=True,
        capture_output=True, env=environment, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]


def sound(folder: Path, found: list[tuple[list[str], int, int, str]], *statuses: int) -> None:
    """Check that commands ended well, and that nothing of the folder was run."""
    for words, status, _, said in found:
        assert status in statuses, (words, status, said)
        assert "Traceback" not in said, (words, said)
    ran = folder.parent / "RAN"
    assert not ran.exists(), ran.read_text()


def test_every_command_is_tried() -> None:
    grouped = ("priors", "models", "evidence", "log")
    tried = {words[: 2 if words[0] in grouped else 1] for words in (*EVERY, *SAMPLING)}
    assert tried == set(commands())


def test_every_command_runs_and_nothing_of_the_folder_does(folder: Path) -> None:
    at = next(i for i, words in enumerate(EVERY) if "{id}" in words)
    found = run_all(folder, [list(words) for words in EVERY[:at]])
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    identity = next(line["id"] for line in lines if line["event"] == "forecast")
    found += run_all(folder, [[word.format(id=identity) for word in words] for words in EVERY[at:]])
    assert len(found) == len(EVERY)
    sound(folder, found, 0)
    for name, told in SAID.items():
        said = "".join(said for words, _, _, said in found if tuple(words[: len(told)]) == told)
        assert f'"{name}" is {name}.' in said, (name, said)
        assert "in the working folder, not the one that ships" in said, (name, said)


@pytest.mark.slow
def test_commands_that_sample_run_and_nothing_of_the_folder_does(folder: Path) -> None:
    sound(folder, run_all(folder, [list(words) for words in SAMPLING]), 0, 3)
