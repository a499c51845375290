"""Questions about paths in a container. Pure."""

import posixpath


def is_below(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or something in it; both absolute."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def absolute(path: str) -> str:
    """Clean and absolute: no ``.``, no doubled slash, and ``..`` stops at the root."""
    return posixpath.normpath("/" + path.lstrip("/"))
