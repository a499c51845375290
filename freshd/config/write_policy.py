"""The one file freshd writes into a project, because it was asked to: a policy's text in."""

import errno
import os
import tempfile

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

    Without ``force`` a file that came to be meanwhile stays what it is.
    """
    aside = ""
    try:
        aside = _written_aside(path, text)
        if force:
            os.replace(aside, path)
        else:
            _place(aside, path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    finally:
        if aside and os.path.lexists(aside):
            os.unlink(aside)


def _written_aside(path: str, text: str) -> str:
    """The text in a file beside ``path``, named so that nobody watches it, with usual modes."""
    directory = os.path.dirname(path)
    descriptor, aside = tempfile.mkstemp(prefix=".freshd.toml.", suffix="~", dir=directory)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(aside, 0o666 & ~_umask())
    return aside


def _place(aside: str, path: str) -> None:
    """A link refuses what exists, unlike a rename."""
    try:
        os.link(aside, path)
    except FileExistsError:
        refuse_if_there(path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        refuse_if_there(path)
        os.rename(aside, path)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
