"""Under what a project is scored: the options that every forecast shares, in one record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from difprog.beliefs.project import Project
from difprog.forecast.forecast import (
    DEFAULT_DRAWS,
    DEFAULT_PROB,
    DEFAULT_SEED,
    Forecast,
    Setup,
    find_project,
    prepare,
    score,
)
from difprog.forecast.sampling import Kept


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
