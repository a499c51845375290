"""Small files of the tree by where they are in a container: a map in, a way to read them out."""

import os
import posixpath
from collections.abc import Callable

from freshd.model.mapping import ServiceMap
from freshd.tree.walk import open_beneath

_MAX_BYTES = 256 * 1024


def make_reader(
    project_dir: str, mapping: ServiceMap, workdir: str
) -> Callable[[str], "str | None"]:
    """Reads a small file of the tree by where it is in the container.

    A relative name counts from ``workdir``; where that is not known, from where the name fits best.
    """
    sources = {pair.target: pair.source for pair in mapping.pairs}

    def read(path: str) -> str | None:
        if path.startswith("/") or workdir.startswith("/"):
            source = sources.get(posixpath.normpath(posixpath.join(workdir or "/", path)))
        else:
            ending = "/" + posixpath.normpath(path).lstrip("/")
            fitting = [target for target in sources if target.endswith(ending)]
            best = min(fitting, key=lambda target: (target.count("/"), target), default=None)
            source = sources.get(best) if best is not None else None
        return _text(project_dir, source) if source is not None else None

    return read


def _text(project_dir: str, source: str) -> str | None:
    try:
        with os.fdopen(open_beneath(project_dir, source), "rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
