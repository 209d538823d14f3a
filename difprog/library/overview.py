"""The datasets as `difprog evidence` shows them: what they hold, and fitting those asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from difprog.base import files
from difprog.beliefs.beliefs import Belief, Stack
from difprog.beliefs.distributions import Point
from difprog.beliefs.project import Project
from difprog.evidence import DATASETS, keys, likelihood, netcdf, store, tables
from difprog.evidence.checked import read
from difprog.evidence.fit import LEVELS, Settings
from difprog.forecast.setup import Setup, find_project, prepare

Tick = Callable[[str, int, int], None]


def stack(priors: Sequence[str]) -> Stack:
    """Return the layers under every model: the world's, the user's, and those asked for."""
    setup = prepare((), priors)
    # A model's own layer may override a belief for that model; this is the world's view.
    own = {f"priors/{model.name}.toml" for model in setup.models}
    layers = next(iter(setup.stacks.values())).layers
    return Stack(tuple(layer for layer in layers if layer.source.label not in own))


def stated(name: str, under: Stack) -> dict[str, Belief]:
    """Return the beliefs of a dataset as the layers state them."""
    found = {}
    for belief in likelihood(name).BELIEFS:
        one = under.lookup(belief, {})
        if one is not None:
            found[belief] = one
    return found


def conditioned(name: str, under: Stack) -> bool:
    """Whether a dataset conditions anything: some belief names it and is not a point."""
    beliefs = stated(name, under)
    complete = len(beliefs) == len(likelihood(name).BELIEFS)
    return complete and any(b.evidence == name and not isinstance(b.shape, Point) for b in beliefs.values())


def listing(under: Stack) -> list[dict[str, Any]]:
    """Return every dataset: what it is, how much of it is used, the state of its beliefs."""
    found = []
    for name in DATASETS:
        module = likelihood(name)
        read(name)
        rows = tables.rows(name)
        column = "source" if "source" in rows[0] else "citation"
        entries = []
        for belief, one in stated(name, under).items():
            if one.evidence != name or isinstance(one.shape, Point):
                state = f"used as stated in {one.layer}"
            else:
                state = f"conditioned; the prior is stated in {one.layer}"
            entries.append({"belief": belief, "state": state})
        found.append(
            {
                "dataset": name, "title": module.TITLE, "note": module.NOTE,
                "file": files.label(files.shipped("priors", "evidence", f"{name}.csv")),
                "rows": len(tables.rows(name, every=True)), "used": len(rows),
                "sources": len({r[column] for r in rows}),
                "citations": sorted({r["citation"] for r in rows}),
                "beliefs": entries, "state": _state(name, under),
            }
        )  # fmt: skip
    return found


def _state(name: str, under: Stack) -> str:
    if not conditioned(name, under):
        return "not used"
    shapes = {n: b.shape for n, b in stated(name, under).items()}
    found = store.find(name, keys.key(name, shapes, under.as_of, Settings()))
    return "to be fitted" if found is None else "kept"


def settings(draws: int | None, chains: int | None, seed: int | None) -> Settings:
    """Return the settings of a fit, the defaults where nothing else is asked for."""
    usual = Settings()
    return Settings(
        draws=usual.draws if draws is None else draws,
        chains=usual.chains if chains is None else chains,
        seed=usual.seed if seed is None else seed,
    )


def fit(
    names: Sequence[str], under: Stack, how: Settings, tick: Tick, again: bool = False, ship: bool = False
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Fit datasets, or find what is kept.

    Parameters
    ----------
    names : sequence of str
        The datasets.
    under : Stack
        The layers that state their beliefs.
    how : Settings
        Draws, chains and seed.
    tick : callable
        Told what is being fitted, how far, and of how much.
    again : bool
        Whether to fit even where a result is kept.
    ship : bool
        Whether to put the results among the shipped ones too.

    Returns
    -------
    diagnostics : dict of str to dict
        Per dataset.
    failed : list of str
        Those of them that are past a threshold, of which nothing was kept.
    """
    found: dict[str, dict[str, Any]] = {}
    failed = []
    for name in names:
        if not conditioned(name, under):
            continue
        shapes = {n: b.shape for n, b in stated(name, under).items()}
        posterior = store.fitted(
            name, shapes, under.as_of, settings=how, tick=partial(tick, name), again=again
        )
        if posterior.diagnostics["failures"]:
            failed.append(name)
        elif ship:
            netcdf.write(store.shipped(name), posterior)
        found[name] = dict(posterior.diagnostics)
    return found, failed


def as_stated(found: dict[str, dict[str, Any]], under: Stack) -> list[dict[str, Any]]:
    """Return the beliefs that no dataset moved, with their quantiles as stated."""
    moved = {belief for d in found.values() for belief in d["beliefs"]}
    return [
        {"belief": name, "layer": belief.layer, "prior": [float(belief.shape.percentile(p)) for p in LEVELS]}
        for dataset in DATASETS
        for name, belief in stated(dataset, under).items()
        if name not in moved
    ]


def followed(project: str, priors: Sequence[str]) -> tuple[Project, Setup]:
    """Return a proposal whose effect is followed, and what it is scored under, by every model."""
    setup = prepare((), priors)
    return find_project(project, setup), setup


def influence(
    under: Stack, of: tuple[Project, Setup] | None, tick: Callable[[int, int], None]
) -> list[dict[str, Any]]:
    """Return how far the pooled timeline, and a project's effect, move without each source.

    Parameters
    ----------
    under : Stack
        The layers that state when AGI arrives.
    of : tuple, optional
        What `followed` returns.
    tick : callable
        Told how many fits are done, of how many.
    """
    from difprog.why import influence as leave

    shapes = {n: b.shape for n, b in stated("timelines", under).items()}
    pooled = leave.left_out(shapes, tables.decimal_year(under.as_of), tick=tick)
    return leave.table(pooled, None if of is None else leave.effects(*of, pooled))
