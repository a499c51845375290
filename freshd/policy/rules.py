"""A policy as frozen values, as ``config`` reads it from ``freshd.toml``.

Times are seconds; tree paths are relative to the project, container paths absolute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freshd.model import RebuildMode, Remedy

ANY_CAUSE = "*"


class ReloadKind(StrEnum):
    """How a service takes up new code: what ``reload`` and ``restart`` in a rule mean for it."""

    RESTART = "restart"
    SIGNAL = "signal"
    SELF = "self"
    PER_REQUEST = "per-request"


@dataclass(frozen=True, slots=True)
class Reload:
    """``signal`` is a name such as ``HUP``, set for SIGNAL only."""

    kind: ReloadKind = ReloadKind.RESTART
    signal: str | None = None


@dataclass(frozen=True, slots=True)
class MapEntry:
    """A declared mapping: tree path ``source`` lands at container path ``target``."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """One ``[service.X]`` table.

    ``container`` names a container that no Compose file makes. ``volumes`` permits writing named
    volumes. ``purge`` are gitignore-style patterns of caches below the mapped directories.
    """

    map: tuple[MapEntry, ...] = ()
    ignore: tuple[str, ...] = ()
    reload: Reload = Reload()
    container: str | None = None
    volumes: bool = False
    purge: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Which remedies (``do``) for which causes (``when``), where.

    Empty ``services`` and ``paths`` mean everywhere. ``name`` is the author's, else ``rule[N]``.
    """

    when: tuple[str, ...]
    do: tuple[Remedy, ...]
    services: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    rebuild: RebuildMode = RebuildMode.CACHED
    name: str = ""

    def names(self, cause: str) -> bool:
        """Whether the rule asks for this cause by its slug, ``*`` not counted."""
        return cause in self.when


@dataclass(frozen=True, slots=True)
class Never:
    """What no rule may do: ``inject`` holds paths, the others service names or ``*``.

    ``allow`` lists exact tree paths that look like secrets and may be injected all the same.
    """

    inject: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    recreate: tuple[str, ...] = ()
    rebuild: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """At most ``rebuilds`` per service within ``rebuild_window`` seconds."""

    rebuilds: int = 3
    rebuild_window: float = 600.0


@dataclass(frozen=True, slots=True)
class Weekly:
    """A moment of the week in local time; ``day`` 0 is Monday."""

    day: int
    hour: int
    minute: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """``patrol`` seconds between full checks; ``validate`` is when the whole stack is validated."""

    patrol: float = 300.0
    validate: Weekly | None = None


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """The Compose project's name, files (relative to the project) and profiles, where given."""

    name: str | None = None
    files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """All of ``freshd.toml``. ``Policy()`` is the policy of a project without one: notify only.

    ``path`` is the file it was read from, None where there is none.
    """

    version: int = 1
    project: ProjectSettings = ProjectSettings()
    services: Mapping[str, ServicePolicy] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    never: Never = Never()
    limits: Limits = Limits()
    schedule: Schedule = Schedule()
    path: str | None = None

    def service(self, name: str) -> ServicePolicy:
        """The service's table, or the defaults."""
        return self.services.get(name, ServicePolicy())
