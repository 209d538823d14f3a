"""Run as ``python -m difprog``."""

from difprog.cli import main

main()
