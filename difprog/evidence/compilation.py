"""Keep what PyTensor compiles, so that neither an upgrade nor damage can spoil a fit.

Compiling costs more than half of a first fit's time, so what was compiled is kept. PyTensor's own
folder does not tell its versions apart, and a damaged file in it ends every fit with an error. Here
it works in a folder of this process alone; what it made there is kept as one file, named by every
version and the processor, with a digest before it. A file that is damaged, or of other versions, is
not used: the functions are compiled again. Twenty processes at once keep twenty whole files, and the
last stays. Imports pytensor.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import os
import platform
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from difprog.base import files

#: What compiled functions depend on.
LIBRARIES = ("pytensor", "numba", "llvmlite", "numpy", "scipy")

#: A kept file larger than this is left behind, and a new one begun.
LARGEST = 1 << 26

#: As many of other versions are left, the newest.
OTHERS = 2

_SIZE = hashlib.sha256().digest_size

#: The folder of this process, and what is known to be kept of it; empty until PyTensor is pointed there.
_working: dict[str, Path] = {}
_known: set[str] = set()


@contextmanager
def kept() -> Iterator[None]:
    """Compile what is compiled within from what was kept, and keep what is new.

    Does nothing where PyTensor was imported before by someone else, or where ``PYTENSOR_FLAGS`` says
    which folder to use. That nothing can be read or written is no error: it only takes longer.
    """
    _begin()
    yield
    with suppress(OSError):
        _keep()


def archive() -> Path:
    """Return the file in which this machine's compiled functions are kept, of the versions in use."""
    from llvmlite import binding

    parts = [f"{name} {version(name)}" for name in LIBRARIES]
    parts += [platform.python_version(), platform.platform(), binding.get_host_cpu_name()]
    parts.append(binding.get_host_cpu_features().flatten())
    key = hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
    return files.cache_folder() / "compiled" / f"{key}.zip"


def _begin() -> None:
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    if "pytensor" in sys.modules or "base_compiledir" in flags:
        return
    try:
        folder = Path(tempfile.mkdtemp(prefix="difprog-compiled-")).resolve()
    except OSError:
        return
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if "," in str(folder):  # PyTensor would take it for two settings
        return
    with suppress(OSError):
        unpack(archive(), folder)
    os.environ["PYTENSOR_FLAGS"] = f"{flags},base_compiledir={folder}".lstrip(",")
    try:
        import pytensor  # noqa: F401
    finally:
        if flags:
            os.environ["PYTENSOR_FLAGS"] = flags
        else:
            del os.environ["PYTENSOR_FLAGS"]
    _working["folder"] = folder
    _known.update(_names(folder))


def _keep() -> None:
    folder = _working.get("folder")
    if folder is None:
        return
    names = _names(folder)
    if names <= _known:
        return
    path = archive()
    files.write_atomically(path, pack(folder))
    _known.update(names)
    others = [p for p in path.parent.glob("*.zip") if p != path]
    for old in sorted(others, key=lambda p: p.stat().st_mtime)[:-OTHERS]:
        old.unlink(missing_ok=True)


def _names(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def pack(folder: Path) -> bytes:
    """Return a folder's files as one: a digest, and the zip archive that it is the digest of."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        for name in sorted(_names(folder)):
            zipped.write(folder / name, name)
    content = stream.getvalue()
    return hashlib.sha256(content).digest() + content


def unpack(path: Path, folder: Path) -> bool:
    """Put kept files into an empty folder; False, and nothing is put there, where they are not whole.

    Parameters
    ----------
    path : Path
        What `pack` returned, written to a file.
    folder : Path
        An existing folder.

    Raises
    ------
    OSError
        Where the file cannot be read or the folder not be written.
    """
    if not path.is_file() or path.stat().st_size > LARGEST:
        return False
    data = path.read_bytes()
    digest, content = data[:_SIZE], data[_SIZE:]
    if hashlib.sha256(content).digest() != digest:
        return False
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        zipped.extractall(folder)  # our own, by its digest; names that lead out of it are made harmless
    return True
