"""Which line of an image's history wrote or removed a path last: image id and paths in.

Every layer is streamed once per chain id, and what lies below the directories of interest is
hashed on the way; the answers for all paths there are cached, so that later questions cost nothing.
"""

import json
import posixpath
import tarfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from freshd.engine import images as engine_images
from freshd.engine.client import Engine
from freshd.model.observed.image import is_copy
from freshd.model.paths import is_below
from freshd.observe.caches import ImageCache
from freshd.observe.image.attribution import (
    Content,
    Layer,
    Replay,
    decides,
    lines_of,
    matters,
    replay,
    resolve,
    rewritten,
)
from freshd.observe.image.content import image_of
from freshd.observe.paths import any_below, is_clean

__all__ = ["Writer", "is_copy", "rewritten", "writers", "written_by"]


class Writer(NamedTuple):
    """The history line of a layer; ``mode``: what later layers made of the mode that it gave, where
    they changed who may execute the file, and nothing in it.
    """

    line: str = ""
    mode: int | None = None


def writers(
    engine: Engine,
    image_id: str,
    paths: Collection[str],
    *,
    cache: ImageCache,
    below: Collection[str] = (),
) -> Mapping[str, str]:
    """path -> history line, as ``written_by`` has it."""
    found = written_by(engine, image_id, paths, cache=cache, below=below)
    return {path: writer.line for path, writer in found.items()}


def written_by(
    engine: Engine,
    image_id: str,
    paths: Collection[str],
    *,
    cache: ImageCache,
    below: Collection[str] = (),
) -> Mapping[str, Writer]:
    """path -> the layer that wrote or removed it last, for every one of ``paths``.

    One that changed only owner, mode or time of a file did not write it. There is no line where no
    layer ever had the path, or the history does not match the layers (squashed, imported).
    ``below`` are the directories to remember (where COPY lands); a path outside them is looked up
    by its own directory. Raises TargetGone.
    """
    image = image_of(engine, image_id)
    asked = {path for path in paths if is_clean(path)}
    places = {path: _place(path, below) for path in asked}
    known = _known(cache, image.chain_id, places.values())
    if known.keys() != set(places.values()):
        with engine.memory.alone(image.chain_id):
            known = _known(cache, image.chain_id, places.values())
            unknown = sorted(set(places.values()) - known.keys())
            for directory, rows in _attribute(engine, image.id, unknown).items():
                cache.put_writers(image.chain_id, _key(directory), rows)
                known[directory] = rows
    found = {path: _writer(known[places[path]], path) for path in asked}
    return dict.fromkeys(paths, Writer()) | found


def _known(
    cache: ImageCache, chain_id: str, directories: Iterable[str]
) -> dict[str, Mapping[str, str]]:
    tables = {name: cache.get_writers(chain_id, _key(name)) for name in set(directories)}
    return {directory: rows for directory, rows in tables.items() if rows is not None}


def _key(directory: str) -> str:
    """Beside the tables of versions that went by names alone; no path holds a NUL."""
    return f"{directory}\0by content"


# The row of a table that holds the history lines, one per layer; the others hold a layer's number,
# as the same long line would be there thousands of times, and a mode. No path is called so.
_LINES = "lines"


def _writer(rows: Mapping[str, str], path: str) -> Writer:
    lines: list[str] = json.loads(rows[_LINES])
    if not lines or path not in rows:
        return Writer()
    number, _, mode = rows[path].partition(" ")
    return Writer(lines[int(number)], int(mode, 8) if mode else None)


def _place(path: str, below: Collection[str]) -> str:
    """The directory whose table has the path: the shortest of ``below``, else its own."""
    holding = [d for d in below if d != "/" and is_clean(d) and is_below(path, d) and path != d]
    return min(holding, key=len, default=posixpath.dirname(path))


def _attribute(
    engine: Engine, image_id: str, directories: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Per directory: path below it -> layer number, and the history lines."""
    if not directories:
        return {}
    story, lines = _story(engine, image_id, directories)
    real = [resolve(posixpath.join(directory, "x"), story.links)[:-2] for directory in directories]
    if not all(any_below(place or "/", directories) for place in real):
        # A parent is a link (/bin -> usr/bin): the layers name the place behind it.
        further = [*directories, *(place or "/" for place in real)]
        story, lines = _story(engine, image_id, further)
    return {
        directory: {_LINES: json.dumps(lines), **_table(directory, place, story)}
        for directory, place in zip(directories, real, strict=True)
    }


def _story(
    engine: Engine, image_id: str, directories: Collection[str]
) -> tuple[Replay, tuple[str, ...]]:
    """The replayed layers and their history lines (none where they do not match)."""

    def keep(member: tarfile.TarInfo) -> bool:
        return member.issym() or matters(member.name, directories)

    saved = engine_images.save(
        engine, image_id, keep=keep, hashed=lambda member: decides(member.name, directories)
    )
    layers: dict[str, Layer] = defaultdict(Layer)
    for diff_id, member, digest in saved:
        link = member.linkname if member.issym() else None
        content = Content(digest, member.mode & 0o7777)
        layers[diff_id].add(member.name, directory=member.isdir(), link=link, content=content)
    lines = lines_of(saved.history, len(saved.layers)) or ()
    copies = {number for number, line in enumerate(lines) if is_copy(line)}
    # They came in the engine's own order, each once, however often the image has it.
    return replay([layers[diff_id] for diff_id in saved.layers], copies), lines


def _table(directory: str, real: str, story: Replay) -> dict[str, str]:
    """Layer numbers of the paths below ``real``, under their names below ``directory``."""
    prefix = directory.rstrip("/")
    return {
        prefix + path.removeprefix(real): f"{number} {mode:o}" if mode is not None else str(number)
        for path, number, mode in ((p, n, story.modes.get(p)) for p, n in story.last.items())
        # Of "/" only what is directly in it: a deeper path is looked up in its own directory.
        if path.startswith(real + "/") and (directory != "/" or path.count("/") == 1)
    }
