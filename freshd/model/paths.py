"""Questions about absolute paths. Pure text: no file system is asked."""

import posixpath
from collections.abc import Container, Iterator


def is_below(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or something in it; both absolute."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def ancestors(path: str) -> Iterator[str]:
    """The directories above ``path``, nearest first, without "/"."""
    parent = path.rpartition("/")[0]
    while parent:
        yield parent
        parent = parent.rpartition("/")[0]


def absolute(path: str) -> str:
    """Clean and absolute: no ``.``, no doubled slash, and ``..`` stops at the root."""
    return posixpath.normpath("/" + path.lstrip("/"))


def innermost(path: str, directories: Container[str]) -> str | None:
    """The one of ``directories`` that ``path`` is at or below, the deepest; None: none of them."""
    above = path
    while above:
        if above in directories:
            return above
        above = above.rpartition("/")[0]
    return "/" if "/" in directories else None
