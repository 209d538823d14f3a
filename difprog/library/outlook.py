"""What a proposal comes to while its questions are being answered. Prints nothing.

What is not answered yet is taken as its default, so that every answer moves the effect from what the
answers before it gave; the draws are few, and the same each time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from difprog.base.errors import DifprogError
from difprog.forecast.request import Request
from difprog.library import interview, proposals

if TYPE_CHECKING:
    from difprog.forecast.forecast import Setup
    from difprog.forecast.summary import Summary

#: Draws: enough to see a tenth of the effect, few enough not to be waited for.
DRAWS = 1000


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
        text = proposals.text_of({"name": "so far", **interview.defaults(), **given})
        try:
            if self._setup is None:
                self._setup = self._request.setup()
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "so-far.toml"
                path.write_text(text, encoding="utf-8")
                project = self._request.project(str(path), self._setup)
            return self._request.forecast(project, self._setup).ensemble["net_effect"]
        except DifprogError:
            self.broken = True
            return None


__all__ = ["DRAWS", "Outlook"]
