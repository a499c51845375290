"""One process at a time changes a service: a context and a service in, a held lock out."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from freshd.model.errors import AlreadyRunning, StateError
from freshd.reconcile.context import Context

_PATIENCE = 120.0


@contextmanager
def locked(context: Context, service: str, *, patience: float = _PATIENCE) -> Iterator[None]:
    """Nobody else changes ``service`` meanwhile, in this process or another.

    Raises AlreadyRunning when somebody still does after ``patience`` seconds.
    """
    from filelock import FileLock, Timeout

    key = hashlib.sha256(os.fsencode(f"{context.project.dir}\0{service}")).hexdigest()[:32]
    lock = FileLock(os.path.join(context.locks, f"{key}.lock"))
    try:
        lock.acquire(timeout=patience)
    except Timeout as error:
        raise AlreadyRunning(
            f"another freshd has been changing {service} for {patience:.0f} s",
            hint="see `freshd history` for what it does",
        ) from error
    except OSError as error:
        raise StateError(
            f"cannot use the lock file {lock.lock_file}: {error.strerror}",
            hint="free some disk space, or check the permissions of the state directory",
        ) from error
    try:
        yield
    finally:
        lock.release()
