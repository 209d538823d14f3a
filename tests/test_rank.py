"""Rankings: the numbers of `score`, the same bytes however the work was done or interrupted."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

from difprog.base.errors import BadInput, DifprogError
from difprog.choose import journal, rank
from difprog.choose.best import Best
from difprog.choose.journal import Journal, Line
from difprog.choose.portfolio import read_portfolio
from difprog.choose.rank import key_of, ranked, score_rows
from difprog.cli import main
from difprog.forecast.forecast import find_project, prepare, score
from difprog.forecast.request import Request
from difprog.forecast.sampling import Kept
from difprog.forecast.summary import MICRODOOM
from difprog.render import rank as shown
from difprog.render.format import percent, with_error
from tests.warm import Warm

MODELS = ("serial_parallel", "overhang")
REQUEST = Request(models=MODELS, use_evidence=False, draws=200)
QUICK = ["--no-evidence", "--draws", "200", "--model", "serial_parallel", "--model", "overhang"]

COLUMNS = [
    "name", "kind", "focus", "approach", "novelty", "publication", "effort", "duration", "cost", "owner",
]  # fmt: skip


def make_table(path: Path, rows: int) -> str:
    rng = random.Random(7)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for i in range(rows):
            writer.writerow(
                [
                    f"proposal {i}", "alignment", rng.choice(["average", "worst"]),
                    rng.choice(["engineering", "cognitivist"]), rng.choice(["mainstream", "niche"]),
                    rng.choice(["open", "closed"]), f"{rng.uniform(1, 4):.2f} to {rng.uniform(5, 9):.2f}",
                    round(rng.uniform(0.5, 3), 2), rng.randrange(10**5, 10**6), f"owner {i % 3}",
                ]
            )  # fmt: skip
    return str(path)


def run(*words: str):
    return CliRunner().invoke(main, ["rank", *words])


def text_of(table: str, **how) -> str:
    with ranked(read_portfolio([table]), REQUEST, shown.entry, **how) as ranking:
        return "".join(shown.as_json(ranking))


# the same numbers everywhere

def test_a_row_has_the_numbers_that_score_gives_it_alone(tmp_path):
    portfolio = read_portfolio(["rlhf", "ai-control", "scaling", "toy"])
    with ranked(portfolio, REQUEST, shown.entry) as ranking:
        projects = {p["name"]: p for p in ranking.projects()}
    setup = prepare(MODELS, use_evidence=False)
    from difprog.render import data

    for name in ("rlhf", "ai-control", "scaling", "toy"):
        alone = data.score(score(find_project(name, setup), setup, 200))
        mine = projects[alone["project"]["name"]]
        assert mine["ensemble"] == alone["ensemble"]
        for each, other in zip(mine["models"], alone["models"], strict=True):
            assert {k: v for k, v in each.items() if k != "p_best"} == {
                k: v for k, v in other.items() if k != "priors"
            }


def test_terminal_json_and_csv_say_the_same(tmp_path):
    table, out = make_table(tmp_path / "t.csv", 12), tmp_path / "out.csv"
    told = json.loads(run(table, *QUICK, "--json", "--csv", str(out)).stdout)
    printed = run(table, *QUICK).stdout
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [r["name"] for r in rows] == [p["name"] for p in told["projects"]]
    assert told["schema"] == "difprog.rank/1"
    lines = [line for line in printed.splitlines() if "proposal " in line]
    for place, (row, project) in enumerate(zip(rows, told["projects"], strict=True), 1):
        net = project["ensemble"]["net_effect"]
        assert int(row["rank"]) == project["rank"] == place
        assert int(row["row"]) == project["row"]
        for part, value in net.items():
            if f"net_effect_{part}" in row:
                assert float(row[f"net_effect_{part}"]) == value
        assert float(row["p_best"]) == project["p_best"]
        assert row["owner"] == project["extra"]["owner"]
        for each in project["models"]:
            assert float(row[f"net_effect_mean_{each['model']}"]) == each["net_effect"]["mean"]
        line = next(text for text in lines if text.split()[0] == str(place))
        assert with_error(net["mean"], net["mcse"], MICRODOOM, sign=True) in line
        assert percent(project["p_best"], 200) in line
    effects = [p["ensemble"]["net_effect"]["mean"] for p in told["projects"]]
    assert effects == sorted(effects, reverse=True)
    assert_allclose(told["nothing"]["p_best"] + sum(p["p_best"] for p in told["projects"]), 1)


def test_json_in_pieces_is_the_json_of_the_whole(tmp_path):
    text = text_of(make_table(tmp_path / "t.csv", 3))
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False)


# bad rows

def test_a_report_shows_effect_against_cost(tmp_path):
    """Where costs are stated; every point has its rank, and the page its figure."""
    table = make_table(tmp_path / "t.csv", 4)
    run(table, *QUICK, "--report", str(tmp_path / "out"))
    page = (tmp_path / "out" / "portfolio.md").read_text()
    assert page.count("](portfolio/cost.svg)") == 1
    svg = (tmp_path / "out" / "portfolio" / "cost.svg").read_text()
    assert all(f"proposal {n}" in svg for n in range(4))
    (tmp_path / "free.csv").write_text("name,effort,duration\na,3,1\n")
    run(str(tmp_path / "free.csv"), *QUICK, "--report", str(tmp_path / "none"))
    assert [p.name for p in (tmp_path / "none").iterdir()] == ["portfolio.md"]


def test_a_bad_row_is_reported_and_passed_over(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,effort,duration\nA,1,1\nB\x1b[2J,-1,1\nC,2,1\n")
    found = run(str(path), *QUICK, "--json")
    assert found.exit_code == 3
    assert run(str(path), *QUICK).stdout.startswith("2 of 3 rows, best first")
    told = json.loads(found.stdout)
    assert sorted(p["row"] for p in told["projects"]) == [1, 3]
    assert [e["row"] for e in told["errors"]] == [2]
    assert "row 2: project.effort" in told["errors"][0]["problems"][0]
    assert "row 2: project.effort" in found.stderr
    assert "\x1b" not in found.stderr


def test_all_rows_bad_is_bad_input(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,effort,duration\nA,x,1\nB,-1,1\n")
    found = run(str(path), *QUICK, "--csv", str(tmp_path / "out.csv"))
    assert found.exit_code == 2
    assert found.stdout == ""
    assert found.stderr.count("t.csv row ") == found.stderr.count("project.effort") == 2
    assert not (tmp_path / "out.csv").exists()


def test_a_row_whose_world_cannot_be_evaluated_is_a_bad_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,effort,duration,agi_arrival\nA,1,1,\nB,1,1,-3\n")
    told = json.loads(run(str(path), *QUICK, "--json").stdout)
    assert [p["name"] for p in told["projects"]] == ["A"]


def test_no_cell_of_the_csv_is_a_formula(tmp_path):
    path, out = tmp_path / "t.csv", tmp_path / "out.csv"
    path.write_text('name,effort,duration,x\n"=1+1",1,1,"@SUM(A1)"\n"A",1,1,-5\n')
    assert run(str(path), *QUICK, "--csv", str(out)).exit_code == 0
    rows = {r["row"]: r for r in csv.DictReader(io.StringIO(out.read_text()))}
    assert (rows["1"]["name"], rows["1"]["x"]) == ("'=1+1", "'@SUM(A1)")
    assert rows["2"]["x"] == "-5"


@pytest.mark.parametrize("by", ["effect", "per-dollar", "best"])
def test_rows_are_ordered_by_what_is_asked_for(tmp_path, by):
    path = tmp_path / "t.csv"
    path.write_text("name,effort,duration,cost\nA,1,1,1e5\nB,8,1,9e6\nC,3,1,\nD,2,1,1e5\n")
    told = json.loads(run(str(path), *QUICK, "--json", "--by", by).stdout)
    values = {
        "effect": lambda p: p["ensemble"]["net_effect"]["mean"],
        "per-dollar": lambda p: (p["value_for_money"] or {}).get("microdooms_per_million_usd", -np.inf),
        "best": lambda p: p["p_best"],
    }
    found = [values[by](p) for p in told["projects"]]
    assert found == sorted(found, reverse=True)
    assert told["by"] == by
    assert [p["rank"] for p in told["projects"]] == [1, 2, 3, 4]
    if by == "per-dollar":
        assert told["projects"][-1]["name"] == "C"


# the same bytes however the work is done

def test_two_processes_give_the_bytes_of_one(tmp_path):
    table = make_table(tmp_path / "t.csv", 60)
    assert text_of(table, jobs=2) == text_of(table)


def start(table: str, home: Path) -> Warm:
    return Warm("rank", table, *QUICK, "--json", env={**os.environ, "DIFPROG_HOME": str(home)})


def committed(home: Path) -> bool:
    """Return whether there is a database, and nothing beside it that is yet to go in."""
    size = {path.suffix: path.stat().st_size for path in home.rglob(f"{journal.NAME}*")}
    return size.get(".sqlite", 0) > 0 and size.get(".sqlite-journal") == 0


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_ranking_that_was_stopped_goes_on_to_the_same_bytes(tmp_path, stop):
    table = make_table(tmp_path / "t.csv", 150)
    stopped = start(table, tmp_path / "one")
    while not committed(tmp_path / "one"):
        assert stopped.poll() is None
        time.sleep(0.002)
    stopped.send_signal(stop)
    out, _ = stopped.communicate()
    assert out == b""
    assert stopped.returncode == (-9 if stop == signal.SIGKILL else 130)
    again, whole = start(table, tmp_path / "one"), run(table, *QUICK, "--json")
    out, told = again.communicate()
    assert (again.returncode, whole.exit_code) == (0, 0)
    assert b"taken up from an interrupted run" in told
    assert "taken up" not in whole.stderr
    assert out.decode() == whole.stdout
    assert not list((tmp_path / "one").rglob(journal.NAME))


# the journal

HASHES = [f"h{i}" for i in range(9)]


def kept(folder: Path, lines: int, hashes=None, **how) -> Journal:
    best = Best(1, 4)
    best.add(1, [np.array([0.0, 1.0, 2.0, 3.0])])
    made = Journal(folder, hashes or HASHES, 1, 4, **how)
    for number in range(len(made.entries) + 1, lines + 1):
        made.append([Line(number, f"h{number - 1}", float(number), "{}")], best)
    made.checkpoint()
    made.close()
    return made


def test_what_was_not_committed_is_as_if_it_had_never_been(tmp_path):
    begun = Journal(tmp_path, HASHES, 1, 4)
    begun._saved = math.inf
    for number in range(1, 6):
        begun.append([Line(number, f"h{number - 1}", float(number), "{}")], Best(1, 4))
        if number == 3:
            begun.checkpoint()
            begun._saved = math.inf
    assert len(begun.entries) == 5
    # What a killed process leaves: its files as they are, and nothing held.
    shutil.copytree(tmp_path, tmp_path / "killed")
    begun.close()
    for folder in (tmp_path, tmp_path / "killed"):
        again = Journal(folder, HASHES, 1, 4)
        assert [line.number for line in again.read(again.entries)] == [1, 2, 3]
        again.close()


def test_a_row_comes_back_as_it_went(tmp_path):
    lines = [Line(1, "h0", 0.1 + 0.2, '{"name": "caf\u00e9 \udcff"}'), Line(2, "h1", None, "[]")]
    begun = Journal(tmp_path, HASHES, 1, 4)
    begun.append(lines, Best(1, 4))
    begun.checkpoint()
    begun.close()
    again = Journal(tmp_path, HASHES, 1, 4)
    assert list(again.read(again.entries[::-1])) == lines[::-1]
    again.close(done=True)
    assert not tmp_path.exists()


@pytest.mark.parametrize(
    "damage",
    ["row changed", "line changed", "short", "no best", "best torn", "shape", "no database", "foreign"],
)
def test_what_does_not_fit_is_done_again(tmp_path, damage):
    kept(tmp_path, 3)
    hashes, shape, path = list(HASHES), 4, tmp_path / journal.NAME
    changes = {
        "line changed": "update rows set effect = 2.5 where number = 2",
        "no best": "delete from best",
        "best torn": "update best set state = substr(state, 1, 100)",
        "foreign": "drop table rows; create table rows (number, text)",
    }
    match damage:
        case "row changed":
            hashes[1] = "other"
        case "short":
            path.write_bytes(path.read_bytes()[:-5000])
        case "shape":
            shape = 5
        case "no database":
            path.write_bytes(b"rows " * 1000)
        case _:
            with closing(sqlite3.connect(path)) as rows:
                rows.executescript(changes[damage])
    again = Journal(tmp_path, hashes, 1, shape)
    assert again.entries == []
    assert not again.best.nodes
    again.append([Line(1, hashes[0], 1.0, "{}")], Best(1, shape))
    assert [line.number for line in again.read(again.entries)] == [1]
    again.close()


def test_fresh_forgets_and_another_process_is_kept_out(tmp_path):
    kept(tmp_path, 3)
    open_ = Journal(tmp_path, ["h0"] * 9, 1, 4, fresh=True)
    assert open_.entries == []
    with pytest.raises(BadInput, match="another process"):
        Journal(tmp_path, ["h0"] * 9, 1, 4)
    open_.close()


def test_rows_added_to_a_table_do_not_undo_what_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "EVERY", 0.0)
    path = tmp_path / "t.csv"
    make_table(path, 60)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:31]))
    with pytest.raises(KeyboardInterrupt):
        text_of(str(path), progress=stop_at(30))
    path.write_text("".join(lines))
    seen: list[int] = []
    text = text_of(str(path), progress=lambda done, _: seen.append(done))
    assert seen[0] == 30
    other = tmp_path / "u.csv"
    make_table(other, 60)
    assert text == text_of(str(other))


@pytest.mark.parametrize(
    "other", [{"draws": 101}, {"seed": 2}, {"prob": 0.5}, {"publication": "closed"}, {"models": MODELS},
              {"scenarios": ("short",)}, {"believe": ("p_success=0.4",)}, {"use_evidence": True}],
)  # fmt: skip
def test_no_row_is_taken_up_from_a_run_that_asked_something_else(other):
    first = Request(draws=100, use_evidence=False, believe=("p_success=0.6",))
    second = replace(first, **other)
    assert key_of(first, first.setup()) != key_of(second, second.setup())


def stop_at(rows: int):
    def progress(done: int, _total: int) -> None:
        if done >= rows:
            raise KeyboardInterrupt

    return progress


# what rows share

def test_what_is_kept_is_bounded_and_changes_nothing():
    kept = Kept(limit=3 * 800)
    made = []

    def make(i: int):
        made.append(i)
        return np.full(100, float(i))

    for i in (0, 1, 2, 0, 3, 4, 0):
        assert kept.get(i, lambda i=i: make(i))[0] == i
        assert kept.used <= 3 * 800
    assert made == [0, 1, 2, 3, 4]


def test_a_worker_with_other_priors_refuses(tmp_path):
    rows = read_portfolio([make_table(tmp_path / "t.csv", 1)]).rows
    with pytest.raises(DifprogError, match="other code, models or priors"):
        score_rows(REQUEST, "0" * 64, shown.entry, rows)


def test_what_rows_share_is_made_once(tmp_path, monkeypatch):
    """Work is counted, not timed: beliefs about the world are drawn, and raced alone, once for all rows."""
    from difprog.forecast import compiled, sampling

    drawn, raced = [], []
    scores, make = sampling.scores, sampling._without_anew
    counted = lambda stream, *rest: drawn.append(stream) or scores(stream, *rest)  # noqa: E731
    monkeypatch.setattr(sampling, "scores", counted)
    monkeypatch.setattr(sampling, "_without_anew", lambda *given: raced.append(1) or make(*given))
    table = make_table(tmp_path / "t.csv", 30)
    rank._workshop.cache_clear()
    compiled._KEPT.clear()
    with ranked(read_portfolio([table]), REQUEST, shown.entry) as ranking:
        assert len(ranking.order) == 30
    world = [stream for stream in drawn if " of proposal " not in stream]
    assert len(world) == len(set(world))
    assert len(raced) == 1


def test_name_files_and_folders_are_ranked_alike(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.toml").write_text(f'[project]\nname = "P{i}"\neffort = {i + 1}\nduration = 1\n')
    by_folder = json.loads(run(str(tmp_path), *QUICK, "--json").stdout)
    by_file = json.loads(run(*(str(tmp_path / f"{i}.toml") for i in range(3)), *QUICK, "--json").stdout)
    assert by_folder["projects"] == by_file["projects"]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_screen(tmp_path, monkeypatch, width):
    path = tmp_path / "t.csv"
    rows = "".join(f"[red]{'é中' * i}[/red],{i},1,{i}e5\n" for i in range(1, 30))
    path.write_text("name,effort,duration,cost\n" + rows)
    monkeypatch.setenv("COLUMNS", str(width))
    found = run(str(path), *QUICK)
    assert found.exit_code == 0
    from rich.cells import cell_len

    assert max(cell_len(line) for line in found.stdout.splitlines()) <= width
    assert "[red]é" in found.stdout


def test_evidence_is_looked_up_once_and_changes_no_number(tmp_path, monkeypatch):
    from difprog.evidence import store

    asked = []
    condition = store.condition

    def counted(name, *rest, **named):
        asked.append(name)
        return condition(name, *rest, **named)

    monkeypatch.setattr(store, "condition", counted)
    spec = Request(models=("serial_parallel",), draws=200)
    portfolio = read_portfolio([make_table(tmp_path / "t.csv", 5), "rlhf"])
    rank._workshop.cache_clear()
    with ranked(portfolio, spec, shown.entry) as ranking:
        mine = next(p for p in ranking.projects() if p["row"] == 6)
    # Once for each prior and date, not for each row.
    assert 0 < len(asked) <= 2 * len(set(asked))
    setup = prepare(["serial_parallel"])
    from difprog.render import data

    assert mine["ensemble"] == data.score(score(find_project("rlhf", setup), setup, 200))["ensemble"]
