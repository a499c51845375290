"""What a container still has from its image, told from its writable layer and not from content.

Used to learn an image's content from a container of it without reading the image.
"""

import posixpath
import time
from collections.abc import Callable, Collection, Iterable, Mapping

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
    direct = _direct(parents, seen.files)
    return frozenset(path for path in still if posixpath.dirname(path) in direct)


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
    parents = _parents(paths)
    seen = observe(engine, replica, parents.union(paths), cache=cache, full=full, clock=clock)
    after = engine.changes(replica.id)
    asked = frozenset(paths)
    files = {path: entry for path, entry in seen.files.items() if path in asked}
    observation = Observation(replica, asked, files, seen.problem)
    if seen.problem:
        return observation, {}
    still = untouched(untouched(paths, before, replica), after, replica)
    old = cache.get_many(replica.id, None) if replica.running else None
    direct = _direct(parents, seen.files)
    return observation, {
        path: files.get(path)
        for path in still
        if posixpath.dirname(path) in direct and _settled(path, files.get(path), old)
    }


def untouched(
    paths: Collection[str], changes: Mapping[str, str], replica: Replica
) -> frozenset[str]:
    """The pure part: the paths outside mounts that are not in ``changes``, nor in or below what
    was added or deleted.
    """
    destinations = {mount.target for mount in replica.mounts}
    clear = {
        directory: _is_clear(directory, changes, replica)
        for directory in {posixpath.dirname(path) for path in paths}
    }
    return frozenset(
        path
        for path in paths
        if clear[posixpath.dirname(path)]
        and path not in changes
        and path not in ENGINE_FILES
        and path not in destinations
        and path not in KERNEL_ROOTS
    )


def _is_clear(directory: str, changes: Mapping[str, str], replica: Replica) -> bool:
    """Whether what is directly in ``directory`` is the image's unless it is a change itself."""
    return (
        not any_below(directory, KERNEL_ROOTS)
        and mount_of(directory, replica.mounts) is None
        and all(
            changes.get(parent, "changed") == "changed"
            for parent in (directory, *ancestors(directory))
        )
    )


def _parents(paths: Collection[str]) -> set[str]:
    directories = {posixpath.dirname(path) for path in paths} - {"/", ""}
    return directories | {parent for path in directories for parent in ancestors(path)}


def _direct(parents: Iterable[str], seen: Manifest) -> frozenset[str]:
    """Those of ``parents`` that are reached without a link, and "/": the writable layer names only
    the place behind a link.
    """
    plain = {path for path in parents if path not in seen or seen[path].kind is Kind.DIR}
    return frozenset(
        ["/", *(path for path in plain if all(above in plain for above in ancestors(path)))]
    )


def _settled(path: str, entry: Entry | None, old: Mapping[str, tuple[str, Entry]] | None) -> bool:
    """Whether a present file was there before the look began: only such are signed in the cache."""
    if entry is None:
        return True
    if entry.kind is Kind.UNREADABLE:
        return False
    return old is None or (path in old and old[path][1] == entry)
