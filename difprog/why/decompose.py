"""Why a forecast comes out as it does: channels, break-even factors, exchange rates, ratios.

Everything is computed on the draws of a forecast, which are not drawn again, and returned as
plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from difprog.forecast.simulate import Draws
from difprog.why.breakeven import BreakEven, break_even, scaled_draws
from difprog.why.channels import (
    CHANNELS,
    PATHS,
    Estimate,
    Path,
    channel_draws,
    channels,
    estimate,
    mean,
    net_effect,
    path_draws,
    paths,
    shapley,
)
from difprog.why.exchange import Exchange, Ratios, difference, exchange, quotient, ratios, slopes


@dataclass(frozen=True)
class Decomposition:
    """Everything that this module says of one model's answer."""

    channels: dict[str, Estimate]
    paths: dict[str, Path]
    break_even: BreakEven
    exchange: Exchange
    ratios: Ratios


def decompose(draws: Draws) -> Decomposition:
    """Return channels, paths, break-even factors, exchange rates and ratios of one model's draws."""
    rates = exchange(draws)
    return Decomposition(channels(draws), paths(draws), break_even(draws), rates, ratios(draws, rates))


__all__ = [
    "CHANNELS", "PATHS", "BreakEven", "Decomposition", "Estimate", "Exchange", "Path", "Ratios",
    "break_even", "channel_draws", "channels", "decompose", "difference", "estimate", "exchange", "mean",
    "net_effect", "path_draws", "paths", "quotient", "ratios", "scaled_draws", "shapley", "slopes",
]  # fmt: skip
