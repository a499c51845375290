"""What a container still has from its image, told from its writable layer and not from content.

Used to learn an image's content from a container of it without reading the image.
"""

import time
from collections.abc import Callable, Collection, Mapping

from freshd.engine.client import Engine
from freshd.model import Entry, Kind, Manifest, Observation, Replica
from freshd.observe.caches import ContainerCache
from freshd.observe.files import observe
from freshd.observe.paths import ENGINE_FILES, KERNEL_ROOTS, ancestors, any_below, mount_of


def unchanged_since_image(
    engine: Engine, replica: Replica, paths: Collection[str], *, cache: ContainerCache
) -> frozenset[str]:
    """Those of ``paths`` that the container now has, or lacks, exactly as its image does.

    Left out is what was changed, is in or below what was added or deleted, lies behind a symbolic
    link or on a mount, or is the engine's own. Raises TargetGone.
    """
    parents = _parents(paths)
    seen = observe(engine, replica, parents, cache=cache)
    if seen.problem:
        return frozenset()
    still = untouched(paths, engine.changes(replica.id), replica)
    return frozenset(path for path in still if _direct(path, seen.files))


def observe_changes(
    engine: Engine,
    replica: Replica,
    paths: Collection[str],
    *,
    cache: ContainerCache,
    full: bool = False,
    clock: Callable[[], float] = time.time,
) -> tuple[Observation, Mapping[str, Entry | None]]:
    """The observation, and what it says of the image: path -> entry there, None for absent there.

    The writable layer is read before and after the look, and of a running container only files are
    taken that were there well before: so nothing that comes and goes meanwhile is ever held to be
    the image's content.
    """
    before = engine.changes(replica.id)
    seen = observe(
        engine, replica, _parents(paths).union(paths), cache=cache, full=full, clock=clock
    )
    after = engine.changes(replica.id)
    asked = frozenset(paths)
    files = {path: entry for path, entry in seen.files.items() if path in asked}
    observation = Observation(replica, asked, files, seen.problem)
    if seen.problem:
        return observation, {}
    still = untouched(untouched(paths, before, replica), after, replica)
    old = cache.get_many(replica.id, still) if replica.running else None
    return observation, {
        path: files.get(path)
        for path in still
        if _direct(path, seen.files) and _settled(path, files.get(path), old)
    }


def untouched(
    paths: Collection[str], changes: Mapping[str, str], replica: Replica
) -> frozenset[str]:
    """The pure part: the paths outside mounts that are not in ``changes``, nor in or below what
    was added or deleted.
    """
    return frozenset(
        path
        for path in paths
        if path not in changes
        and path not in ENGINE_FILES
        and not any_below(path, KERNEL_ROOTS)
        and mount_of(path, replica.mounts) is None
        and all(changes.get(parent, "changed") == "changed" for parent in ancestors(path))
    )


def _parents(paths: Collection[str]) -> set[str]:
    return {parent for path in paths for parent in ancestors(path)}


def _direct(path: str, seen: Manifest) -> bool:
    """Whether no parent is a link: the writable layer names only the place behind a link."""
    parents = [seen.get(parent) for parent in ancestors(path)]
    return all(parent is None or parent.kind is Kind.DIR for parent in parents)


def _settled(path: str, entry: Entry | None, old: Mapping[str, tuple[str, Entry]] | None) -> bool:
    """Whether a present file was there before the look began: only such are signed in the cache."""
    if entry is None:
        return True
    if entry.kind is Kind.UNREADABLE:
        return False
    return old is None or (path in old and old[path][1] == entry)
