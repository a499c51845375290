"""Absolute container paths: what lies below what. Pure text, no file system is asked."""

import posixpath
from collections.abc import Iterable

from freshd.model.paths import is_below

# The kernel's own; what an archive shows there is not what a process sees.
KERNEL_ROOTS = ("/proc", "/sys", "/dev")

# Put into every container by the engine, whatever the image has there.
ENGINE_FILES = frozenset(
    {"/.dockerenv", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf"}
)


def above(path: str) -> str:
    """The directory of an absolute, normalised path; "/" of "/". As ``posixpath.dirname``, which
    takes three times as long.
    """
    return path.rpartition("/")[0] or "/"


def is_clean(path: str) -> bool:
    """Absolute, normalised, no NUL: what the commands here may be given."""
    if not path.startswith("/") or "\0" in path or "//" in path:
        return False
    if "/." in path or path.endswith("/"):
        return posixpath.normpath(path) == path
    return True


def any_below(path: str, directories: Iterable[str]) -> bool:
    return any(is_below(path, directory) for directory in directories)


def of_kernel(path: str) -> bool:
    """Whether ``path`` is or lies below one of ``KERNEL_ROOTS``."""
    return path.startswith(KERNEL_ROOTS) and any_below(path, KERNEL_ROOTS)
