"""One daemon per project: a lock file that names its holder, held while the process lives.

What is watched by several is told by another path, and by ``what`` in words.
"""

import fcntl
import hashlib
import os
from types import TracebackType
from typing import Self

from freshd.model.errors import AlreadyRunning, StateError


def holder(locks: str, directory: str) -> int | None:
    """The process that watches ``directory`` now; as ``lock_holder``."""
    return lock_holder(InstanceLock(locks, directory).path)


def lock_holder(path: str) -> int | None:
    """The process that holds this lock file; 0 for one that does not name itself, None: none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        return int(said) if said.isdigit() else 0
    finally:
        os.close(descriptor)
    return None


class InstanceLock:
    """A context manager. Raises AlreadyRunning on entry, naming the process that holds the lock.

    The kernel gives the lock back when the process ends, however it ends.
    """

    def __init__(self, locks: str, directory: str, *, what: str = "") -> None:
        key = hashlib.sha256(os.fsencode(os.path.realpath(directory))).hexdigest()[:32]
        self.path = os.path.join(locks, f"daemon-{key}.lock")
        self._what = what or directory
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"cannot use the lock file {self.path}: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise AlreadyRunning(
                f"a freshd (pid {holder or 'unknown'}) watches {self._what} already",
                hint="`freshd status` shows what it sees",
            ) from error
        try:
            os.truncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            pass  # a full disk: it is held all the same, and does not name its holder
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
