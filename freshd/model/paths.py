"""Questions about absolute paths. Pure text: no file system is asked."""

import posixpath
from collections.abc import Callable, Container, Iterator

_MOST_LINKS = 40


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


def follow(path: str, link_at: Callable[[str], str]) -> str:
    """The path without links on its way, its last component's included.

    ``link_at`` says where the link at a path leads, absolute ("": there is none).
    """
    rest, real, hops = path.strip("/").split("/"), "", 0
    while rest:
        step = f"{real}/{rest.pop(0)}"
        link = link_at(step) if hops < _MOST_LINKS else ""
        if link:
            hops += 1
            rest, real = [*filter(None, link.split("/")), *rest], ""
        else:
            real = step
    return real or "/"


def innermost(path: str, directories: Container[str]) -> str | None:
    """The one of ``directories`` that ``path`` is at or below, the deepest; None: none of them."""
    above = path
    while above:
        if above in directories:
            return above
        above = above.rpartition("/")[0]
    return "/" if "/" in directories else None
