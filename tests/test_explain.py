"""The `explain` command: JSON, the terminal's drawing of it, words, and the choice of policy."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from difprog.cli import main
from difprog.forecast import forecast
from difprog.forecast.setup import prepare
from difprog.forecast.summary import MICRODOOM
from difprog.forecast.weighing import clustered_error
from difprog.render import axis, explained, reasons, words
from difprog.render import explain as terminal
from difprog.render.format import microdooms
from difprog.why import exchange, explain
from difprog.why.channels import CHANNELS
from difprog.why.explain import POLICIES, WHICH_MODEL
from difprog.why.information import partial_information
from tests.helpers import project, score, score_all

DRAWS = 600


@lru_cache
def found(name: str = "rlhf", model: str | None = None) -> explain.Explanation:
    return explain.explain(score_all(name, model, draws=DRAWS))


def printed(what: explain.Explanation, width: int, everything: bool = False) -> str:
    out = io.StringIO()
    screen = Console(width=width, markup=False, highlight=False, file=out)
    terminal.explain(explained.report(what), screen, everything)
    return out.getvalue()


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["explain", *arguments, "--no-evidence"])


def test_json_adds_to_that_of_score() -> None:
    done = run("rlhf", "--json", "--draws", "300")
    assert done.exit_code == 0
    data = json.loads(done.stdout)
    score_ = ["score", "rlhf", "--json", "--draws", "300", "--no-evidence"]
    scored = json.loads(CliRunner().invoke(main, score_).stdout)
    assert data["schema"] == "difprog.explain/1"
    for entry, plain in zip(data["models"], scored["models"], strict=True):
        assert {k: entry[k] for k in plain} == plain
        assert set(entry["channels"]) >= set(CHANNELS)
        total = sum(entry["channels"].values())
        assert total == pytest.approx(entry["net_effect"]["mean"], rel=1e-12)
        assert {"capability_multiplier", "alignment_multiplier", "sign"} <= set(entry["break_even"])
        assert {"parallel_person_years_per_month", "serial_months_per_month"} <= set(entry["exchange"])
        fields = {"distance", "low", "high", "evppi"}
        assert {"belief"} | fields | {f"{f}_se" for f in fields} == set(entry["drivers"][0])
        assert entry["evpi"] >= max(d["evppi"] - 3 * d["evppi_se"] for d in entry["drivers"])
        assert len(entry["drivers"]) == len({d["belief"] for d in entry["drivers"]})
    ensemble = data["ensemble"]
    assert ensemble["evpi"] >= max(d["evppi"] - 3 * d["evppi_se"] for d in ensemble["drivers"])
    assert sum(ensemble["channels"].values()) == pytest.approx(ensemble["net_effect"]["mean"], rel=1e-9)
    assert "NaN" not in done.stdout
    assert "Infinity" not in done.stdout


def test_drivers_are_in_microdooms() -> None:
    what = found("rlhf", "serial_parallel")
    entry = explained.explain(what)["models"][0]
    drivers = what.models[0].drivers
    assert drivers is not None
    for shown, driver in zip(entry["drivers"], drivers, strict=True):
        assert shown["evppi"] == pytest.approx(driver.evppi / MICRODOOM)


def test_every_belief_that_varies_is_a_driver() -> None:
    for model in found().models:
        values = {name: model.answer.value(name) for name in model.answer.beliefs}
        varying = {n for n, v in values.items() if np.ndim(v) and np.ptp(v) > 0}
        assert model.drivers is not None
        assert {d.belief for d in model.drivers} == varying


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("everything", [False, True])
def test_nothing_is_wider_than_the_terminal(width: int, everything: bool) -> None:
    lines = printed(found(), width, everything).splitlines()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)


def test_the_terminal_says_the_numbers_of_the_json() -> None:
    what = found()
    text = printed(what, 100)
    data = explained.explain(what)
    for entry in [*data["models"], data["ensemble"]]:
        for name, value in entry["channels"].items():
            if value:
                assert microdooms(value, entry["channels_mcse"][name]) in text
    folded = " ".join(text.split())
    for entry in data["models"][:1]:
        for sentence in (reasons.break_even(entry), reasons.exchange(entry)):
            assert all(word in folded for word in sentence.split())


def test_sentences_come_first_and_say_the_sign() -> None:
    text = printed(found("agent-foundations", "serial_parallel"), 80)
    assert text.index("Doing this project helps") < text.index("Through which channel")


def test_no_colour_and_no_drivers() -> None:
    done = CliRunner(env={"NO_COLOR": "1"}, charset="utf-8").invoke(
        main,
        ["explain", "rlhf", "--model", "overhang", "--draws", "200", "--no-drivers", "--no-evidence"],
    )
    assert done.exit_code == 0
    assert "\x1b" not in done.output
    assert "Which beliefs" not in done.output


@pytest.mark.parametrize(
    ("value", "low", "high", "picture"),
    [
        (5.0, -10.0, 10.0, "          ┃█████     "),
        (-5.0, -10.0, 10.0, "     █████┃          "),
        (0.0, -10.0, 10.0, "          ┃          "),
        (0.01, -10.0, 10.0, "          ┃▏         "),
        (-0.01, -10.0, 10.0, "         ▕┃          "),
        (10.0, 0.0, 10.0, "┃████████████████████"),
        (-10.0, -10.0, 0.0, "████████████████████┃"),
        (0.0, 0.0, 0.0, "┃                    "),
    ],
)
def test_bars_stand_on_the_side_of_their_sign(value: float, low: float, high: float, picture: str) -> None:
    assert axis.bar(value, low, high, 21) == picture


def test_swings_run_from_low_to_high() -> None:
    assert axis.swing(-5, 5, -10, 10, 21) == "     L────┃────H     "
    assert axis.swing(5, -5, -10, 10, 21) == "     H────┃────L     "
    assert axis.swing(0, 0, 0, 0, 5) == "=    "


def exchange_entry(parallel: float | None, serial: float | None) -> dict[str, Any]:
    return {"exchange": {
        "parallel_person_years_per_month": parallel, "parallel_mcse": 0.01 if parallel else None,
        "serial_months_per_month": serial, "serial_mcse": 0.01 if serial else None,
    }}  # fmt: skip


def test_the_trade_in_words() -> None:
    assert reasons.exchange(exchange_entry(63.0, 1.41)) == (
        "One month of capability speedup costs as much as 63 person-years of parallel work, or 1.4 months of "
        "serial progress."
    )
    assert "gains as much as 80 person-years" in reasons.exchange(exchange_entry(-80.0, -0.5))
    assert reasons.exchange(exchange_entry(4.0, None)).endswith("4.0 person-years of parallel work.")
    assert "no one price" in reasons.exchange(exchange_entry(4.0, -1.0))
    assert "nothing has a price" in reasons.exchange(exchange_entry(None, None))


@pytest.mark.parametrize(
    ("capability", "alignment", "sign", "said"),
    [
        (0.8, 1.2, -1, "Breaks even at 0.80 times its capability speedup, or at 1.20 times its alignment "
                       "speedup."),
        (5.0, None, 1, "Breaks even at 5.00 times its capability speedup. No factor on its alignment speedup "
                       "turns it to harm."),
        (0.0, None, -1, "Breaks even without its capability speedup altogether. No factor on its alignment "
                        "speedup turns it to help."),
        (None, None, 1, "No factor on its capability speedup or its alignment speedup turns it to harm."),
        (None, None, 0, "The mean effect is exactly zero as it stands."),
    ],
)  # fmt: skip
def test_break_even_in_words(capability: float | None, alignment: float | None, sign: int, said: str) -> None:
    entry = {"break_even": {
        "capability_multiplier": capability, "alignment_multiplier": alignment, "sign": sign,
        "capability_mcse": 0.01, "alignment_mcse": 0.01,
    }}  # fmt: skip
    assert reasons.break_even(entry) == said


def test_policies_are_those_of_a_project_under_each_policy() -> None:
    """Only what depends on the policy is drawn again, and it comes out as if all were."""
    what = explain.explain(score_all("rlhf", "serial_parallel", draws=DRAWS), with_drivers=False)
    assert what.drivers is None
    options = what.models[0].options
    assert set(options) == set(POLICIES)
    for policy, option in options.items():
        alone = score(project("rlhf", publication=policy), "serial_parallel", draws=DRAWS)
        assert option.value == pytest.approx(alone.net.mean, rel=1e-12)


def test_knowing_which_model_is_right() -> None:
    """With the answer in hand one does what is best by it: no regression is needed."""
    what = found()
    assert what.drivers is not None
    driver = next(d for d in what.drivers if d.belief == WHICH_MODEL)
    weights = what.forecast.weights
    best = [max(0.0, *(o.value for o in m.options.values())) for m in what.models]
    informed = np.dot(weights, best)
    blind = max(0.0, *(o.value for o in what.options.values()))
    assert driver.evppi == pytest.approx(informed - blind, rel=1e-9)
    means = np.array([m.answer.net.mean for m in what.models])
    assert driver.low == pytest.approx(means.min())
    assert driver.high == pytest.approx(means.max())
    assert driver.evppi_se > 0


def test_a_policy_matters_only_by_what_depends_on_it() -> None:
    """With its capability speedup and its reach stated, a project is the same under every policy."""
    stated = project("rlhf", {"capability_speedup": "0.001 to 0.01 years", "reach": 0.9})
    setup = prepare(["serial_parallel"], use_evidence=False)
    what = explain.explain(forecast.score(stated, setup, DRAWS), with_drivers=False)
    assert len({o.value for o in what.models[0].options.values()}) == 1


def test_errors_of_the_mixture_are_those_of_its_draws() -> None:
    what = found()
    for policy, option in what.options.items():
        if policy == "open":
            mixed = np.asarray(what.forecast.weights) @ what.forecast.draws.net_effect
            assert option.mcse == pytest.approx(clustered_error(mixed, None), rel=1e-6)


def test_a_wrong_name_is_one_line() -> None:
    done = run("rhlf")
    assert done.exit_code == 2
    assert 'did you mean "rlhf"' in done.output


def driver(**changed: Any) -> dict[str, Any]:
    flat = {"distance": 0.2, "distance_se": 0.01, "low": 4e-6, "low_se": 1e-7, "high": 160e-6,
            "high_se": 5e-6, "evppi": 0.0, "evppi_se": 0.0}  # fmt: skip
    return {"belief": "serial_exponent", **flat, **changed}


def hinge(net_effect: dict[str, float] | None = None, **changed: Any) -> str:
    row = {"name": "serial_exponent", "judgement": True, "conditioned_on": "", "kind": "ships",
           "meaning": "how fast"}  # fmt: skip
    entry = {"drivers": [driver(**changed)], **({"net_effect": net_effect} if net_effect else {})}
    content = {"models": [entry], "provenance": [row]}
    return " ".join(words.plain(sentence) for sentence in reasons.hinge(content))


@pytest.mark.parametrize("believe", [(), ("p_success=0.3",)])
def test_knowing_everything_is_worth_no_less_than_which_model_is_right(believe: tuple[str, ...]) -> None:
    """Where models differ in sign, that is most of what there is to know."""
    asked = prepare(believe=believe, use_evidence=False)
    what = explain.explain(forecast.score(project("capability-work-now"), asked, 2000, 1))
    (which,) = [d for d in what.drivers or () if d.belief == WHICH_MODEL]
    assert which.evppi > 2 * which.evppi_se > 0
    assert what.evpi.value >= which.evppi
    gains = []
    for row, answer in enumerate(what.models):
        options = np.stack([0 * answer.answer.draws.without[row], *(
            value[row] for value in explain.policies(what.forecast).values()
        )])  # fmt: skip
        gains.append([answer.answer.weighing.mean(o) for o in (options.max(axis=0), *options)])
    best, *each = np.asarray(what.forecast.weights) @ np.array(gains)
    assert what.evpi.value == pytest.approx(best - max(each), rel=1e-9)


def test_the_sentence_that_draws_the_conclusion() -> None:
    assert hinge() == (
        "It hangs on serial_exponent (how fast): +4.0 in its lowest tenth, +160 in its highest; "
        "that belief is a judgement."
    )
    assert "the sign turns on it" in hinge(low=-4e-6)
    assert "the sign turns on it" not in hinge(low=-4e-6, low_se=3e-6)
    assert "in its highest, and higher in between; that" in hinge(net_effect={"mean": 2e-4, "mcse": 1e-6})
    lower = hinge(net_effect={"mean": 1e-6, "mcse": 1e-7}, high_se=1e-6)
    assert "in its highest, and lower in between; that" in lower
    assert "in between" not in hinge(net_effect={"mean": 1e-4, "mcse": 1e-6})
    first_screen = printed(found(), 80).splitlines()[:22]
    assert any("hangs on" in line for line in first_screen)


def test_the_beliefs_on_which_the_sign_turns_are_named_with_whose_they_are() -> None:
    ends = {"low": -4e-6, "low_se": 1e-6, "high": 9e-6, "high_se": 1e-6}
    drivers = [
        {"belief": words.WHICH_MODEL, **ends},
        {"belief": "leak", **ends},
        {"belief": "skill", **ends, "low": 4e-6},
        {"belief": "researchers", **ends},
    ]
    provenance = [
        {"name": "leak", "meaning": "what leaks", "judgement": True, "conditioned_on": None, "kind": "ships"}
    ]
    content = {"models": [{"drivers": drivers}], "provenance": provenance}
    said = words.plain(reasons.turning(content, 3))
    assert said == (
        "The sign of the mean turns on leak (what leaks): −4 in its lowest tenth, +9 in its highest "
        "(a judgement); on researchers: −4 in its lowest tenth, +9 in its highest."
    )
    assert reasons.turning({"models": [{"drivers": drivers[:1]}], "provenance": []}, 3) == ()


def test_what_rounding_leaves_of_an_evppi_is_0() -> None:
    assert reasons.evppi_with_error({"evppi": 0.0, "evppi_se": 1e-16}) == "0"
    assert reasons.evppi_with_error({"evppi": 0.2, "evppi_se": 0.01}) == "0.20 ± 0.01"


@pytest.mark.parametrize(
    ("value", "error", "said"), [(0.123, 0.004, "0.12"), (0.02, 0.03, "<0.06"), (0.0, 0.0, "<0.01")]
)
def test_a_distance_says_no_more_than_its_error_allows(value: float, error: float, said: str) -> None:
    assert reasons.distance(driver(distance=value, distance_se=error)) == said


def test_a_set_of_beliefs_is_valued_together() -> None:
    """Knowing more is worth no less, and knowing a set is what the regression of all of it says."""
    forecast_ = score_all("rlhf", "serial_parallel", draws=4000)
    names = ("capability_researchers", "breakthrough")
    what = explain.explain(forecast_, with_drivers=False, know=names)
    draws = forecast_.draws
    benefits = [value[0] for value in explain.policies(forecast_).values()]
    wanted = partial_information({n: draws.value(n, 0) for n in names}, benefits)
    assert what.models[0].together == wanted
    assert what.models[0].evpi.value >= wanted.value
    each = [partial_information({n: draws.value(n, 0)}, benefits) for n in names]
    assert wanted.value >= max(e.value - 2 * e.se for e in each) - 2 * wanted.se
    data = explained.explain(what)["models"][0]
    assert data["together"]["beliefs"] == list(names)
    assert data["together"]["evppi"] == pytest.approx(wanted.value / MICRODOOM)
    refused = run("rlhf", "--draws", "200", "--know", "agi_arival")
    assert refused.exit_code == 2
    assert 'did you mean "agi_arrival"' in refused.stderr


def test_the_choice_names_a_better_policy_only_where_it_shows() -> None:
    options = {"open": {"mean": 53.2e-6, "mcse": 1e-6}, "closed": {"mean": 53.4e-6, "mcse": 1e-6}}

    def choice(own: str) -> str:
        return reasons.choice(
            {"ensemble": {"options": options}, "project": {"facts": {"publication": own}}, "models": []}
        )

    assert "cannot be told apart: open, as stated" in choice("open")
    options["closed"]["mean"] = 60e-6
    assert "closed is best, with +60" in choice("open")
    assert "the stated one, closed, is best" in choice("closed")
    options["closed"]["mean"] = options["open"]["mean"] = 1e-6
    assert "better than doing nothing" in choice("open")


def test_a_field_of_nobody_has_no_ratio_and_no_warning() -> None:
    """As where stated beliefs are so wide that draws of them round to 0."""
    nobody = SimpleNamespace(
        effect=lambda _: [np.zeros(4)], value=lambda *_: np.zeros(4), ways=[SimpleNamespace(mean=np.mean)]
    )
    found = exchange.ratios(cast("Any", nobody), 0, exchange.Exchange(*[None] * 6))
    assert found.parallel is None
    assert found.serial is None
