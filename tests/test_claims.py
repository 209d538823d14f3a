"""What the five essays claim holds, or is said not to; docs/claims.md says what the program says."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from difprog.base.files import shipped
from difprog.cli import main
from tests import claims
from tests.helpers import MODELS
from tests.pages import text_differences


def case(number: str, scenario: str) -> object:
    """Return a claim as a parameter; one that is known not to hold must not."""
    why = claims.WHY_NOT.get((number, scenario))
    marks = [] if why is None else [pytest.mark.xfail(reason=why, strict=True)]
    return pytest.param(number, scenario, marks=marks, id=f"{number}-{scenario or 'sourced'}")


@pytest.mark.parametrize(("number", "scenario"), [case(*c) for c in claims.cases()])
def test_what_an_essay_claims_holds(number: str, scenario: str) -> None:
    found = claims.finding(number, scenario)
    assert found.holds, found.says


def test_the_page_says_what_the_program_says() -> None:
    page = (shipped("priors").parent / "docs" / "claims.md").read_text()
    hint = "run: python -m tests.claims > docs/claims.md"
    assert not list(text_differences(page, claims.page())), hint


def test_every_claim_is_there_once() -> None:
    numbers = [claim.number for essay in claims.ESSAYS for claim in essay.claims]
    counts = {"S": 8, "K": 6, "N": 5, "C": 8, "G": 5}
    wanted = [f"{letter}{k}" for letter, n in counts.items() for k in range(1, n + 1)]
    assert sorted(n for n in numbers if n != "C6b") == sorted(wanted)
    assert set(claims.WHY_NOT) <= set(claims.cases())


def test_every_essay_has_a_model_and_numbers_of_its_own() -> None:
    found = {essay.model for essay in claims.ESSAYS}
    assert found == set(MODELS) - {"synthesis"}
    for essay in claims.ESSAYS:
        assert (shipped("priors") / "scenarios" / f"{essay.scenario}.toml").is_file()


def test_the_essays_disagree_and_the_program_says_so() -> None:
    args = ["score", "capability-work-now", "--no-evidence", "--draws", "6000", "--json"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert len(found["models"]) == 6
    assert found["ensemble"]["sign_disagreement"] is True
