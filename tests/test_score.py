"""`difprog score` as its users see it: points worked by hand, bad input, screens, JSON."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from difprog.beliefs.project import QUANTITIES
from difprog.cli import main
from difprog.forecast import forecast
from difprog.forecast.setup import prepare
from difprog.models.model import STATED_ONLY, load, shipped_models, vocabulary
from difprog.race.parameters import Group
from tests import reference, strategies, warm
from tests.helpers import names, project, proposal, score
from tests.warm import Warm

#: What a summary holds, and by how much each estimate is uncertain.
SUMMARY = {
    "mean", "sd", "mcse", "median", "lower", "upper", "p_positive", "p_negative",
    "median_se", "lower_se", "upper_se", "p_positive_se", "p_negative_se",
}  # fmt: skip
#: No test here is about evidence, and a fit takes minutes.
PLAIN = ("--no-evidence", "--draws", "300")


def run(*arguments: str | float | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def toml(table: str, values: dict[str, Any]) -> str:
    lines = [f"[{table}]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


# Points: the answer is exact


def point(name: str) -> st.SearchStrategy[float]:
    """One finite value of a belief, as short as a file would have it."""
    support = vocabulary()[name].support
    values = strategies.value(vocabulary()[name]).filter(math.isfinite)
    return values.map(lambda v: float(f"{v:.6g}")).filter(lambda v: v in support)


BELIEFS = [
    n for n, p in vocabulary().items()
    if p.group not in (Group.EFFECT, Group.FACT) and n not in STATED_ONLY
]  # fmt: skip
MAY_BE_STATED = (
    "parallel_speedup", "serial_speedup", "capability_speedup", "hit_probability", "relevance", "coupling",
)  # fmt: skip


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=st.fixed_dictionaries({n: point(n) for n in BELIEFS}),
    amounts=st.fixed_dictionaries({n: point(n) for n in QUANTITIES}),
    facts=strategies.facts(),
    stated=st.fixed_dictionaries({}, optional={n: point(n) for n in MAY_BE_STATED}),
)
def test_points_give_what_the_page_gives_under_all_readings(
    tmp_path: Path, world: dict[str, float], amounts: dict[str, float], facts: dict[str, Any],
    stated: dict[str, float],
) -> None:  # fmt: skip
    priors, asked = tmp_path / "points.toml", tmp_path / "asked.toml"
    priors.write_text(toml("beliefs", world))
    asked.write_text(toml("project", {"name": "points", **facts, **amounts}) + toml("beliefs", stated))
    # A model with maths of its own is held to that by a test of its own.
    shared = [n for n in shipped_models() if load(n).derive is None and load(n).success is None]
    assert set(shared) == set(reference.OPENS)
    chosen = [word for name in shared for word in ("--model", name)]
    result = run("score", asked, "--priors", priors, "--draws", 3, "--no-evidence", "--json", *chosen)
    assert result.exit_code == 0, result.output
    answers = json.loads(result.stdout)["models"]
    for answer in answers:
        want = reference.net(answer["model"], {**facts, **amounts}, world, stated)
        hit, miss, p = want["effects"]["hit"], want["effects"]["miss"], want["hit_probability"]
        expected = {
            "p_success_without": want["without"], "p_success_with": want["with_project"],
            "net_effect": want["net_effect"],
            **{n: p * hit[n] + (1 - p) * miss[n]
               for n in ("parallel_speedup", "serial_speedup", "capability_speedup", "timeline_shortening")},
        }  # fmt: skip
        for name, value in expected.items():
            got = answer[name]
            for key in ("mean", "median", "lower", "upper"):
                near = math.isclose(got[key], value, rel_tol=1e-9, abs_tol=1e-14)
                assert near, (answer["model"], name, key)
            assert got["sd"] <= 1e-15 * max(1.0, abs(value))


def test_a_race_worked_by_hand(tmp_path: Path) -> None:
    """AGI in 16 years, 4 people: 64 person-years against a median of 64, and chains of 16 years in 16.

    Each of the three is met by half: p = 1/8. The project hands over 64 person-years and takes no time:
    W doubles, and with a log sd of ln 2 that is one sd: p = Φ(1)/4.
    """
    neutral = {n: float(p.neutral) for n, p in vocabulary().items()
               if p.base and p.neutral is not None and math.isfinite(p.neutral)}  # fmt: skip
    world = {
        **{n: v for n, v in neutral.items() if n in BELIEFS}, "agi_arrival": 16, "researchers": 4,
        "researcher_growth": 0, "parallel_requirement": 64, "parallel_spread": math.log(2),
        "serial_requirement": 16, "serial_spread": 1, "serial_chains": 2, "field_ceiling": 1e9,
    }  # fmt: skip
    priors, asked = tmp_path / "world.toml", tmp_path / "asked.toml"
    priors.write_text(toml("beliefs", world))
    effects = {"parallel_speedup": 64, "serial_speedup": 0, "capability_speedup": 0}
    asked.write_text(toml("project", {"name": "by hand"}) + toml("beliefs", effects))
    words = "--draws", 3, "--no-evidence", "--json", "--model", "serial_parallel"
    result = run("score", asked, "--priors", priors, *words)
    (answer,) = json.loads(result.stdout)["models"]
    assert answer["p_success_without"]["mean"] == pytest.approx(1 / 8, rel=1e-12)
    assert answer["p_success_with"]["mean"] == pytest.approx(0.8413447460685429 / 4, rel=1e-12)


def test_the_toy_of_the_essay_is_exact() -> None:
    """AGI in 26 years, four chains of 25: two years sooner, and what was sure is lost."""
    for answer in json.loads(run("score", "toy", "--json", *PLAIN).stdout)["models"]:
        if answer["model"] == "serial_parallel":
            assert (answer["p_success_without"]["mean"], answer["p_success_with"]["mean"]) == (1.0, 0.0)
            assert answer["net_effect"]["mean"] == -1.0


# What is printed


def test_json_is_json_and_nothing_else_and_holds_what_it_should() -> None:
    result = run("score", "rlhf", "--json", "--draws", 1000, "--no-evidence")
    found = json.loads(result.stdout)
    assert found["schema"] == "difprog.score/1"
    assert (found["draws"], found["seed"], found["prob"]) == (1000, 1, 0.9)
    assert {m["model"] for m in found["models"]} == set(shipped_models())
    for answer in found["models"]:
        for name in ("p_success_without", "p_success_with", "net_effect", "parallel_speedup",
                     "serial_speedup", "capability_speedup", "timeline_shortening"):  # fmt: skip
            assert set(answer[name]) == SUMMARY
        assert answer["arrival_given_success"] > 0
        assert all(len(layer["sha256"]) == 64 for layer in answer["priors"])
        difference = answer["p_success_with"]["mean"] - answer["p_success_without"]["mean"]
        assert answer["net_effect"]["mean"] == pytest.approx(difference, abs=1e-12)
    assert sum(m["credence"] for m in found["models"]) == pytest.approx(1)
    assert set(found["ensemble"]) == {
        "p_success_without", "p_success_with", "net_effect", "sign_disagreement",
    }  # fmt: skip


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    first, again, other = (
        run("score", "rlhf", "--json", *PLAIN, "--seed", seed).stdout for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


def test_a_longer_run_starts_with_the_shorter() -> None:
    short, long = (score("rlhf", "serial_parallel", draws=n).draws for n in (500, 20_000))
    assert (long.net_effect[:, :500] == short.net_effect).all()


def test_an_effect_of_a_microdoom_is_resolved_to_five_percent() -> None:
    answer = score(proposal(
        {}, kind="alignment", focus="pessimistic", approach="behaviourist", publication="open",
        effort=0.6, duration=0.3,
    ), "serial_parallel")  # fmt: skip
    assert 0.3e-6 < answer.net.mean < 3e-6
    assert answer.net.mcse < 0.05 * answer.net.mean


def test_the_stated_error_is_the_spread_over_seeds() -> None:
    answers = [score("agent-foundations", "synthesis", draws=2000, seed=s).net for s in range(40)]
    means = [a.mean for a in answers]
    centre = sum(means) / len(means)
    spread = (sum((m - centre) ** 2 for m in means) / (len(means) - 1)) ** 0.5
    typical = sum(a.mcse for a in answers) / len(answers)
    assert 0.65 < spread / typical < 1.5


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", names([]))
def test_every_shipped_proposal_reads_at_every_width(name: str, width: int) -> None:
    result = CliRunner(env={"COLUMNS": str(width)}).invoke(main, ["score", name, *PLAIN])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert "Traceback" not in result.output
    assert lines[0].startswith(project(name).name[:70])


def test_the_terminal_says_the_same_as_the_json() -> None:
    words = "sandwiching", "--model", "serial_parallel", "--no-evidence"
    found = json.loads(run("score", *words, "--json").stdout)
    net = found["models"][0]["net_effect"]
    screen = run("score", *words).stdout
    row = next(line for line in screen.splitlines() if "±" in line and "mean" not in line)
    mean, error = row.split("±")[0].split()[-1], row.split("±")[1].split()[0]
    assert float(mean.replace("+", "")) == pytest.approx(net["mean"] * 1e6, abs=0.51 * float(error))
    assert float(error) == pytest.approx(net["mcse"] * 1e6, rel=0.35)


def test_disagreement_in_sign_comes_before_anything_else() -> None:
    screen = run("score", "capability-work-now", "--no-evidence").stdout
    assert screen.index("The models disagree about the sign") < screen.index("microdooms")


def test_what_does_exactly_nothing_is_not_said_to_be_unresolved(tmp_path: Path) -> None:
    """Nobody, for money that only two models ask about, and nobody for nothing."""
    path = tmp_path / "nobody.toml"
    path.write_text("[project]\nname='x'\neffort=0\nduration=1\ncost=1e9\n")
    screen = " ".join(run("score", path, *PLAIN).stdout.split())
    assert "changes nothing under 4 (serial_parallel, research_grid, overhang and alignment_tax)" in screen
    assert "The median is 0: 90% of the worlds lie within" in screen  # not: half of them below it
    path.write_text("[project]\nname='x'\neffort=0\nduration=1\ncost=0\n")
    assert "It changes nothing under 6 of 6 models." in run("score", path, *PLAIN).stdout


def test_where_most_worlds_say_otherwise_than_the_mean_it_is_said() -> None:
    from dataclasses import asdict

    from difprog.forecast.summary import Summary
    from difprog.render import verdict, words

    def model(name: str, mean: float, positive: float, negative: float) -> dict[str, Any]:
        found = Summary(mean, 1.0, 0.1, 0.0, -1.0, 1.0, positive, negative)
        return {"model": name, "net_effect": asdict(found)}

    models = [model("a", 1.0, 0.2, 0.7), model("b", -1.0, 0.7, 0.2), model("c", 0.1, 0.5, 0.4)]
    assert words.plain(verdict.agreement({"models": models})) == (
        "It helps under 1 of 3 models, harms under 1 of 3 models, and cannot be told from zero under 1 (c). "
        "Under a it harms in more worlds than it helps. Under b it helps in more worlds than it harms."
    )


def test_what_may_be_nothing_is_not_quoted_without_its_error() -> None:
    from difprog.render import verdict

    assert verdict.worth(70.0, 90.0) == "+70 ± 90"
    assert verdict.worth(70.0, 9.0) == "+70"
    assert verdict.worth(0.0, 0.0) == "0"


BAD = {
    "unknown key": ('[project]\nname = "x"\neffrot = 1\n', ["project.effrot", "effort"]),
    "unknown belief": ('[project]\nname="x"\neffort=1\nduration=1\n[beliefs]\nagi_arival=3\n',
                       ["beliefs.agi_arival", "agi_arrival"]),
    "wrong unit": ('[project]\nname="x"\neffort=1\nduration=1\n[beliefs]\nagi_arrival="3 kg"\n',
                   ["beliefs.agi_arrival", "3 kg"]),
    "order": ('[project]\nname="x"\neffort=1\nduration=1\n[beliefs.agi_arrival]\np10=9\np90=2\n',
              ["beliefs.agi_arrival", "above"]),
    "support": ('[project]\nname="x"\neffort=1\nduration=1\n[beliefs.leak]\np10=0.5\np90=1.5\n',
                ["beliefs.leak.p90", "1.5"]),
    "nan": ('[project]\nname="x"\neffort=nan\nduration=1\n', ["project.effort", "finite"]),
    "infinity": ('[project]\nname="x"\neffort=1\nduration=inf\n', ["project.duration", "finite"]),
    "no table": ("x = 1\n", ["project"]),
    "not TOML": ("[project\n", ["TOML"]),
    "wrong fact": ('[project]\nname="x"\nkind="alignmnet"\neffort=1\nduration=1\n',
                   ["project.kind", "alignment"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named_and_nothing_is_printed(tmp_path: Path, case: str) -> None:
    content, wanted = BAD[case]
    file = tmp_path / "bad.toml"
    file.write_text(content)
    result = run("score", file)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "bad.toml" in result.stderr
    for words in wanted:
        assert words in result.stderr, result.stderr


def test_every_problem_of_all_files_is_reported_at_once(tmp_path: Path) -> None:
    priors, asked = tmp_path / "p.toml", tmp_path / "a.toml"
    priors.write_text("[beliefs]\nresearchers = -4\nleek = 0.2\n")
    asked.write_text('[project]\nname = "x"\neffort = "many"\nduration = 1\nfocus = "best"\n')
    first = run("score", asked, "--priors", priors, "--model", "nonesuch", "--model", "overhang")
    assert first.exit_code == 2
    assert len(first.stderr.splitlines()) >= 3
    for words in ("researchers", "leek", "nonesuch"):
        assert words in first.stderr
    second = run("score", asked)
    assert {"effort", "focus"} <= {w for line in second.stderr.splitlines() for w in
                                   line.replace(":", " ").replace(".", " ").split()}  # fmt: skip


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p.mkdir(), "folder"),
        (lambda p: None, "no such file"),
        (lambda p: p.write_bytes(b"\xff\xfe[\x00p\x00"), "UTF-8"),
        (lambda p: p.write_bytes(b"#" * (2 << 20)), "too large"),
        (lambda p: p.write_text("a = " + "[" * 50_000), "nested"),
        (lambda p: os.mkfifo(p), "regular"),
    ],
)
def test_things_that_are_no_proposal(tmp_path: Path, make: Any, words: str) -> None:
    file = tmp_path / "thing.toml"
    make(file)
    result = run("score", file)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_misspelt_proposal_or_model_gets_the_nearest_name() -> None:
    assert 'did you mean "rlhf"?' in run("score", "rlfh").stderr
    assert 'did you mean "overhang"?' in run("score", "rlhf", "--model", "overhnag").stderr


def test_text_from_files_is_neither_markup_nor_control_characters(tmp_path: Path) -> None:
    file = tmp_path / "hostile.toml"
    file.write_text(
        '[project]\nname = "[bold red]x[/] \\u001b[31mred \\u202e"\nsummary = "[link=file:///]y[/link]"\n'
        'effort = 1\nduration = 1\n[beliefs.leak]\nvalue = 0.5\nsource = "\\u0007bell [blink]"\n'
    )
    result = run("score", file, *PLAIN)
    assert result.exit_code == 0
    assert "[bold red]x[/]" in result.stdout
    assert not any(c in result.stdout for c in "\x1b\x07\u202e")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_terminals_without_the_characters_get_plain_ones(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    process = Warm("score", "rlhf", *PLAIN, env=environment)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert b"Traceback" not in err
    text = out.decode(encoding)
    assert any(ord(c) > 255 for c in text) == (encoding == "utf-8")


def test_no_color_is_respected() -> None:
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert "\x1b[3" not in warm.run("score", "rlhf", *PLAIN, env=environment).stdout


def commands(group: click.Group, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [before]
    for name in group.list_commands(click.Context(group)):
        inner = group.get_command(click.Context(group), name)
        found += commands(inner, (*before, name)) if isinstance(inner, click.Group) else [(*before, name)]
    return found


def test_every_help_page_is_plain_text_of_one_width() -> None:
    every = commands(main)
    assert len(every) > 25
    for words in every:
        page = run(*words, "--help")
        assert page.exit_code == 0
        assert page.stdout.startswith("Usage: ")
        assert "\\b" not in page.stdout, words
        assert all(c == "\n" or c.isprintable() for c in page.stdout), words
        assert max(map(len, page.stdout.splitlines())) <= 100, words


def test_an_effect_stated_in_the_proposal_replaces_what_is_derived() -> None:
    stated = score(project("rlhf", {"parallel_speedup": 3.5}), "serial_parallel", draws=500)
    assert stated.summaries["parallel_speedup"].mean == 3.5
    certain = score(project("rlhf", {"capability_speedup": 0.25}), "serial_parallel", draws=500)
    assert certain.summaries["capability_speedup"].mean == 0.25
    both = {"capability_speedup": 0.25, "hit_probability": 0.4}
    averaged = score(project("rlhf", both), "serial_parallel", draws=500)
    assert averaged.summaries["capability_speedup"].mean == pytest.approx(0.1, rel=1e-12)


def test_a_belief_without_a_source_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text("[beliefs]\nserial_chains = 2\n")
    assert "no source" in run("score", "rlhf", "--priors", file, "--full", *PLAIN).stdout
    assert "no source is given for" not in run("score", "rlhf", "--full", *PLAIN).stdout


def test_a_stated_belief_that_no_model_reads_is_said() -> None:
    asked = proposal({"knowhow_effect": {"value": 0.1, "source": "a guess"}})

    def said(*models: str) -> list[str]:
        found = forecast.score(asked, prepare(models, use_evidence=False), 50)
        return [warning for warning in found.warnings if "states what" in warning]

    assert said("serial_parallel") == ["the proposal states what this model does not read: knowhow_effect"]
    both = said("serial_parallel", "overhang")
    assert both == ["the proposal states what none of these models reads: knowhow_effect"]
    assert said("serial_parallel", "synthesis") == []
