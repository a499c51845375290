"""Whether a person or a program wrote a file: its times and the engine's events in. Pure.

A person comes in by `docker exec` or `docker cp`, and the engine tells of both; it forgets its
events, though. Then what was written as the container started was written by its start.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from freshd.engine.events import EngineEvent
from freshd.model.observed.container import Replica

HELPER = "freshd-helper"
_STARTING = 10.0  # seconds in which an entrypoint writes what it writes
_SETTLED = 600.0  # after so long nobody is taken to have come in within those seconds
_SLACK = 0.1  # of the clock that files are stamped with, and of the engine's events
_COPYING = 5.0  # seconds that a `docker cp` may have taken before the engine tells of it


@dataclass(frozen=True, slots=True)
class Times:
    """Unix seconds. ``changed`` (ctime) is None where it cannot be asked for; many a `stat` tells
    no fraction of it.
    """

    modified: float
    changed: float | None = None

    @property
    def at_once(self) -> bool:
        """Whether content and metadata are of one moment, as a plain write leaves them."""
        if self.changed is None:
            return False
        return abs(self.modified - self.changed) < 1.0

    @property
    def metadata(self) -> tuple[float, float]:
        """Between when and when the metadata was changed last."""
        at = self.modified if self.changed is None else self.changed
        return (int(at), int(at) + 1.0) if at == int(at) else (at, at)


@dataclass(frozen=True, slots=True)
class Visits:
    """When somebody was in a container, from and to: by commands, and by copying into it.

    ``known``: these are all since it was made.
    """

    commands: tuple[tuple[float, float], ...] = ()
    copies: tuple[tuple[float, float], ...] = ()
    known: bool = False


def visits(events: Iterable[EngineEvent], replica: Replica, checks: Sequence[str]) -> Visits:
    """Of the engine's latest events; ``checks`` are the commands of its health check."""
    open_since: dict[str, float] = {}
    commands: list[tuple[float, float]] = []
    copies: list[tuple[float, float]] = []
    known = False
    for event in events:
        if event.kind != "container" or event.id != replica.id:
            continue
        action, _, command = event.action.partition(": ")
        known = known or action == "create"
        session = event.attributes.get("execID", "")
        if action == "extract-to-dir":
            copies.append((event.time - _COPYING, event.time))
        elif action in ("exec_die", "exec_died"):
            if session in open_since:
                commands.append((open_since.pop(session), event.time))
        elif action in ("exec_create", "exec_start", "exec") and not _own(command, checks):
            open_since.setdefault(session, event.time)
    commands += [(start, float("inf")) for start in open_since.values()]
    return Visits(tuple(commands), tuple(copies), known)


def _own(command: str, checks: Sequence[str]) -> bool:
    return HELPER in command or command in checks


def is_by_hand(times: Times, replica: Replica, seen: Visits, *, now: float) -> bool:
    """Whether a person changed it. In doubt one did: a program's file holds a rebuild back, and
    says so; a person's is gone for good.
    """
    metadata = times.metadata
    if _meet(seen.commands, (times.modified, times.modified)):
        return True
    if times.changed is not None and _meet(seen.copies, metadata):
        return True
    later = times.changed is not None and _meet(seen.commands, metadata)
    if not times.at_once and (seen.copies or later):
        return True
    if seen.known:
        return False
    moments = (times.modified,) if times.changed is None else (times.modified, metadata[0])
    starting = all(_is_starting(moment, replica) for moment in moments)
    return not starting or now - replica.started_at < _SETTLED


def _meet(spans: Iterable[tuple[float, float]], moment: tuple[float, float]) -> bool:
    """Whether one of the spans has to do with a moment, which is known from and to."""
    return any(start - _SLACK <= moment[1] and moment[0] <= end + _SLACK for start, end in spans)


def _is_starting(moment: float, replica: Replica) -> bool:
    began = (replica.created_at, replica.started_at)
    return any(start - 1.0 <= moment <= start + _STARTING for start in began)
