"""Which line of an image's history wrote or removed a path last: image id and paths in.

Every layer's names are streamed once per chain id; the answers for all paths below the
directories of interest are cached, so that later questions cost nothing.
"""

import json
import posixpath
import tarfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from freshd.engine import images as engine_images
from freshd.engine.client import Engine
from freshd.model.observed.image_history import is_copy
from freshd.model.paths import is_below
from freshd.observe.caches import ImageCache
from freshd.observe.image.attribution import (
    Layer,
    Replay,
    lines_of,
    matters,
    replay,
    resolve,
    rewritten,
)
from freshd.observe.image.content import image_of
from freshd.observe.paths import any_below, is_clean

__all__ = ["is_copy", "rewritten", "writers"]


def writers(
    engine: Engine,
    image_id: str,
    paths: Collection[str],
    *,
    cache: ImageCache,
    below: Collection[str] = (),
) -> Mapping[str, str]:
    """path -> history line of the layer that wrote or removed it last, for every one of ``paths``.

    "" where no layer ever had the path, or the history does not match the layers (squashed,
    imported). ``below`` are the directories to remember (where COPY lands); a path outside them is
    looked up by its own directory. Raises TargetGone.
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
                cache.put_writers(image.chain_id, directory, rows)
                known[directory] = rows
    return dict.fromkeys(paths, "") | {path: _line(known[places[path]], path) for path in asked}


def _known(
    cache: ImageCache, chain_id: str, directories: Iterable[str]
) -> dict[str, Mapping[str, str]]:
    tables = {directory: cache.get_writers(chain_id, directory) for directory in set(directories)}
    return {directory: rows for directory, rows in tables.items() if rows is not None}


# The row of a table that holds the history lines, one per layer; the others hold a layer's number,
# as the same long line would be there thousands of times. No path is called so.
_LINES = "lines"


def _line(rows: Mapping[str, str], path: str) -> str:
    lines: list[str] = json.loads(rows[_LINES])
    return lines[int(rows[path])] if lines and path in rows else ""


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

    saved = engine_images.save(engine, image_id, keep=keep)
    layers: dict[str, Layer] = defaultdict(Layer)
    for diff_id, member in saved:
        link = member.linkname if member.issym() else None
        layers[diff_id].add(member.name, directory=member.isdir(), link=link)
    # They came in the engine's own order, each once, however often the image has it.
    story = replay([layers[diff_id] for diff_id in saved.layers])
    return story, lines_of(saved.history, len(saved.layers)) or ()


def _table(directory: str, real: str, story: Replay) -> dict[str, str]:
    """Layer numbers of the paths below ``real``, under their names below ``directory``."""
    prefix = directory.rstrip("/")
    return {
        prefix + path.removeprefix(real): str(number)
        for path, number in story.last.items()
        # Of "/" only what is directly in it: a deeper path is looked up in its own directory.
        if path.startswith(real + "/") and (directory != "/" or path.count("/") == 1)
    }
