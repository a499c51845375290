"""What a person changed in a container of what its image brought: engine and replica in, paths out.

One list of changes; contents only of what is in it and in the image, and times only of what
differs. A file whose owner, mode or time alone was changed is as the image brought it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.model.errors import EngineFailed, EngineUnavailable, OutcomeUnknown, TargetGone
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Replica
from freshd.observe.caches import ContainerCache
from freshd.observe.container.changes.names import is_written_by_programs
from freshd.observe.container.changes.writers import Times, Visits, is_by_hand, visits
from freshd.observe.container.files import observe
from freshd.observe.paths import above

_CONTENT = (Kind.FILE, Kind.LINK)


@dataclass(frozen=True, slots=True)
class HotPatch:
    """``seen`` is what is there now, None where it was removed."""

    target: str
    seen: Entry | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is no hot patch, or nothing to lose.

    ``image(paths)`` are the image's entries, None where it is gone; ``written`` is what freshd
    left, "" for a delete; ``in_tree(path, entry)`` whether the tree has these bytes for that path.
    """

    image: Callable[[Collection[str]], Mapping[str, Entry] | None]
    written: Mapping[str, str]
    in_tree: Callable[[str, Entry], bool]
    copied_into: Collection[str]


def find_hot_patches(
    engine: Engine, replica: Replica, known: Known, *, cache: ContainerCache, now: float
) -> tuple[HotPatch, ...]:
    """By path. Raises what the engine raises."""
    changes = engine.changes(replica.id)
    asked = {path for path in changes if _may_be(path, changes[path], replica, known)}
    if not asked:
        return ()
    held = known.image(asked)
    if held is not None:
        asked = {path for path in asked if path in held and held[path].kind in _CONTENT}
    signatures: dict[str, str] = {}
    seen = observe(engine, replica, asked, cache=cache, signatures=signatures)
    odd = {
        path: seen.files.get(path)
        for path in sorted(asked)
        if _is_odd(path, seen.files.get(path), None if held is None else held.get(path), known)
    }
    if not odd:
        return ()
    came = _visits(engine, replica)
    return tuple(
        HotPatch(path, entry)
        for path, entry in odd.items()
        if is_by_hand(_times(engine, replica, path, signatures), replica, came, now=now)
    )


def _may_be(path: str, kind: str, replica: Replica, known: Known) -> bool:
    """What was added is a program's; of what was deleted only code and configuration count."""
    if kind == "added" or replica.mount_at(path) is not None:
        return False
    if is_written_by_programs(path, known.copied_into):
        return False
    if kind != "deleted":
        return True
    return path.startswith(("/etc/", *(f"{top.rstrip('/')}/" for top in known.copied_into)))


def _is_odd(path: str, seen: Entry | None, held: Entry | None, known: Known) -> bool:
    if seen is not None and (seen.kind is Kind.DIR or seen.same_content(held)):
        return False
    wrote = known.written.get(path)
    if wrote is not None and wrote == ("" if seen is None else seen.digest):
        return False
    return seen is None or not known.in_tree(path, seen)


def _visits(engine: Engine, replica: Replica) -> Visits:
    try:
        return visits(engine.latest_events(), replica, engine.health_commands(replica.id))
    except (EngineFailed, OutcomeUnknown, EngineUnavailable):
        return Visits()  # nothing is known, which is asked for no more


def _times(engine: Engine, replica: Replica, path: str, signatures: Mapping[str, str]) -> Times:
    """An archive tells the mtime to the nanosecond; only a `stat` inside tells the ctime."""
    fields = signatures.get(path, "").split(" ")
    changed = float(fields[3]) if len(fields) > 3 else None
    for at in _up(path):
        modified = _modified(engine, replica, at)
        if modified is not None:
            return Times(modified, changed)
    return Times(0.0, changed)


def _up(path: str) -> Iterator[str]:
    """A file that was removed is dated by the directory that had it."""
    yield path
    yield above(path)


def _modified(engine: Engine, replica: Replica, path: str) -> float | None:
    try:
        status = archive.stat(engine, replica.id, path)
    except (EngineFailed, TargetGone):
        return None
    return None if status is None else status.modified
