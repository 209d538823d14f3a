"""One proposal under several scenarios, on one seed: how far the decision hangs on the worldview."""

from __future__ import annotations

from dataclasses import dataclass, replace

from difprog.forecast.forecast import Forecast
from difprog.forecast.request import Request
from difprog.forecast.summary import sign


@dataclass(frozen=True)
class Scenario:
    """What a proposal comes to under one set of beliefs; "" is the beliefs as they stand."""

    name: str
    forecast: Forecast

    @property
    def sign(self) -> int:
        """The sign of the mean effect by credence; 0 where two errors do not resolve it."""
        return sign(self.forecast.ensemble["net_effect"])


def side_by_side(name: str, request: Request) -> list[Scenario]:
    """Return a proposal's forecasts as beliefs stand, and under each of a request's scenarios alone.

    Raises
    ------
    BadInput
        With every problem of every file.
    """
    found = []
    for scenario in ("", *dict.fromkeys(request.scenarios)):
        own = replace(request, scenarios=(scenario,) if scenario else ())
        found.append(Scenario(scenario, own.score(name)))
    return found
