"""Write ``freshd.toml``, the one file freshd writes into a project: a policy's text in, a file out.

It is written only when a person asks for it.
"""

import errno
import os

from freshd.config.atomic_write import write_beside
from freshd.model.errors import ConfigError

# file systems without hard links say one of these
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def refuse_if_there(path: str) -> None:
    """Raises ConfigError where a policy exists, whatever it is."""
    if os.path.lexists(path):
        raise ConfigError(
            f"{path} exists already",
            hint="`freshd init` shows what would be proposed; --force replaces the file",
        )


def write_policy(path: str, text: str, *, force: bool) -> None:
    """Write the file whole or not at all; raises ConfigError where it cannot be.

    Without ``force`` a file that appeared in the meantime stays as it is.
    """
    beside = ""
    mode = 0o666 & ~_read_umask()
    try:
        # a name that editors use for backups, so that nothing watches it
        beside = write_beside(path, text, mode=mode, prefix=".freshd.toml.", suffix="~")
        if force:
            os.replace(beside, path)
        else:
            _place(beside, path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    finally:
        if beside and os.path.lexists(beside):
            os.unlink(beside)


def _place(beside: str, path: str) -> None:
    """A link refuses what exists, unlike a rename."""
    try:
        os.link(beside, path)
    except FileExistsError:
        refuse_if_there(path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        refuse_if_there(path)
        os.rename(beside, path)


def _read_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
