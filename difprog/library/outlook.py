"""What a proposal comes to while its questions are being answered. Prints nothing.

What is not answered yet is taken as its default, so that every answer moves the effect from what the
answers before it gave; the draws are few, and the same each time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from difprog.base import files
from difprog.base.errors import DifprogError, Problems
from difprog.beliefs.project import parse_project
from difprog.forecast.kept import Kept
from difprog.forecast.request import Request
from difprog.library import interview, proposals
from difprog.models.model import vocabulary_of

if TYPE_CHECKING:
    from difprog.forecast.setup import Setup
    from difprog.forecast.summary import Summary

#: Draws: enough to see a tenth of the effect, few enough not to be waited for.
DRAWS = 1000

#: What a proposal is called that is not named yet.
SO_FAR = "so far"


class Outlook:
    """The effect of the answers so far.

    Attributes
    ----------
    broken : bool
        Whether it cannot be had, as some belief file or model is at fault: scoring says which.
    """

    def __init__(self, request: Request | None = None) -> None:
        self.broken = False
        self._request = request or Request(draws=DRAWS)
        self._setup: Setup | None = None
        self._kept = Kept()

    def effect(self, answers: Mapping[str, Any]) -> Summary | None:
        """Return the mixture's net effect, a probability; None where it cannot be had.

        Parameters
        ----------
        answers : mapping
            Key of a question → its value; None or "" where it was passed over.
        """
        if self.broken:
            return None
        given = {key: value for key, value in answers.items() if value not in (None, "")}
        text = proposals.text_of({"name": SO_FAR, **interview.defaults(), **given})
        try:
            if self._setup is None:
                self._setup = self._request.setup()
            problems, source = Problems(SO_FAR), files.Source(Path(SO_FAR), SO_FAR, "")
            known = vocabulary_of(self._setup.models)
            project = parse_project(tomllib.loads(text), source, problems, known)
            problems.check()
            assert project is not None
            supposed = self._request.supposed(project)
            return self._request.forecast(supposed, self._setup, self._kept).ensemble["net_effect"]
        except DifprogError:
            self.broken = True
            return None


__all__ = ["DRAWS", "Outlook"]
