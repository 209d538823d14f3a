"""``difprog priors``: see, test and change belief files. The commands add themselves to the group."""

from difprog.cli.priors import change, see
from difprog.cli.priors.group import command

__all__ = ["change", "command", "see"]
