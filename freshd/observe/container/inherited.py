"""What a container still has from its image, known by its age or its writable layer.

Used to learn an image's content from a container of it without reading the image. Whatever a
container was given after it was created has a younger ctime, which nobody can set back; a
directory older than its container has the names it had in the image. Where no directory can be
moved, files tell by themselves, in directories that are younger. Where age does not tell, the
engine's list of changes does, which costs it a walk over the whole image.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Set

from freshd.engine.client import Engine
from freshd.model.files import Entry, Kind, Manifest
from freshd.model.observed.container import Observation, Replica
from freshd.model.paths import ancestors
from freshd.observe.caches import ContainerCache
from freshd.observe.container.exec_output import is_before, stamp_of
from freshd.observe.container.files import observe
from freshd.observe.container.overlay import directories_stay
from freshd.observe.identity import NO_FILES, HostFiles
from freshd.observe.paths import ENGINE_FILES, KERNEL_ROOTS, above

_FEW = 200  # so many are read from the image in about the time of a list of changes


def observe_changes(
    engine: Engine,
    replica: Replica,
    paths: Collection[str],
    *,
    cache: ContainerCache,
    full: bool = False,
    clock: Callable[[], float] = time.time,
    bound: HostFiles = NO_FILES,
) -> tuple[Observation, Mapping[str, Entry | None]]:
    """The observation, and what it says of the image: path -> entry there, None for absent there.

    With ``full`` age is not trusted, and where it does not settle many files, they are read
    again between two lists of changes: then of a running container only files are taken that were
    there well before, so that nothing that comes and goes meanwhile is held to be the image's.
    """
    parents, asked = _parents(paths), frozenset(paths)
    if not full and replica.running:
        after_reading: dict[str, str] = {}
        whole = observe(
            *(engine, replica, parents.union(paths)),
            cache=cache,
            clock=clock,
            signatures=after_reading,
            bound=bound,
        )
        if whole.problem:
            return Observation(replica, asked, problem=whole.problem), {}
        inherited = _told(engine, asked, whole, after_reading)
        if len(asked) - len(inherited) <= _FEW:
            return _only(asked, whole), inherited
    before = engine.changes(replica.id)
    every = parents.union(paths)
    whole = observe(engine, replica, every, cache=cache, full=full, clock=clock, bound=bound)
    after = engine.changes(replica.id)
    observation = _only(asked, whole)
    files = observation.files
    if whole.problem:
        return observation, {}
    still = untouched(untouched(paths, before, replica), after, replica)
    old = cache.get_many(replica.id, None) if replica.running else None
    direct = _direct(parents, whole.files)
    return observation, {
        path: files.get(path)
        for path in still
        if above(path) in direct and _settled(path, files.get(path), old)
    }


def _told(
    engine: Engine, asked: frozenset[str], observation: Observation, signatures: Mapping[str, str]
) -> dict[str, Entry | None]:
    """By age; the container is asked what its file system rules out where that settles more."""
    inherited = told_by_age(asked, observation.files, signatures, observation.replica)
    if len(inherited) < len(asked):
        more = told_by_age(asked, observation.files, signatures, observation.replica, stay=True)
        if len(more) > len(inherited) and directories_stay(engine, observation.replica):
            return more
    return inherited


def told_by_age(
    paths: Collection[str],
    manifest: Manifest,
    signatures: Mapping[str, str],
    replica: Replica,
    *,
    stay: bool = False,
) -> dict[str, Entry | None]:
    """The pure part: those of ``paths`` that are the image's, as they and all directories above
    them are older than the container; None for what such a directory lacks.

    Where all directories ``stay`` in their place, the age of a file is enough to tell that it is
    the image's. ``signatures`` were taken after the content was read, and are there for the
    directories too.
    """
    old = {
        path
        for path, signature in signatures.items()
        if (stamp := stamp_of(signature)) is not None and is_before(stamp, replica)
    }
    clear = _Clear(old, manifest)
    plain = _Clear(manifest.keys(), manifest) if stay else clear
    inherited: dict[str, Entry | None] = {}
    for path in untouched(paths, {}, replica):
        directory = above(path)
        if path not in manifest:
            if clear[directory]:
                inherited[path] = None
        elif path in old and (directory == "/" or plain[directory]):
            inherited[path] = manifest[path]
    return inherited


class _Clear(dict[str, bool | None]):
    """directory -> whether it and those above it that exist are among the ``old``, and no links;
    None: none of them exists.
    """

    def __init__(self, old: Set[str], manifest: Manifest) -> None:
        super().__init__({"/": None})
        self._old = old
        self._manifest = manifest

    def __missing__(self, directory: str) -> bool | None:
        state = self[above(directory)]
        there = self._manifest.get(directory)
        if there is not None:
            state = state is not False and there.kind is Kind.DIR and directory in self._old
        self[directory] = state
        return state


def _only(asked: frozenset[str], observation: Observation) -> Observation:
    files = {path: entry for path, entry in observation.files.items() if path in asked}
    same = observation.same & asked
    return Observation(observation.replica, asked, files, observation.problem, same=same)


def untouched(
    paths: Collection[str], changes: Mapping[str, str], replica: Replica
) -> frozenset[str]:
    """The pure part: the paths outside mounts that are not in ``changes``, nor in or below what
    was added or deleted.
    """
    destinations = {mount.target for mount in replica.mounts}
    shut = destinations.union(KERNEL_ROOTS)
    clear = {"/": "/" not in shut and changes.get("/", "changed") == "changed"}

    def is_clear(directory: str) -> bool:
        """Whether what is directly in it is the image's unless it is a change itself."""
        if directory not in clear:
            own = directory not in shut and changes.get(directory, "changed") == "changed"
            clear[directory] = own and is_clear(above(directory))
        return clear[directory]

    return frozenset(
        path
        for path in paths
        if path not in changes
        and path not in ENGINE_FILES
        and path not in shut
        and is_clear(above(path))
    )


def _parents(paths: Collection[str]) -> set[str]:
    parents: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
    return parents


def _direct(parents: Iterable[str], manifest: Manifest) -> frozenset[str]:
    """Those of ``parents`` that are reached without a link, and "/": the writable layer names only
    the place behind a link.
    """
    plain = {path for path in parents if path not in manifest or manifest[path].kind is Kind.DIR}
    return frozenset(["/", *(path for path in plain if all(up in plain for up in ancestors(path)))])


def _settled(path: str, entry: Entry | None, old: Mapping[str, tuple[str, Entry]] | None) -> bool:
    """Whether a present file was there before it was read: only such are signed in the cache."""
    if entry is None:
        return True
    if entry.kind is Kind.UNREADABLE:
        return False
    return old is None or (path in old and old[path][1] == entry)
