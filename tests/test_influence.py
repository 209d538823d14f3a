"""Leaving one source out: laws of the pooled timeline, and of a project's effect under it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from difprog.cli import main
from difprog.evidence import timelines
from difprog.evidence.posterior import Predictive
from difprog.forecast import forecast
from difprog.library import overview
from difprog.why import influence


def pooled(location: Any, scale: Any, shift: float = 0.0) -> Predictive:
    return Predictive(np.asarray(location, dtype=float), np.asarray(scale, dtype=float), shift)


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_one_distribution_in_every_draw_has_its_own_quantiles(shift: float) -> None:
    found = influence.quantiles(pooled(np.full(400, 2.0), np.full(400, 0.7), shift))
    law = stats.lognorm(0.7, scale=math.exp(2.0))
    for p in influence.LEVELS:
        to_come = law.sf(shift)
        assert found[f"p{100 * p:g}"] == pytest.approx(law.isf((1 - p) * to_come) - shift, rel=0.03)
    assert found["p50_error"] < 1e-12


def test_the_error_is_that_of_the_median_over_such_draws() -> None:
    rng = np.random.default_rng(1)
    each = [
        influence.quantiles(pooled(rng.normal(2.0, 0.5, 1000), np.full(1000, 0.3))) for _ in range(40)
    ]
    spread = np.std([math.log(one["p50"]) for one in each], ddof=1)
    assert np.mean([one["p50_error"] for one in each]) == pytest.approx(spread, rel=0.35)


class Sampler:
    """Stands in for NUTS: the draws are normal about the mean of the sources that are not left out."""

    last: Sampler

    def __init__(self, model: Any, target_accept: float) -> None:
        assert (model, target_accept) == ("model", 0.95)
        self.data = timelines.read()
        self.masks: list[Any] = []
        self.seeds: list[int] = []
        Sampler.last = self

    def observe(self, *, ignored_data: Any) -> None:
        self.masks.append(np.asarray(ignored_data))

    def run(self, *, draws: int, tune: int, thin: int, seed: int) -> tuple[dict[str, Any], int]:
        self.seeds.append(seed)
        noise = np.random.default_rng(seed).standard_normal(draws)
        middle = self.data.logs[self.masks[-1] == 0].mean() + 0.01 * noise
        assert tune > 0
        assert thin == 1
        same = np.full(draws, 0.1)
        return {"middle": middle, "between": 0 * same, "within": same, "differences": 0 * same}, 0


def test_every_source_is_left_out_once_and_with_all_its_statements(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the chains are the same ones for each: what then differs is the source."""
    monkeypatch.setattr(influence, "Compiled", Sampler)
    monkeypatch.setattr(timelines, "build", lambda _: "model")
    ticks: list[tuple[int, int]] = []
    shapes = {n: b.shape for n, b in overview.stated("timelines", overview.stack(())).items()}
    found = influence.left_out(shapes, 2026.9, tick=lambda *how: ticks.append(how))
    data, used = timelines.read(), Sampler.last
    assert list(found) == ["", *data.sources]
    assert ticks == [(i + 1, len(found)) for i in range(len(found))]
    assert not used.masks[0].any()
    assert np.sum(used.masks[1:], axis=0).tolist() == [1.0] * len(data.logs)
    for source, mask in zip(data.sources, used.masks[1:], strict=True):
        assert {data.sources[i] for i in data.source[mask == 1]} == {source}
    assert used.seeds == used.seeds[: influence.CHAINS] * len(found)
    assert len(set(used.seeds)) == influence.CHAINS
    # Whoever names later dates than the rest pulls the median up: without it, it is sooner.
    base = influence.quantiles(found[""])["p50"]
    for i, source in enumerate(data.sources):
        own, rest = data.logs[data.source == i].mean(), data.logs[data.source != i].mean()
        if abs(own - rest) > 0.1:
            assert (influence.quantiles(found[source])["p50"] < base) is bool(own > rest)


def test_a_project_has_the_effect_of_its_forecast_where_nothing_is_left_out() -> None:
    setup = forecast.prepare(("serial_parallel", "overhang"))
    project = forecast.find_project("rlhf", setup)
    question, _ = forecast.question_of(project, setup)
    kept = question.views[0].posterior
    assert kept is not None
    own = kept.predictive["agi_arrival"]
    soon = own._replace(location=own.location - 3.0, scale=np.full_like(own.scale, 0.05))
    found = influence.effects(project, setup, {"": own, "again": own, "soon": soon}, count=1500)
    scored = forecast.score(project, setup, 1500)
    assert found[""].mean == pytest.approx(scored.ensemble["net_effect"].mean, rel=1e-12)
    assert found["again"] == found[""]
    assert found["soon"].mean != found[""].mean


def test_without_evidence_no_timeline_moves_the_effect() -> None:
    setup = forecast.prepare(("serial_parallel",), use_evidence=False)
    project = forecast.find_project("rlhf", setup)
    early, late = (pooled(np.full(50, at), np.full(50, 0.2)) for at in (0.0, 4.0))
    found = influence.effects(project, setup, {"early": early, "late": late}, count=300)
    assert found["early"] == found["late"]


def test_the_table_has_a_row_per_source() -> None:
    each = {"": pooled(np.full(80, 1.0), np.full(80, 0.3)), "A": pooled(np.full(80, 2.0), np.full(80, 0.3))}
    rows = influence.table(each, None)
    assert [row["without"] for row in rows] == ["", "A"]
    assert rows[1]["p50"] / rows[0]["p50"] == pytest.approx(math.e, rel=1e-9)
    assert "net_effect" not in rows[0]


@pytest.mark.parametrize("width", ["80", "140"])
def test_the_command_shows_every_source_and_the_project(
    width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setattr(influence, "Compiled", Sampler)
    monkeypatch.setattr(timelines, "build", lambda _: "model")
    monkeypatch.setattr(influence, "DEFAULT_DRAWS", 300)
    done = CliRunner().invoke(main, ["evidence", "fit", "--influence", "--project", "rlhf"])
    assert done.exit_code == 0, done.stderr
    after = done.stdout[done.stdout.index("Without each source") :].splitlines()
    for source in ("nothing", *timelines.read().sources):
        assert any(line.startswith(source[:20]) for line in after), source
    assert "Net effect of rlhf, in the mixture of the models." in after
    assert max(map(len, after)) <= int(width)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--project", "rlhf"), "give both"),
        (("--influence", "--without", "timelines"), "condition nothing"),
        (("--influence", "--without", "all"), "condition nothing"),
        (("--influence", "--project", "rhlf"), "did you mean"),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_refused_before_any_fit(words: tuple[str, ...], why: str) -> None:
    done = CliRunner().invoke(main, ["evidence", "fit", "--again", *words])
    assert done.exit_code == 2
    assert why in done.stderr.replace("\n", " ")
    assert done.stdout == ""
