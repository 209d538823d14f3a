"""Learn first, or decide now: what is asked is read, priced by a bar, and worth what knowing is worth."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pytest
from click.testing import CliRunner

from difprog.base.errors import BadInput
from difprog.choose import pilot
from difprog.choose.pilot import Stated
from difprog.cli import main
from difprog.forecast import forecast
from difprog.forecast.forecast import Forecast
from difprog.forecast.summary import MICRODOOM
from difprog.render import pilot as shown
from difprog.why.explain import NOTHING, explain
from tests.helpers import project, setup


@lru_cache
def scored(name: str = "rlhf", *models: str, draws: int = 4_000) -> Forecast:
    under = setup(*(models or ("serial_parallel", "narrow_superhuman")))
    return forecast.score(project(name), under, draws, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("agi_arrival ± 3 years for $50k", ("agi_arrival", "3 years", "$50k")),
        ("agi_arrival +- 20% for 1M", ("agi_arrival", "20%", "1M")),
        ("difficulty +/-0.3 for $1", ("difficulty", "0.3", "$1")),
    ],
)
def test_a_pilot_is_read_as_it_is_said(text: str, said: tuple[str, str, str]) -> None:
    assert pilot.stated(text) == said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("agi_arrival 3 years for $50k", "is not BELIEF"), ("agi_arrival ± 3 years", "is not BELIEF"),
        ("agi_arival ± 3 years for $50k", 'did you mean "agi_arrival"'),
        ("agi_arrival ± 3 bananas for $50k", "--pilot: agi_arrival"), ("agi_arrival ± 0 for $50k", "above 0"),
        ("relevance_residual ± 20% for $50k", "no error is a share of it"),
        ("agi_arrival ± 3 for €5", "US dollars"),
        ("agi_arrival ± 3 for -$5", "0 or more"), ("grace_end ± 3 for $5", "no model has"),
    ],
)  # fmt: skip
def test_what_is_no_pilot_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        pilot.pilot(scored(), pilot.stated(text), pilot.bar("1"))
    assert words in str(caught.value)


def test_what_is_certain_cannot_be_learnt() -> None:
    under = forecast.score(project("rlhf", {"agi_arrival": 12}), setup("serial_parallel"), 500, 1)
    with pytest.raises(BadInput, match="nothing is left to learn"):
        pilot.pilot(under, Stated("agi_arrival", "1", "$1"), pilot.bar("1"))


def test_a_bar_is_a_number_or_has_a_name() -> None:
    assert pilot.bar("3").per_million == 3
    assert pilot.bar("3").source == ""
    assert pilot.bar().per_million == 2
    assert "Stein-Perlman" in pilot.bar().source
    assert pilot.bar("linch-2022").per_million == pytest.approx(0.1**0.5)
    for wrong in ("linch", "-1", "lots"):
        with pytest.raises(BadInput, match="--bar"):
            pilot.bar(wrong)


@pytest.mark.parametrize("belief", ["agi_arrival", "relevance_residual"])
def test_an_exact_pilot_for_nothing_is_worth_knowing_the_belief(belief: str) -> None:
    """Where money has no price, that is the EVPPI among the publication policies and doing nothing."""
    found = pilot.pilot(scored(), Stated(belief, "1e-9", "$0"), pilot.bar("0"))
    known = explain(scored(), with_drivers=False, know=(belief,)).together
    assert known is not None
    assert found.found.perfect == pytest.approx(known.value, abs=1e-15)
    assert found.found.value == pytest.approx(known.value, abs=max(known.se, 1e-12))


def test_a_sharper_pilot_is_worth_more_and_never_more_than_knowing() -> None:
    """Of the effect on which rlhf turns, priced where funding it or not is close."""
    worth = []
    for error in ("1%", "50%", "400%"):
        found = pilot.pilot(scored(draws=20_000), Stated("capability_speedup", error, "$0"), pilot.bar("1"))
        worth.append(found.found.value)
        assert found.found.value <= found.found.perfect + 3 * found.found.se
        assert found.relative
    assert worth[0] >= worth[1] >= worth[2] - 2 * found.found.se


def test_where_models_differ_all_their_draws_are_one_sample() -> None:
    """The net effects of the long sample have the mixture's mean, and a result can tell of the model."""
    made = scored("rlhf", "serial_parallel", "alignment_tax", "narrow_superhuman")
    belief, options, way = pilot._joint(made, "capability_speedup")
    if belief.shape == (made.count,):
        pytest.fail("these models are to differ about the speedup")
    assert belief.shape == (3 * made.count,)
    own = made.project.facts["publication"]
    assert way.mean(options[own]) == pytest.approx(made.ensemble["net_effect"].mean, rel=1e-9)
    plain, _, _ = pilot._joint(made, "agi_arrival")
    assert plain.shape == (made.count,)


def test_money_spent_on_the_project_counts_too() -> None:
    """At a price at which the proposal does not pay, doing nothing is best as it stands."""
    cheap, dear = (
        pilot.pilot(scored("agent-foundations"), Stated("agi_arrival", "20%", "$50k"), pilot.bar(price))
        for price in ("0", "10000")
    )
    assert cheap.now[0] != NOTHING
    assert dear.now == (NOTHING, 0.0)
    assert cheap.cost == dear.cost
    assert dear.found.price == pytest.approx(50_000 / 1e6 * 10_000 * MICRODOOM)
    assert cheap.found.price == 0


def test_the_advice_is_said_first_and_is_in_the_json() -> None:
    words = ["explain", "rlhf", "--no-evidence", "--draws", "1000", "--no-drivers", "--model",
             "serial_parallel", "--pilot", "agi_arrival +- 20% for $5M"]  # fmt: skip
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    said = " ".join(done.stdout.split())
    assert said.index("Learn first, or decide now") < said.index("Through which channel")
    assert "Decide now: $5M to learn agi_arrival to ± 20%" in said
    assert "Stein-Perlman" in said
    (found,) = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)["pilots"]
    assert found["pays"] is False
    assert found["price"] == pytest.approx(10)
    assert found["evsi"] <= found["evppi"] + 3 * found["evsi_se"]
    assert CliRunner().invoke(main, ["explain", "rlhf", "--bar", "3"]).exit_code == 2


@pytest.mark.parametrize(("pays", "words"), [(True, "Pay $50k first"), (None, "The draws cannot tell")])
def test_the_other_advice_in_words(pays: bool | None, words: str) -> None:
    found = shown.as_data(pilot.pilot(scored(), Stated("agi_arrival", "1", "$50k"), pilot.bar("1")))
    said = "".join(word for word, _ in shown.verdict({**found, "pays": pays, "evsi": 3.0, "evsi_se": 0.5})[0])
    assert said.startswith(words)
    assert "3.0 ± 0.5" in said
    assert np.isfinite(found["evsi"])
