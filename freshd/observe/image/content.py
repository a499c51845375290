"""What an image holds: image id and paths in, ``ImageFacts`` and listings out.

An image's content never changes, so answers are cached for ever by its chain id. What is not
cached is read from a container that is created from the image and never started.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from freshd.engine.client import Engine
from freshd.engine.container import contents
from freshd.engine.images import probe_container
from freshd.model.errors import TargetGone
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Replica
from freshd.model.observed.image import ImageFacts
from freshd.observe.caches import ImageCache
from freshd.observe.container.names import image_names
from freshd.observe.paths import ENGINE_FILES, is_clean, of_kernel

PRUNED: Final = (".git", ".venv", "__pycache__", "node_modules", "venv")


def facts(
    engine: Engine,
    image_id: str,
    paths: Collection[str],
    *,
    cache: ImageCache,
    known: Mapping[str, Entry | None] | None = None,
) -> ImageFacts:
    """The image with the entries of those ``paths`` that it has.

    ``known`` are answers learnt elsewhere (``observe_changes``): None means absent. Paths that the
    engine or the kernel puts into every container are UNREADABLE: an image's own cannot be seen.
    Raises TargetGone when there is no such image.
    """
    return fill(engine, image_of(engine, image_id), paths, cache=cache, known=known)


def fill(
    engine: Engine,
    image: ImageFacts,
    paths: Collection[str],
    *,
    cache: ImageCache,
    known: Mapping[str, Entry | None] | None = None,
) -> ImageFacts:
    """``facts`` of an image that is known already: its id's answers never change."""
    asked = {path for path in paths if is_clean(path)}
    masked = {path for path in asked if path in ENGINE_FILES or of_kernel(path)}
    asked -= masked
    answers = dict(cache.get_files(image.chain_id, asked))
    unknown = asked - answers.keys()
    fresh = {path: entry for path, entry in (known or {}).items() if path in unknown}
    missing = unknown - fresh.keys()
    if missing:
        with probe_container(engine, image.id) as container_id:
            fresh |= contents.read(engine, container_id, missing)
    lasting = {path: entry for path, entry in fresh.items() if not _is_doubtful(entry)}
    if lasting:
        cache.put_files(image.chain_id, lasting)
    answers |= fresh
    answers |= dict.fromkeys(masked, _MASKED)
    return replace(image, files={p: entry for p, entry in answers.items() if entry is not None})


def list_below(
    engine: Engine,
    image: ImageFacts,
    directories: Collection[str],
    *,
    cache: ImageCache,
    prune: Collection[str] = PRUNED,
    told_by: Replica | None = None,
) -> tuple[str, ...]:
    """Every file, link and special path of the image below the directories, sorted.

    Directories named in ``prune`` are left out with all below them, and so is what the engine puts
    there. Below "/" that is the whole image. A replica of it, ``told_by``, is asked first, as
    names cost little there. Raises TargetGone.
    """
    asked = sorted({path for path in directories if is_clean(path)})
    paths: set[str] = set()
    unknown: list[str] = []
    for directory in asked:
        names = cache.get_listing(image.chain_id, _listing_key(directory, prune))
        if names is None:
            unknown.append(directory)
        else:
            paths.update(names)
    if unknown and told_by is not None:
        for directory in tuple(unknown):
            in_replica = image_names(engine, told_by, [directory], prune=prune)
            if in_replica is not None:
                unknown.remove(directory)
                cache.put_listing(
                    image.chain_id, _listing_key(directory, prune), sorted(in_replica)
                )
                paths.update(in_replica)
    if unknown:
        with probe_container(engine, image.id) as container_id:
            for directory in unknown:
                listed = _list(engine, container_id, directory, frozenset(prune))
                key = _listing_key(directory, prune)
                cache.put_listing(image.chain_id, key, listed)
                paths.update(listed)
    return tuple(sorted(paths))


def image_of(engine: Engine, image_id: str) -> ImageFacts:
    """The image without files. Raises TargetGone."""
    image = engine.image(image_id)
    if image is None:
        raise TargetGone(f"no image has the id {image_id!r}", hint="it was removed; build it again")
    return image


def _list(
    engine: Engine, container_id: str, directory: str, prune: frozenset[str]
) -> tuple[str, ...]:
    prefix = directory.rstrip("/") + "/"
    names: list[str] = []
    for path, member, _ in contents.members_below(engine, container_id, directory):
        if member.isdir() or path in ENGINE_FILES or of_kernel(path):
            continue
        if prune.isdisjoint(path.removeprefix(prefix).split("/")[:-1]):
            names.append(path)
    return tuple(sorted(names))


def _listing_key(directory: str, prune: Collection[str]) -> str:
    """What was pruned is part of the question; no path holds a NUL, so keys never meet."""
    return "\0".join([directory, *sorted(prune)])


def _is_doubtful(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is Kind.UNREADABLE


_MASKED: Final = Entry(Kind.UNREADABLE, reason="the engine puts its own there in every container")
