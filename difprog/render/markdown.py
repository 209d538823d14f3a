"""Reports in GitHub-flavoured markdown, from plain data: one project's, and a portfolio's.

The memo comes first (`difprog.render.memo`), for who is busy; then the appendix
(`difprog.render.appendix`), in which a careful reader finds every number with its error, every belief
with its source, and the command that does it again. Text from files goes through
`difprog.render.gfm` only. No date of the run and no place on a machine gets in: the same inputs
give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from difprog.render import appendix, figures, memo
from difprog.render.gfm import slug
from difprog.render.portfolio import portfolio


def pages(content: Mapping[str, Any], name: str | None = None) -> dict[str, bytes]:
    """Return all files of a report: relative path → bytes, the markdown first.

    Parameters
    ----------
    content : mapping
        What `difprog.render.explained.report` returns, or what was kept of it.
    name : str, optional
        What the page and the folder of its figures are called; by default made from the project's name.
    """
    name = name or slug(content["project"]["name"])
    drawn = figures.figures(content)
    found = {f"{name}.md": report({**content, "page": name}).encode()}
    return found | {f"{name}/{file}": data for file, data in drawn.items()}


def report(content: Mapping[str, Any]) -> str:
    """Return the markdown of one project's report.

    Its figures lie in a folder named as the page: ``content["page"]``, else as the project.
    """
    drawn = appendix.figure(content, "distribution.svg", figures.alternative_distribution(content))
    sections = [*memo.sections(content, drawn), ["---"], *appendix.sections(content)]
    return "\n\n".join(part for section in sections for part in section if part) + "\n"


__all__ = ["pages", "portfolio", "report"]
