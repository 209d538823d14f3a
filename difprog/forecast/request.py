"""Under what a project is scored: the options that every forecast shares, in one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from difprog.beliefs.project import Project
from difprog.forecast.forecast import DEFAULT_DRAWS, DEFAULT_PROB, DEFAULT_SEED, Forecast, score
from difprog.forecast.kept import Kept
from difprog.forecast.setup import Setup, find_project, prepare


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of score, explain, compare, rank, allocate and report, in plain words.

    Attributes
    ----------
    models, priors, scenarios : tuple of str
        Names or paths, as on the command line; all shipped models where none is named.
    believe : tuple of str
        Statements about the outcome, such as "p_success=80%", or names of published ones.
    use_evidence : bool
        Whether beliefs that say so are conditioned on evidence.
    draws, seed : int
        How many draws, from which seed.
    prob : float
        Probability of the intervals.
    publication : str or None
        A publication policy in place of the proposal's own.
    """

    models: tuple[str, ...] = ()
    priors: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    believe: tuple[str, ...] = ()
    use_evidence: bool = True
    draws: int = DEFAULT_DRAWS
    seed: int = DEFAULT_SEED
    prob: float = DEFAULT_PROB
    publication: str | None = None

    def setup(self, say: Callable[[str], None] | None = None) -> Setup:
        """Return the models and belief files that are meant.

        Raises
        ------
        BadInput
            With every problem of every file.
        """
        found = prepare(
            self.models, self.priors, self.use_evidence, scenarios=self.scenarios, believe=self.believe
        )
        return found if say is None else replace(found, say=say)

    def project(self, name: str, setup: Setup) -> Project:
        """Return the proposal that a path or a bare name means, under the policy that is supposed."""
        return self.supposed(find_project(name, setup))

    def supposed(self, project: Project) -> Project:
        """Return a proposal under the policy that is supposed, if any."""
        return project if self.publication is None else project.published(self.publication)

    def forecast(self, project: Project, setup: Setup, kept: Kept | None = None) -> Forecast:
        """Return the forecast of a proposal."""
        return score(project, setup, self.draws, self.seed, self.prob, kept)

    def score(self, name: str) -> Forecast:
        """Return the forecast of the proposal that a path or a bare name means.

        Raises
        ------
        BadInput
            With every problem.
        """
        setup = self.setup()
        return self.forecast(self.project(name, setup), setup)


class Options(TypedDict, total=False):
    """The options as keywords: those of `Request`, one name by itself or several in any sequence.

    Attributes
    ----------
    models, priors, scenarios : str or sequence of str
        Names or paths, as on the command line; all shipped models where none is named.
    believe : mapping of str to float, str, or sequence of str
        What is stated about the outcome: ``{"p_success": 0.8}``, "p_success=80%", or the name of a
        published chance.
    use_evidence : bool
        Whether beliefs that say so are conditioned on evidence.
    draws, seed : int
        How many draws, from which seed.
    prob : float
        Probability of the intervals.
    publication : str or None
        A publication policy in place of the proposal's own.
    """

    models: str | Sequence[str]
    priors: str | Sequence[str]
    scenarios: str | Sequence[str]
    believe: Mapping[str, float] | str | Sequence[str]
    use_evidence: bool
    draws: int
    seed: int
    prob: float
    publication: str | None


def request_of(options: Options) -> Request:
    """Return options that are given as keywords as a `Request`.

    Raises
    ------
    TypeError
        Where there is no such option.
    """
    given: dict[str, Any] = dict(options)
    if isinstance(given.get("believe"), Mapping):
        given["believe"] = [f"{name}={chance!r}" for name, chance in given["believe"].items()]
    for name in ("models", "priors", "scenarios", "believe"):
        if name in given:
            given[name] = (given[name],) if isinstance(given[name], str) else tuple(given[name])
    return Request(**given)
