"""Run as ``python -m difprog``."""

import sys

if not sys.flags.safe_path and sys.path:
    # Python puts the working folder first: no file that lies there is to be run as a module.
    del sys.path[0]

from difprog.cli import main

main()
