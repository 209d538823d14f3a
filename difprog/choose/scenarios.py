"""One proposal under several scenarios, on one seed: how far the decision hangs on the worldview."""

from __future__ import annotations

from dataclasses import dataclass, replace

from difprog.base import files, limits
from difprog.base.errors import BadInput
from difprog.beliefs.beliefs import Stack
from difprog.beliefs.parse import read_layer
from difprog.forecast.believed import believed
from difprog.forecast.conditioning import question_of
from difprog.forecast.forecast import Forecast, summed_up
from difprog.forecast.kept import Kept
from difprog.forecast.question import View
from difprog.forecast.request import Request
from difprog.forecast.sampling import draw
from difprog.forecast.setup import Setup
from difprog.forecast.summary import sign
from difprog.models.model import shipped_models, vocabulary_of

#: Draws of a forecast that only stands beside another.
FEW = 4_000


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
    every = ("", *dict.fromkeys(request.scenarios))
    held = len(every) * len(request.models or shipped_models()) * request.draws
    limits.COMPARED.check(held, "compare", "scenarios × models × draws")
    found = []
    for scenario in every:
        own = replace(request, scenarios=(scenario,) if scenario else ())
        try:
            found.append(Scenario(scenario, own.score(name)))
        except BadInput as error:
            # What is stated may be met under one scenario and not under another.
            raise BadInput(
                *(p._replace(file=f"{p.file} under {scenario}") if scenario and p.file == "--believe" else p
                  for p in error.problems)
            ) from None  # fmt: skip
    return found


def beside(found: Forecast) -> tuple[list[Scenario], list[str]]:
    """Return a forecast as it is, and the proposal under each scenario that ships, over what it rests on.

    What evidence says of beliefs that a scenario leaves alone stays as the forecast has it: a scenario that
    states one of the beliefs that a dataset is about does not fit the others anew, as ``--scenario`` would.

    Passed over are those that the forecast lies under already. The names that come second are of those under
    which it cannot be made: whose beliefs leave no world in which what is stated of the outcome holds, say.
    """
    vocabulary, kept = vocabulary_of(found.setup.models), Kept()
    stacks = found.setup.stacks
    there = {layer.source.sha256 for stack in stacks.values() for layer in stack.layers}
    made, left_out = [Scenario("", found)], []
    for path in sorted(files.shipped("priors", "scenarios").glob("*.toml")):
        layer = read_layer(path, vocabulary, f"{path.stem} ({files.label(path)})")
        if layer.source.sha256 in there:
            continue
        over = {model: Stack((*stack.layers, layer)) for model, stack in stacks.items()}
        try:
            made.append(Scenario(path.stem, _again(found, replace(found.setup, stacks=over), kept)))
        except BadInput:
            left_out.append(path.stem)
    return made, left_out


def _again(found: Forecast, setup: Setup, kept: Kept) -> Forecast:
    """Return a forecast under other layers, with the evidence and the reviews that it has."""
    standing = {answer.model.name: answer.view for answer in found.models}

    def conditioned(view: View) -> View:
        own = standing[view.model.name]
        pooled = {name: belief for name, belief in own.beliefs.items() if belief.evidence == "reviews"}
        return replace(view, beliefs={**view.beliefs, **pooled}, posterior=own.posterior)

    question, layers = question_of(found.project, setup, kept, conditioned)
    drawn = draw(question, min(found.count, FEW), found.seed, kept=kept)
    drawn = believed(drawn, layers, setup.believe, kept)
    return summed_up(found.project, setup, drawn, layers, found.prob, kept)
