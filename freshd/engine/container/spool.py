"""Bytes kept for a moment, however many: in memory while they are few, else in a file that has no
name and that nobody else can open, in the system's temporary directory.
"""

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Final, TypeVar

from freshd.model.errors import NoRoom

_Done = TypeVar("_Done")
_IN_MEMORY: Final = 8 * 1024 * 1024


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """A context manager. Where there is no room NoRoom is raised, be it late, by ``seek``."""

    def __init__(self) -> None:
        super().__init__(max_size=_IN_MEMORY)

    def write(self, data: Any) -> int:
        return _with_room(lambda: super(Spool, self).write(data))

    def seek(self, offset: int, whence: int = 0) -> int:
        return _with_room(lambda: super(Spool, self).seek(offset, whence))

    def truncate(self, size: int | None = None) -> int:
        return _with_room(lambda: super(Spool, self).truncate(size) or 0)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what there was no room for goes as well
            super().close()

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Spooled:
    """One file's bytes in a spool that holds many."""

    spool: IO[bytes]
    start: int
    size: int

    def reader(self) -> IO[bytes]:
        """At its first byte; it does not end with the last."""
        self.spool.seek(self.start)
        return self.spool

    def read(self) -> bytes:
        return self.reader().read(self.size)


def _with_room(do: Callable[[], _Done]) -> _Done:
    try:
        return do()
    except OSError as error:
        raise NoRoom(
            f"what is on its way cannot be kept in the temporary directory: {error.strerror}",
            hint="free some disk space there, or have TMPDIR name another directory",
        ) from error
