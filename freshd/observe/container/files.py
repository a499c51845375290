"""What one replica says now of the paths it is asked for: replica and paths in, Observation out.

A running container is asked by commands inside it; what they cannot tell, and containers that run
nothing, by the engine's archives. What neither can see is UNREADABLE with a reason.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Set

from freshd.engine.client import Engine
from freshd.model.errors import EngineFailed, EngineUnavailable, FreshdError, OutcomeUnknown
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Observation, Replica
from freshd.observe import archives
from freshd.observe.caches import ContainerCache
from freshd.observe.container import exec_scan
from freshd.observe.paths import is_clean, mount_of, of_kernel


def observe(
    engine: Engine,
    replica: Replica,
    paths: Collection[str],
    *,
    cache: ContainerCache,
    full: bool = False,
    clock: Callable[[], float] = time.time,
) -> Observation:
    """The entries of ``paths`` in the replica, links not followed; absent ones are missing.

    Unchanged files are not read again unless ``full``. Raises TargetGone when the container does
    not exist any more, EngineUnavailable when the engine does not; a container that does not
    answer in time gives an Observation with a ``problem``.
    """
    return observe_signed(engine, replica, paths, cache=cache, full=full, clock=clock)[0]


def observe_signed(
    engine: Engine,
    replica: Replica,
    paths: Collection[str],
    *,
    cache: ContainerCache,
    full: bool = False,
    clock: Callable[[], float] = time.time,
) -> tuple[Observation, Mapping[str, str]]:
    """``observe``, and the signatures (path -> stat's text) taken after the content was read."""
    asked = frozenset(paths)
    try:
        files, after = _files(engine, replica, asked, cache=cache, full=full, clock=clock)
    except (OutcomeUnknown, EngineFailed) as error:
        return Observation(replica, asked, problem=error.message), {}
    except EngineUnavailable as error:
        if not isinstance(error.__cause__, TimeoutError):
            raise
        # One container's lock may be held while the engine is fine; the rest can go on.
        return Observation(replica, asked, problem=error.message), {}
    return Observation(replica, asked, files), after


def _files(
    engine: Engine,
    replica: Replica,
    asked: frozenset[str],
    *,
    cache: ContainerCache,
    full: bool,
    clock: Callable[[], float],
) -> tuple[dict[str, Entry], Mapping[str, str]]:
    files = {
        path: _unreadable("not an absolute, normalised path")
        for path in asked
        if not is_clean(path)
    }
    left = asked - files.keys()
    doubts: Mapping[str, Entry] = {}
    after: Mapping[str, str] = {}
    if replica.running and left:
        known = {} if full else cache.get_many(replica.id, left)
        seen = _inside(engine, replica, left, known=known, clock=clock)
        files |= seen.files
        left -= seen.files.keys() | seen.missing
        doubts, after = seen.open, seen.after
        if seen.signed:
            cache.put_many(replica.id, seen.signed)
    hidden = _hidden(replica, left, doubts)
    files |= hidden
    for path, entry in archives.read(engine, replica.id, left - hidden.keys()).items():
        if entry is not None:
            files[path] = entry
    return files, after


def _inside(
    engine: Engine,
    replica: Replica,
    paths: Set[str],
    *,
    known: Mapping[str, tuple[str, Entry]],
    clock: Callable[[], float],
) -> exec_scan.Inside:
    try:
        return exec_scan.look(engine, replica.id, paths, known=known, clock=clock)
    except EngineFailed as error:
        # Paused or stopped meanwhile, no such command, or it printed nonsense without end.
        return exec_scan.Inside(open={path: _reason(error) for path in paths})


def _hidden(
    replica: Replica, paths: Iterable[str], doubts: Mapping[str, Entry]
) -> dict[str, Entry]:
    """Those of ``paths`` that an archive shows wrongly or not at all, each with the reason."""
    found: dict[str, Entry] = {}
    for path in paths:
        mount = mount_of(path, replica.mounts)
        if mount is not None and mount.kind == "tmpfs":
            where = f"it is on the tmpfs mount {mount.target}"
            more = doubts[path].reason if path in doubts else f"the container is {replica.state}"
            found[path] = _unreadable(f"{where}, and {more}")
        elif mount is None and of_kernel(path):
            found[path] = _unreadable("it belongs to the kernel, not to a file system")
    return found


def _reason(error: FreshdError) -> Entry:
    return _unreadable(error.message)


def _unreadable(reason: str) -> Entry:
    return Entry(Kind.UNREADABLE, reason=reason)
