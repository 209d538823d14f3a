"""The commands on belief files, as a person meets them."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from difprog.base import files
from difprog.base.errors import BadInput
from difprog.beliefs.distributions import Point
from difprog.beliefs.standing import standing_stacks, user_file
from difprog.cli import main
from difprog.library import amend
from difprog.library.shelf import Shelf
from tests import warm


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in an empty folder; everything that ships has to be as before."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    before = fingerprints()

    def runner(*words, status=0, **kwargs):
        result = CliRunner().invoke(main, ["priors", *map(str, words)], **kwargs)
        assert result.exit_code == status, (result.output, result.exception)
        assert "Traceback" not in result.output
        return result

    yield runner
    assert fingerprints() == before


def drafts(home):
    """The drafts that are kept, wherever in the program's own folder they lie."""
    return sorted((home / "drafts").rglob("*.toml"))


def fingerprints():
    root = files.shipped("priors")
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*.toml")}


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Make an $EDITOR out of a shell script."""

    def make(script):
        path = tmp_path / "editor.sh"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", str(path))

    return make


WORLD = "world.toml"


def test_set_on_a_shipped_name_makes_the_users_layer_and_says_so(run, home):
    out = run("set", "world", "agi_arrival", "p10=2", "p90=40", "--source", "me, https://example.org").output
    path = home / "priors" / WORLD
    assert f"Made {path}, your layer over priors/world.toml as it ships" in out.replace("\n", "")
    assert "1 in 20 that AGI comes after 2088" in out.replace(" \n", " ").replace("\n", " ")
    text = path.read_text()
    assert "over priors/world.toml" in text.splitlines()[0]
    assert tomllib.loads(text) == {
        "beliefs": {"agi_arrival": {"p10": 2, "p90": 40, "source": "me, https://example.org"}}
    }
    out = run("set", "world", "lead_time.niche", "p5=18", "p95=40", "--source", "me").output
    assert f"Changed {path}" in out
    lead = tomllib.loads(path.read_text())["beliefs"]["lead_time"]["niche"]
    assert lead == {"p5": 18, "p95": 40, "distribution": "lognormal", "unit": "years", "source": "me"}
    assert path.read_text().startswith(text)
    assert "kept as it was: distribution" in out


def test_what_is_set_holds_for_forecasts(run):
    run("set", "world", "researchers", "value=777", "--source", "me")
    shelf = Shelf(["serial_parallel"])
    stacks = standing_stacks(shelf.models, shelf.vocabulary)
    assert stacks["serial_parallel"].lookup("researchers", {}).shape == Point(777)


def test_set_with_a_path_changes_that_file(run):
    path = Path("mine.toml")
    path.write_text("# top\n[beliefs.skill] # c\nvalue = 1 # d\n# end\n")
    run("set", "./mine.toml", "skill", "value=3", "--source", "x [red]")
    assert path.read_text() == '# top\n[beliefs.skill] # c\nvalue = 3 # d\nsource = "x [red]"\n# end\n'
    found = json.loads(run("set", "mine.toml", "skill", "0.5 to 2", "--json").output)
    assert found["after"]["p5"] == pytest.approx(0.5)
    assert found["before"]["p50"] == 3
    assert any("source" in r for r in found["remarks"])
    assert "source" not in path.read_text()


def test_a_bare_name_is_looked_up_beside_the_working_folder_first(run, home):
    Path(WORLD).write_text("[beliefs]\nskill = 2\n")
    run("set", "world", "skill", "value=5")
    assert "skill = 5" in Path(WORLD).read_text()
    assert not (home / "priors" / WORLD).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("world", "agi_arrival", "p10=50", "p90=40"), "p90 must be above p10 (got 40 and 50)"),
        (("world", "agi_arival", "p10=1"), 'did you mean "agi_arrival"?'),
        (("wrld", "agi_arrival", "p10=1"), 'did you mean "world"?'),
        (("world", "agi_arrival", "p10"), "is not of the form KEY=VALUE"),
        (("world", "agi_arrival", "q10=1"), "unknown key"),
        (("world", "agi_arrival"), "nothing to set"),
        (("world", "agi_arrival", "value=-1"), "must be > 0"),
        (("world", "agi_arrival", "value=3", "unit=metres"), 'unknown unit "metres"'),
        (("world", "agi_arrival", "value=3", "unit=USD"), '"USD" cannot be converted to years'),
        (("world", "advance", "value=0.1"), "is no longer a belief; state serial_researchers"),
        (("world", "skill", "value=1", "judgement=perhaps"), "must be true or false"),
        (("world", "agi_arrival", "value=nan"), "not a finite number"),
        (("world", "leak.opne", "value=0.5"), 'did you mean "open"?'),
        (("world", "effort", "value=0.5"), "is a fact of a proposal"),
        (("world", "skill", "value=" + "9" * 5000), "not a number"),
        (("world", "skill", "value=1e999"), "not a finite number"),
        (("world", "skill", "value=" + "[" * 3000), "not a number"),
        (("world", "skill", "value=1", "source=\udcff"), "not UTF-8"),
        (("world", "skill", "value=1", "source=" + "x" * 5000), "is longer than 4000 characters"),
        (("./no.toml", "skill", "value=0.5"), "no such file"),
    ],
)
def test_a_set_that_is_wrong_writes_nothing_and_exits_with_2(run, home, words, said):
    assert said in run("set", *words, status=2).output
    assert not (home / "priors").exists()


def test_an_invalid_set_leaves_the_file_as_it_was(run):
    path = Path("mine.toml")
    path.write_text("[beliefs]\nskill = 1 # c\n")
    run("set", "mine.toml", "skill", "p5=3", "p95=1", status=2)
    assert path.read_text() == "[beliefs]\nskill = 1 # c\n"


def test_set_on_proposals_and_credences(run, home):
    out = run("set", "rlhf", "effort", "6 to 15", "--source", "me").output
    path = home / "projects" / "rlhf.toml"
    assert "your copy of priors/projects/rlhf.toml" in out.replace("\n", " ").replace("  ", " ")
    assert tomllib.loads(path.read_text())["project"]["effort"] == {"p5": 6, "p95": 15, "source": "me"}
    assert "sha256" in path.read_text().splitlines()[0]
    run("set", "credences", "synthesis", "value=3")
    path = home / "priors" / "credences.toml"
    weights = tomllib.loads(path.read_text())["credences"]
    assert weights["synthesis"] == 3
    assert len(weights) == 6
    run("set", "credences", "synthesis", "value=-3", status=2)
    assert tomllib.loads(path.read_text())["credences"] == weights


def test_copy_states_what_it_was_copied_from(run, home):
    source = files.shipped("priors", WORLD)
    run("copy", "world")
    text = (home / "priors" / WORLD).read_text()
    assert hashlib.sha256(source.read_bytes()).hexdigest() in text.splitlines()[0]
    assert text.splitlines()[1:] == source.read_text().splitlines()[1:]
    assert "is there already" in run("copy", "world", status=2).output
    run("copy", "world", "-o", "other.toml")
    run("copy", "overhang", "-o", ".")
    assert Path("overhang.toml").is_file()
    run("copy", "rlhf")
    assert Path("rlhf.toml").is_file()
    assert "sound" in run("check", "other.toml").output


def test_list_show_and_plot_read_at_any_width(run, monkeypatch):
    for width in ("80", "140"):
        monkeypatch.setenv("COLUMNS", width)
        for words in (
            ["list"],
            ["show", "agi_arrival"],
            ["show", "leak"],
            ["plot", "leak"],
            ["check"],
            ["plot", "world", "serial_chains"],
            ["list", "overhang"],
            ["show", "overhang"],
        ):
            out = run(*words).output
            assert out.strip()
            assert all(len(line.rstrip()) <= int(width) for line in out.splitlines()), (words, width)
            assert "\x1b" not in out


def test_show_says_the_tails_the_source_and_the_note(run):
    out = " ".join(run("show", "world", "agi_arrival").output.split())
    for words in ("1 in 20 that AGI comes after", "Its mean is", "timelines.csv", "deliberately wide",
                  "conditions it on the evidence (timelines)", "misses what was stated by"):  # fmt: skip
        assert words in out
    found = json.loads(run("show", "leak.open", "--json").output)["beliefs"]
    assert [b["case"] for b in found] == ["open"]
    assert found[0]["percentiles"]["p5"] == pytest.approx(0.6)
    assert "did you mean" in run("show", "agi_arival", status=2).output
    assert "is not stated here" in run("show", "serial_parallel", "overhang", status=2).output
    assert "units differ" in run("plot", "agi_arrival", "leak", status=2).output


def test_list_names_everything_in_force_and_whose_it_is(run):
    run("set", "world", "skill", "value=2", "--source", "me")
    found = json.loads(run("list", "--json").output)["beliefs"]
    by_name = {(b["name"], b["case"]): b for b in found}
    assert by_name["skill", None]["layer"] == "yours: priors/world.toml"
    assert by_name["agi_arrival", None]["layer"] == "priors/world.toml"
    assert len(found) > 50
    assert "skill *" in run("list").output
    assert run("list", "--markdown").output.startswith("# Vocabulary")


def test_diff_compares_a_layer_with_what_ships_and_two_files(run):
    assert "you have no layer" in run("diff", "world", status=2).output
    run("set", "world", "agi_arrival", "p10=2", "p90=40", "--source", "me")
    out = run("diff", "world").output
    assert "agi_arrival" in out
    assert "researchers" not in out
    assert "as it ships" in out
    found = json.loads(run("diff", "world", "--json").output)
    ((mine, theirs),) = found["beliefs"]
    assert mine["percentiles"]["p90"] == pytest.approx(40)
    assert theirs["percentiles"]["p90"] == pytest.approx(50)
    Path("a.toml").write_text("[beliefs]\nskill = 1\nleak = 0.5\n")
    Path("b.toml").write_text("[beliefs]\nskill = 1\nleak = '0.1 to 0.5'\noverhang = 0.5\n")
    pairs = json.loads(run("diff", "a.toml", "b.toml", "--json").output)["beliefs"]
    assert [(a or b)["name"] for a, b in pairs] == ["leak", "overhang"]
    assert "state the same" in run("diff", "a.toml", "a.toml").output


def test_check_exits_with_2_on_errors_and_0_with_warnings(run):
    Path("warn.toml").write_text("[beliefs]\nskill = 2\n")
    Path("bad.toml").write_text("[beliefs]\nskil = 2\nleak = 9\n")
    Path("project.toml").write_text("[project]\nname = 'x'\n")
    out = run("check", "warn.toml").output
    assert "1 warning" in out
    assert "skill: has no source" in out
    run("check", "warn.toml", "--strict", status=2)
    out = run("check", "bad.toml", "warn.toml", "project.toml", "nowhere", status=2).output
    for words in ("skil", "leak must be in [0, 1] (got 9)", "has no source", "effort: is missing", "nowhere"):
        assert words in out
    found = json.loads(run("check", "warn.toml", "--json").output)["files"]
    assert found[0]["warnings"][0]["key"] == "skill"


def test_path_says_where_files_are_looked_up(run, home):
    out = run("path").output
    assert str(home / "priors") in out
    assert str(files.shipped("priors")) in out
    assert run("path", "world").output.strip() == str(files.shipped("priors", WORLD))


def test_a_belief_that_was_set_can_be_taken_out_again(run, home):
    run("set", "world", "agi_arrival", "p10=2", "p90=40", "--source", "me")
    run("set", "world", "leak.open", "0.4 to 0.9", "judgement=true")
    text = (home / "priors" / WORLD).read_text()
    out = run("unset", "world", "leak.open").output
    assert "Taken out of" in out
    assert "now" in out
    assert (home / "priors" / WORLD).read_text().strip() == text[: text.index("[beliefs.leak.open]")].strip()
    found = json.loads(run("unset", "world", "agi_arrival", "--json").output)
    assert found["before"]["p90"] == pytest.approx(40)
    assert found["after"]["p90"] > 41
    assert tomllib.loads((home / "priors" / WORLD).read_text()) == {}
    assert "is not stated here" in run("unset", "world", "agi_arrival", status=2).output
    assert "you have set nothing" in run("unset", "overhang", "overhang", status=2).output


@pytest.mark.parametrize(
    ("text", "belief", "left"),
    [
        ("# a\n[beliefs]\nskill = 1 # c\nleak = 0.5 # d\n", "skill", "# a\n[beliefs]\nleak = 0.5 # d\n"),
        ("beliefs.skill = 1\nbeliefs.leak.open = 0.1\n", "leak.open", "beliefs.skill = 1\n"),
        ("[beliefs.leak]\nopen = 0.1\nclosed = 0.2\n", "leak.open", "[beliefs.leak]\nclosed = 0.2\n"),
        ("[beliefs]\nleak = { open = 0.1, closed = 0.2 } # c\n", "leak.open",
         "[beliefs]\nleak = { closed = 0.2 } # c\n"),
        ("[beliefs.leak.open]\nvalue = 0.1\n[beliefs.skill]\nvalue = 1\n", "leak",
         "[beliefs.skill]\nvalue = 1\n"),
        ("[beliefs.skill]\nweights = [1]\n[[beliefs.skill.parts]]\np5 = 1\np95 = 2\n", "skill", ""),
    ],
)  # fmt: skip
def test_unset_takes_one_belief_out_and_leaves_the_rest_as_it_was(run, text, belief, left):
    Path("m.toml").write_text(text)
    run("unset", "m.toml", belief)
    assert Path("m.toml").read_text() == left


def test_a_model_s_name_shows_all_that_stands_under_it(run):
    found = json.loads(run("show", "synthesis", "overhang", "--json").output)["beliefs"]
    assert [b["layer"] for b in found] == ["priors/overhang.toml"]
    names = {b["name"] for b in json.loads(run("list", "overhang", "--json").output)["beliefs"]}
    assert {"overhang", "agi_arrival", "leak"} <= names
    assert "adoption" not in names
    found = json.loads(run("list", "--model", "overhang", "--json").output)["beliefs"]
    assert {b["name"] for b in found} == names


MODEL = """
\"\"\"A model of one's own.\"\"\"
from difprog.race.parameters import SHARE, world
TITLE = "mine"
CITES = "me"
ASSUMES = ("nothing",)
PARAMETERS = (world("luck", "", "", SHARE, "how lucky we are", "me", neutral=1),)
"""


def test_a_model_file_s_own_beliefs_are_set_checked_shown_and_plotted_like_the_others(run):
    Path("mine.py").write_text(MODEL)
    Path("mine.toml").write_text("[beliefs]\nluck = { p5 = 0.1, p95 = 0.6, source = 'me' }\n")
    assert "unknown belief" in run("check", "mine.toml", status=2).output
    model = ("--model", "mine.py")
    assert "sound" in run("check", "mine.toml", *model).output
    assert "how lucky we are" in run("show", "luck", *model).output
    assert "luck" in run("list", *model).output
    run("plot", "luck", *model)
    run("set", "mine.toml", "luck", "0.2 to 0.4", "judgement=true", *model)
    assert "0.2" in run("show", "luck", *model).output
    stated = ("--percentiles", "p5=0.3 p95=0.9", "--yes", "--file", "mine.toml")
    assert "luck" in run("elicit", "luck", *model, *stated).output
    assert "the same" in run("diff", "mine.toml", "mine.toml", *model).output
    run("copy", "mine.toml", "-o", "other.toml", *model)
    run("unset", "mine.toml", "luck", *model)
    assert tomllib.loads(Path("mine.toml").read_text()) == {"beliefs": {}}


def test_judgements_and_evidence_are_marked_and_meanings_have_room(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = run("list").output
    assert "‡ somebody's judgement" in out
    assert "† a prior, conditioned on evidence" in out
    assert "years from as_of until" in out
    found = json.loads(run("list", "--json").output)["beliefs"]
    assert any(b["judgement"] for b in found)
    assert all(b["meaning"] for b in found)


def test_prior_and_used_belief_stand_side_by_side(run, monkeypatch):
    from difprog.library import used

    monkeypatch.setattr(
        used, "used_percentiles", lambda name, stack, levels: dict.fromkeys(levels, 7.0)
    )
    assert "used: 7 – 7" in run("list", "world").output
    assert "and then uses" in " ".join(run("show", "agi_arrival").output.split())
    found = json.loads(run("show", "agi_arrival", "--json").output)["beliefs"][0]
    assert found["used"]["p50"] == 7
    assert found["percentiles"]["p50"] != 7
    for words in (("set", "world", "agi_arrival", "3 to 45", "--source", "us"), ("diff", "world"),
                  ("unset", "world", "agi_arrival")):  # fmt: skip
        assert re.search(r"^  used +7( +7)+$", run(*words).output, re.MULTILINE)


def test_what_has_no_mean_says_so_and_json_holds_no_infinity(run):
    Path("m.toml").write_text("[beliefs.skill]\np10 = 1e-25\np90 = 1e25\nsource = 'x'\n")
    for command in (["list"], ["show"], ["diff", "m.toml"]):
        out = run(command[0], *command[1:], "m.toml", "--json").output
        assert json.loads(out, parse_constant=lambda text: pytest.fail(text))
    found = json.loads(run("show", "m.toml", "skill", "--json").output)["beliefs"][0]
    assert found["mean"] is None
    assert "it has no mean" in " ".join(run("show", "m.toml", "skill").output.split())


def test_a_default_lognormal_over_two_orders_of_magnitude_is_said(run):
    Path("m.toml").write_text("[beliefs]\nresearcher_growth = { p5 = 0.002, p95 = 0.2, source = 'x' }\n")
    out = " ".join(run("check", "m.toml").output.split())
    assert "researcher_growth: spans a factor of 100 and names no distribution: taken as lognormal" in out


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("show", "AGI_arival"), "agi_arrival"),
        (("show", "RLHF"), "rlhf"),
        (("show", "Wrld", "leak"), "world"),
        (("check", "Shrt"), "short"),
        (("show", "leak", "--model", "Synthesi"), "synthesis"),
    ],
)
def test_what_was_probably_meant_is_said_in_any_case(run, words, near):
    assert f'did you mean "{near}"?' in run(*words, status=2).output


def test_names_are_completed():
    from difprog.cli import complete

    def typed(completer, text):
        return [item.value for item in completer(None, None, text) if item.type == "plain"]

    assert "agi_arrival" in typed(complete.beliefs, "AGI")
    assert "leak.open" in typed(complete.beliefs, "leak.o")
    assert "rlhf" in typed(complete.files_of("project"), "rl")
    assert "short" in typed(complete.files_of("scenario"), "s")
    assert "synthesis" in typed(complete.models, "syn")
    assert "evppi" in typed(complete.terms, "EV")
    assert {"evpi", "evppi"} <= set(typed(complete.projects_and_terms, "ev"))
    assert "rlhf" in typed(complete.projects_and_terms, "")


# Drafts


def test_edit_replaces_the_file_by_what_validates(run, home, editor):
    Path("m.toml").write_text("# c\n[beliefs]\nskill = 1\n")
    editor('sed -i "s/skill = 1/skill = 2/" "$1"')
    assert "Changed" in run("edit", "./m.toml").output
    assert Path("m.toml").read_text() == "# c\n[beliefs]\nskill = 2\n"
    assert [p.name for p in Path().iterdir()] == ["m.toml"]
    assert "Nothing changed" in run("edit", "m.toml").output


def test_edit_on_a_shipped_name_offers_its_beliefs_as_comments(run, home, editor):
    mend = "s/^# .beliefs.skill.$/[beliefs.skill]/; s/^# value = 1$/value = 2/"
    editor(f'sed -i "/^# .beliefs.skill/,/^# value/{{ {mend} }}" "$1"')
    run("edit", "world")
    text = (home / "priors" / WORLD).read_text()
    assert tomllib.loads(text)["beliefs"]["skill"] == {"value": 2}
    assert "# [beliefs.agi_arrival]" in text


def test_leaving_the_editor_without_a_change_makes_no_file(run, home, editor):
    editor("true")
    assert "Nothing changed" in run("edit", "world").output
    assert not (home / "priors").exists()
    assert drafts(home) == []


def test_an_invalid_edit_keeps_the_file_and_the_draft_and_can_be_opened_again(run, home, editor):
    Path("m.toml").write_text("[beliefs]\nskill = 1\n")
    editor('echo "skil = 3" >> "$1"')
    out = run("edit", "m.toml", status=2, input="n\n").output
    assert 'did you mean "skill"?' in out
    assert "Your draft is kept: " in out
    assert Path("m.toml").read_text() == "[beliefs]\nskill = 1\n"
    assert drafts(home)[0].read_text() == "[beliefs]\nskill = 1\nskil = 3\n"
    editor('sed -i "/skil =/d; s/skill = 1/skill = 4/" "$1"')
    out = run("edit", "m.toml").output
    assert "Taking up the draft that was left" in out
    assert Path("m.toml").read_text() == "[beliefs]\nskill = 4\n"
    assert drafts(home) == []


def test_opening_it_again_until_it_is_right(run, editor, tmp_path):
    Path("m.toml").write_text("[beliefs]\nskill = 1\n")
    mark = tmp_path / "second"
    editor(f'if [ -e {mark} ]; then sed -i "s/-5/5/" "$1"; else touch {mark}; sed -i "s/= 1/= -5/" "$1"; fi')
    out = run("edit", "m.toml", input="y\n").output
    assert "must be > 0" in out
    assert Path("m.toml").read_text() == "[beliefs]\nskill = 5\n"


def test_leaving_at_the_question_or_a_failing_editor_keeps_the_draft(run, home, editor):
    Path("m.toml").write_text("[beliefs]\nskill = 1\n")
    editor('echo "x" >> "$1"')
    assert "Your draft is kept" in run("edit", "m.toml", status=2, input="").output
    assert len(drafts(home)) == 1
    editor("exit 3")
    assert "your draft is kept: " in run("edit", "m.toml", status=2).output
    assert Path("m.toml").read_text() == "[beliefs]\nskill = 1\n"


def test_an_edit_does_not_undo_what_was_changed_meanwhile(run, home, editor):
    Path("m.toml").write_text("[beliefs]\nskill = 1\n")
    editor('sed -i "s/= 1/= 2/" "$1"; echo "leak = 0.5" >> m.toml')
    out = run("edit", "m.toml", status=2, input="n\n").output
    assert "was changed while you were editing" in out
    assert Path("m.toml").read_text() == "[beliefs]\nskill = 1\nleak = 0.5\n"
    assert drafts(home)[0].read_text() == "[beliefs]\nskill = 2\n"


def test_a_broken_file_of_the_users_own_can_be_mended(run, home, editor):
    path = home / "priors" / WORLD
    path.parent.mkdir(parents=True)
    path.write_text("[beliefs\n")
    run("list", status=2)
    editor('echo "[beliefs]" > "$1"; echo "skill = 2" >> "$1"')
    run("edit", "world")
    assert "skill *" in run("list").output


# Elicitation


def test_elicit_asks_draws_back_and_offers_to_write(run, home):
    out = run("elicit", "agi_arrival", input="40\n2\n\n2\n40\n\ny\nme\n").output
    assert "p95 must be above p5" in out
    assert "1 in 20 that AGI comes after 2066" in " ".join(out.split())
    assert "▲" in out
    stated = tomllib.loads((home / "priors" / WORLD).read_text())["beliefs"]["agi_arrival"]
    assert stated == {"p5": 2.0, "p95": 40.0, "source": "me"}


def test_elicit_shows_the_misfit_and_families_that_come_nearer(run, home):
    out = " ".join(run("elicit", "agi_arrival", input="2\n40\n30\nuniform\ngamma\nn\n").output.split())
    assert "The lognormal misses what was stated by" in out
    assert "Families that come nearer:" in out
    assert "Not written. Later: difprog priors set world agi_arrival" in out
    assert "distribution=gamma" in out
    assert not (home / "priors").exists()


def test_elicit_by_chips(run, home):
    chips = "0 to 5: 4, 5 to 15: 9, 15 to 40: 5, 40 to 100: 2"
    run("elicit", "agi_arrival", "--chips", chips, "--yes", "--source", "a workshop")
    stated = tomllib.loads((home / "priors" / WORLD).read_text())["beliefs"]["agi_arrival"]
    assert stated == {"p20": 5, "p65": 15, "p90": 40, "source": "a workshop"}
    out = run("elicit", "agi_arrival", "--chips", input=f"nonsense\n{chips}\nn\n").output
    assert "cannot be read" in out
    assert "bins must lie" in run("elicit", "skill", "--chips", "0 to 1: 2, 5 to 6: 1", status=2).output
    run("elicit", "skill", "--percentiles", "p5=0.5 p95=2", "--yes", "--file", "world", "--source", "x")
    assert "0.5" in (home / "priors" / WORLD).read_text()


# The library beneath


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["p5=1", "p95=1e11"], {"p5": 1, "p95": 1e11}),
        (["2 to 45 years"], {"p5": "2 years", "p95": "45 years"}),
        (["value=18 months"], {"value": "18 months"}),
        (["bounds=0.5,200"], {"bounds": [0.5, 200]}),
        (["bounds=[1, 2]"], {"bounds": [1, 2]}),
        (["source=a = b"], {"source": "a = b"}),
        (["note=true"], {"note": "true"}),
        (["value=1,100"], {"value": "1,100"}),
        (["0.5"], {"value": 0.5}),
        (["18 months"], {"value": "18 months"}),
        (["bounds="], {"bounds": ""}),
        (["weights=1,2"], {"weights": [1, 2]}),
        (["value=true"], {"value": "true"}),
    ],
)
def test_keys_on_the_command_line(words, found):
    assert amend.parse_keys(words) == found


def test_the_layers_under_a_model_stand_in_one_order(home):
    for name in ("world", "overhang", "synthesis"):
        path = user_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[beliefs]\nskill = 3\n")
    shelf = Shelf(["synthesis"])
    stack = standing_stacks(shelf.models, shelf.vocabulary, scenarios=["short"])["synthesis"]
    paths = [layer.source.path for layer in stack.layers]
    shipped = [files.shipped("priors", f"{name}.toml") for name in ("world", "overhang", "synthesis")]
    assert [p for p in paths if p.stem in ("world", "overhang", "synthesis")] == [
        shipped[0], user_file("world"), shipped[1], user_file("overhang"), shipped[2], user_file("synthesis"),
    ]  # fmt: skip
    assert paths[-1] == files.shipped("priors", "scenarios", "short.toml")
    with pytest.raises(BadInput) as caught:
        standing_stacks(shelf.models, shelf.vocabulary, priors=["nowhere"], scenarios=["Shrt"])
    assert len(caught.value.problems) == 2


def test_standing_layers_know_what_they_lie_over(home):
    user = user_file("world")
    user.parent.mkdir(parents=True)
    user.write_text("[beliefs]\nskill = 3\n")
    names = [x.source.path for x in Shelf().beneath(Path("elsewhere.toml")).layers]
    assert names == [files.shipped("priors", WORLD), user]
    assert [x.source.path for x in Shelf().beneath(user).layers] == [files.shipped("priors", WORLD)]
    assert Shelf().beneath(files.shipped("priors", WORLD)).layers == ()
    overhang = [x.source.label for x in Shelf().beneath(user_file("overhang")).layers]
    assert overhang == ["priors/world.toml", "world.toml", "priors/overhang.toml"]


def test_interrupting_a_set_between_writing_and_replacing_loses_nothing(tmp_path, home):
    """A process that is killed while it writes leaves the old file, and no lock that stops the next."""
    path = tmp_path / "m.toml"
    path.write_text("[beliefs]\nskill = 1\n")
    script = (
        "import os, signal\n"
        "from difprog.library import amend\n"
        "os.fsync = lambda fd: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"amend.set_belief({str(path)!r}, 'skill', {{'value': 2}})\n"
    )
    assert warm.run(code=script).returncode == -9
    assert path.read_text() == "[beliefs]\nskill = 1\n"
    amend.set_belief(str(path), "skill", {"value": 3})
    assert path.read_text() == "[beliefs]\nskill = 3\n"


def test_a_set_on_an_unreadable_layout_says_so(tmp_path):
    path = tmp_path / "m.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="not UTF-8"):
        amend.set_belief(str(path), "skill", {"value": 3})
