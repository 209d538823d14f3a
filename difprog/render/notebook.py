"""A forecast as Python's users get it: with labelled summaries, and in a notebook its first screen."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from difprog.forecast.forecast import MIXED, QUANTITIES, Forecast
from difprog.render.picture import recorded
from difprog.render.words import MIXTURE

if TYPE_CHECKING:
    import xarray as xr


class Answer(Forecast):
    """A forecast (`difprog.forecast.forecast.Forecast`) with what a notebook wants of it."""

    def summary(self, quantity: str = "net_effect") -> xr.DataArray:
        """Return the numbers that the terminal prints of a quantity, labelled.

        Parameters
        ----------
        quantity : str
            "net_effect", "p_success_without", "p_success_with", or an effect such as
            "capability_speedup".

        Returns
        -------
        xarray.DataArray
            Dims ``reading`` and ``statistic``, in plain probabilities and units. The mixture by
            credence is the last reading, where it is a quantity of which there is one.

        Raises
        ------
        KeyError
            Where there is no such quantity; the message names those that there are.
        """
        import xarray as xr

        if quantity not in QUANTITIES:
            raise KeyError(f"{quantity} is none of {', '.join(QUANTITIES)}")
        rows = {answer.model.name: answer.summaries[quantity] for answer in self.models}
        if quantity in MIXED:
            rows[MIXTURE] = self.ensemble[quantity]
        table = [list(asdict(row).values()) for row in rows.values()]
        names = list(asdict(self.models[0].summaries[quantity]))
        return xr.DataArray(
            table, dims=("reading", "statistic"), coords={"reading": list(rows), "statistic": names},
            name=quantity,
        )  # fmt: skip

    def __repr__(self) -> str:
        """Return what it is a forecast of: the fields hold every draw."""
        readings = ", ".join(answer.model.name for answer in self.models)
        return f"<forecast of {self.project.name!r}: {readings}; {self.count} draws, seed {self.seed}>"

    def _repr_html_(self) -> str:
        """Return the first screen with its figure."""
        code = '<pre style="font-family:monospace;line-height:1.2">{code}</pre>'
        return recorded(self, 100).export_html(inline_styles=True, code_format=code)


def answer(found: Forecast) -> Answer:
    """Return a forecast as an `Answer`."""
    held: dict[str, Any] = {each.name: getattr(found, each.name) for each in fields(found)}
    return Answer(**held)
