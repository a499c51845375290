"""What a daemon writes down of itself, for ``status`` in another process.

``DaemonState`` is kept with each project's status, ``ProjectsState`` once for ``freshd run --all``.
Both turn into JSON and back; a reader knows nothing of what another version wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from freshd.model.json_codec import from_json
from freshd.model.text import Json


@dataclass(frozen=True, slots=True)
class DaemonState:
    """One project's daemon; the sentences are for a person.

    ``lock`` is the lock file it holds while it lives. ``engine`` is "" while the engine answers,
    else what is wrong. ``problems`` are what makes it work degraded. Times are unix seconds;
    ``since`` is when it began to hear of every change: what was seen earlier proves nothing.
    ``verifying`` names who else keeps the containers up to date, so that freshd only looks.
    ``unseen`` are services that are not looked at now, whatever was seen of them before.
    """

    pid: int
    started_at: float
    lock: str = ""
    watching: str = ""
    engine: str = ""
    notifier: str = ""
    problems: tuple[str, ...] = ()
    since: float = 0.0
    verifying: str = ""
    unseen: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As kept in the status table's ``extra``."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Json]) -> "DaemonState | None":
        """None where no daemon has written there; what it does not know is left empty."""
        pid, started = kept.get("pid"), kept.get("started_at")
        if not isinstance(pid, int) or not isinstance(started, int | float):
            return None
        words = {
            key: str(kept.get(key) or "")
            for key in ("lock", "watching", "engine", "notifier", "verifying")
        }
        since = kept.get("since")
        return cls(
            pid=pid,
            started_at=started,
            problems=_texts(kept.get("problems")),
            unseen=_texts(kept.get("unseen")),
            since=since if isinstance(since, int | float) else 0.0,
            **words,
        )


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return ()
    return tuple(map(str, value))


@dataclass(frozen=True, slots=True)
class ProjectState:
    """One configured project: ``problem`` is why it is not watched now, "" while it is.

    ``name`` is "" as long as it could not be read.
    """

    directory: str
    name: str = ""
    problem: str = ""

    def to_json(self) -> dict[str, Json]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ProjectsState:
    """All projects of ``config``, the path of ``config.toml``; ``problem`` is what is wrong there.

    ``lock`` is held while the process lives.
    """

    pid: int
    lock: str
    config: str
    problem: str = ""
    projects: tuple[ProjectState, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ProjectsState | None":
        """None where nothing was kept, or nothing that this version knows."""
        try:
            return from_json(cls, kept)
        except (KeyError, TypeError, ValueError):
            return None
