"""Where PyTensor keeps what it compiles: a folder of the versions in use, made anew if it is damaged.

Compiling costs more than half of a first fit's time, and PyTensor keeps what it compiled; but its own
folder does not tell its versions apart, and a file in it that was damaged ends every later fit with an
error. No C compiler is needed: PyTensor compiles by numba. Imports nothing of it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from difprog.base import files
from difprog.base.errors import DifprogError

#: What compiled functions depend on.
LIBRARIES = ("pytensor", "numba", "llvmlite", "numpy", "scipy")


def folder() -> Path:
    """Return the folder of the versions in use on this kind of machine; it may be deleted at any time."""
    parts = [f"{name} {version(name)}" for name in LIBRARIES]
    parts += [platform.python_version(), platform.platform(), platform.machine()]
    key = hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
    return files.cache_folder() / "compiled" / key


def keep() -> None:
    """Have PyTensor keep what it compiles in `folder`; call it before pymc or pytensor is imported.

    Does nothing where one was imported already, or where ``PYTENSOR_FLAGS`` says which folder to use.
    A folder that cannot be made is done without: PyTensor then uses its own.
    """
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    if "pytensor" in sys.modules or "base_compiledir" in flags:
        return
    try:
        path = folder()
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if "," not in str(path):  # PyTensor would take it for two settings
        os.environ["PYTENSOR_FLAGS"] = f"{flags},base_compiledir={path}".lstrip(",")


def again_if_damaged[T](run: Callable[[], T]) -> T:
    """Return what ``run`` returns; where it fails, delete what was kept and run once more.

    What a damaged file raises has no type of its own (numba unpickles it), so that every error but
    our own is taken for one, and only the second is believed.
    """
    try:
        return run()
    except DifprogError:
        raise
    except Exception:
        from pytensor import config

        kept = Path(config.base_compiledir) / "numba"
        if not any(kept.glob("*.nbi")):
            raise
        for path in kept.iterdir():
            path.unlink(missing_ok=True)
        return run()
