"""A file that a library writes to piece by piece, which never hears that the disk is full."""

from __future__ import annotations

import io
import os
from typing import Any


class Stream(io.RawIOBase):
    """A file that a library writes to, which never hears that the disk is full.

    HDF5 may take the process with it where writing fails, at once or when it closes. So the first error is
    kept for `check`, and whatever is written after it goes nowhere.

    Parameters
    ----------
    descriptor : int
        An open file, read and written; closed with the stream.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = self._end = 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the error that writing met, if it met any."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write all of it where the stream stands."""
        view = memoryview(data).cast("B")
        size, done = len(view), 0
        try:
            while self._error is None and done < size:
                done += os.pwrite(self._descriptor, view[done:], self._at + done)
        except OSError as error:
            self._error = error
        self._at += size
        self._end = max(self._end, self._at)
        return size

    def readinto(self, buffer: Any) -> int:
        """Read where the stream stands, zeros for what could not be written."""
        view = memoryview(buffer).cast("B")
        size = max(0, min(len(view), self._end - self._at))
        found = os.pread(self._descriptor, size, self._at)
        view[:size] = found + bytes(size - len(found))
        self._at += size
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Stand elsewhere."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        """Return where the stream stands."""
        return self._at

    def truncate(self, size: int | None = None) -> int:
        """Cut the file, or lengthen it by zeros."""
        self._end = self._at if size is None else size
        try:
            if self._error is None:
                os.ftruncate(self._descriptor, self._end)
        except OSError as error:
            self._error = error
        return self._end

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def writable(self) -> bool:
        """Whether it can be written."""
        return True

    def seekable(self) -> bool:
        """Whether it can stand elsewhere."""
        return True

    def close(self) -> None:
        """Have all of it on the disk, and close the file."""
        if self.closed:
            return
        try:
            if self._error is None:
                os.fsync(self._descriptor)
        except OSError as error:
            self._error = error
        finally:
            os.close(self._descriptor)
            super().close()
