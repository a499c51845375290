"""What one replica says now of the paths it is asked for: replica and paths in, Observation out.

A running container is asked by commands inside it; what they cannot tell, and containers that run
nothing, by the engine's archives. Where nothing is to be believed the archives are asked for all
that they show, since a container's own tools may lie. What neither can see is UNREADABLE.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping

from freshd.engine.client import Engine
from freshd.engine.container import contents
from freshd.engine.container.host_paths import gone_sources
from freshd.model.errors import EngineFailed, EngineUnavailable, OutcomeUnknown
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Observation, Replica
from freshd.observe.caches import ContainerCache
from freshd.observe.container import exec_scan
from freshd.observe.identity import NO_FILES, HostFiles
from freshd.observe.paths import is_clean, of_kernel


def observe(
    engine: Engine,
    replica: Replica,
    paths: Collection[str],
    *,
    cache: ContainerCache,
    full: bool = False,
    clock: Callable[[], float] = time.time,
    signatures: dict[str, str] | None = None,
    bound: HostFiles = NO_FILES,
) -> Observation:
    """The entries of ``paths`` in the replica, links not followed; absent ones are missing.

    Unchanged files are not read again unless ``full``, which asks the engine and forgets what the
    container's tools said otherwise. ``signatures`` is given path -> stat's text, taken after the
    content was read. Of what is ``bound`` and is this machine's very file no content is read,
    unless ``full``. Raises TargetGone when the container does not exist any more,
    EngineUnavailable when the engine does not; a container that does not answer in time gives an
    Observation with a ``problem``.
    """
    asked = frozenset(paths)
    unclean = [path for path in asked if not is_clean(path)]
    files = dict.fromkeys(unclean, _unreadable("not an absolute, normalised path"))
    left = asked - files.keys()
    scan = exec_scan.Scan()
    try:
        trusted = left
        if full:
            trusted = _out_of_reach(engine, replica, left) | (left & bound.keys())
        if replica.running and trusted:
            known = {} if full else cache.get_many(replica.id, trusted)
            try:
                scan = exec_scan.scan(
                    engine, replica.id, trusted, known=known, clock=clock, bound=bound
                )
            except EngineFailed as error:
                # Paused or stopped meanwhile, no such command, or it printed nonsense without end.
                scan.open = dict.fromkeys(trusted, _unreadable(error.message))
            files |= scan.files
            left -= scan.files.keys() | scan.missing
            if scan.signed:
                cache.put_many(replica.id, scan.signed)
        hidden = _hidden(replica, left, scan.open)
        files |= hidden
        read = contents.read(engine, replica.id, left - hidden.keys())
        if full:
            _forget_lies(cache, replica, read)
    except (OutcomeUnknown, EngineFailed) as error:
        return Observation(replica, asked, problem=error.message)
    except EngineUnavailable as error:
        if not isinstance(error.__cause__, TimeoutError):
            raise
        # One container's lock may be held while the engine is fine; the rest can go on.
        return Observation(replica, asked, problem=error.message)
    if signatures is not None:
        signatures.update(scan.after)
    files |= {path: entry for path, entry in read.items() if entry is not None}
    return Observation(replica, asked, files, same=frozenset(scan.same))


def _out_of_reach(engine: Engine, replica: Replica, paths: frozenset[str]) -> frozenset[str]:
    """What the engine's archives do not show, or may not be asked for: only commands can tell."""
    if gone_sources(engine, replica.id):
        return paths
    return frozenset(_hidden(replica, paths, {})) | {p for p in paths if not contents.has_name(p)}


def _forget_lies(cache: ContainerCache, replica: Replica, read: Mapping[str, Entry | None]) -> None:
    """What a container's tools were believed, and what is not so."""
    known = cache.get_many(replica.id, read.keys())
    false = [path for path, (_, entry) in known.items() if entry != read[path]]
    if false:
        cache.forget(replica.id, false)


def _hidden(
    replica: Replica, paths: Iterable[str], doubts: Mapping[str, Entry]
) -> dict[str, Entry]:
    """Those of ``paths`` that an archive shows wrongly or not at all, each with the reason."""
    hidden: dict[str, Entry] = {}
    for path in paths:
        mount = replica.mount_at(path)
        if mount is not None and mount.kind == "tmpfs":
            where = f"it is on the tmpfs mount {mount.target}"
            more = doubts[path].reason if path in doubts else f"the container is {replica.state}"
            hidden[path] = _unreadable(f"{where}, and {more}")
        elif mount is None and of_kernel(path):
            hidden[path] = _unreadable("it belongs to the kernel, not to a file system")
    return hidden


def _unreadable(reason: str) -> Entry:
    return Entry(Kind.UNREADABLE, reason=reason)
