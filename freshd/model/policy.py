"""A policy as frozen values, as ``config`` reads it from ``freshd.toml``.

Times are seconds; tree paths are relative to the project, container paths absolute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from freshd.model.plan import Command
from freshd.model.remedy import RebuildMode, Remedy

ANY_CAUSE = "*"
POLICY_FILE: Final = "freshd.toml"


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
class Probe:
    """One ``[[service.X.probe]]``: a command in the container, or a request from this machine.

    ``exit`` None goes for 0, ``status`` None for any 2xx. ``equals`` is a text, or a command whose
    output is the text. ``timeout`` is in seconds.
    """

    name: str
    run: tuple[str, ...] = ()
    http: str = ""
    exit: int = 0
    status: int | None = None
    contains: str | None = None
    equals: str | tuple[str, ...] | None = None
    timeout: float = 10.0

    @property
    def question(self) -> str:
        """What is asked, as it may be shown: what can be a secret in it is left out."""
        return without_secrets(self.http) if self.http else _command(self.run)

    @property
    def wants_output_of(self) -> str:
        """The command whose output is expected, "" where there is none; as it may be shown."""
        return "" if self.equals is None or isinstance(self.equals, str) else _command(self.equals)


def without_secrets(address: str) -> str:
    """An address without user, password, query and fragment."""
    scheme, mark, rest = address.partition("://")
    if not mark:
        return "…"  # it is none, and may be anything
    authority, slash, path = rest.partition("/")
    host = authority.rpartition("@")[2].partition("?")[0].partition("#")[0]
    shown = f"{scheme}{mark}{host}{slash}{path.partition('?')[0].partition('#')[0]}"
    return f"{shown}?…" if "?" in rest else shown


def _command(argv: tuple[str, ...]) -> str:
    return argv[0] + (" …" if len(argv) > 1 else "") if argv else ""


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    """One ``[service.X]`` table.

    ``container`` names a container that no Compose file makes. ``volumes`` permits writing named
    volumes. ``purge`` are gitignore-style patterns of caches below the mapped directories.
    ``derives`` are artefacts: ``target`` in the image is made from ``source``. ``probes`` are asked
    in every whole look. ``layer_age`` is how old what a build fetched may be (seconds; None: any).
    """

    map: tuple[MapEntry, ...] = ()
    ignore: tuple[str, ...] = ()
    reload: Reload = Reload()
    container: str | None = None
    volumes: bool = False
    purge: tuple[str, ...] = ()
    derives: tuple[MapEntry, ...] = ()
    probes: tuple[Probe, ...] = ()
    layer_age: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Which remedies (``do``) for which causes (``when``), where.

    Empty ``services`` and ``paths`` mean everywhere. ``name`` is the author's, else ``rule[N]``.
    ``commands`` belong to ``exec``, which only a ``develop.watch`` rule can ask for.
    """

    when: tuple[str, ...]
    do: tuple[Remedy, ...]
    services: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    rebuild: RebuildMode = RebuildMode.CACHED
    name: str = ""
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Hook:
    """How a ``sync+exec`` rule wants its command run; None leaves it to the image."""

    argv: tuple[str, ...]
    user: str | None = None
    privileged: bool = False
    workdir: str | None = None
    environment: Mapping[str, str | None] = field(default_factory=dict)


class Selects(Protocol):
    """Which tree paths, relative to the project, a rule speaks of."""

    def __call__(self, path: str) -> bool: ...

    def enters(self, directory: str) -> bool:
        """Whether it may speak of something in or below ``directory``."""

    def below(self, path: str) -> str | None:
        """The path as seen from the rule's own; "" for that itself, None where it is not below."""

    def takes(self, below: str, path: str, *, sent: bool = False) -> bool:
        """The same as a call, where what ``below`` would say of ``path`` is known already.

        ``sent``: so is that the builder is sent the file.
        """

    def covers(self, context: str, ignore: object) -> bool:
        """Whether every file it speaks of is one that the build ``context`` has by ``ignore``."""


@dataclass(frozen=True, slots=True)
class WatchRule:
    """One rule of a service's ``develop.watch``, in freshd's terms. ``number`` counts from 1.

    ``source`` is absolute. ``target`` is a directory where it ends in ``/`` or ``source`` is one.
    ``initial``: the rule speaks of a file from the start, and not only once it has changed.
    ``dockerfile``: the service's Dockerfile is one of its files.
    """

    service: str
    number: int
    does: frozenset[Remedy]
    source: str
    selects: Selects
    target: str | None = None
    initial: bool = False
    dockerfile: bool = False
    hook: Hook | None = None

    @property
    def name(self) -> str:
        """As plans, log and history show it."""
        return f"develop.watch {self.service} {self.number}"

    def lands(self, path: str) -> str | None:
        """Where the rule brings a file that it selects; None where it brings nothing."""
        below = None if self.target is None else self.selects.below(path)
        return self.place(below) if below is not None and self.selects.takes(below, path) else None

    def place(self, below: str) -> str | None:
        """Where a file that the rule selects lands, by its path below ``source``."""
        if self.target is None:
            return None
        if below == "" and not self.target.endswith("/"):
            return self.target
        name = below or self.source.rpartition("/")[2]
        return f"{self.target.rstrip('/')}/{name}"


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
    """How much of its own accord freshd may do to a service within so many seconds.

    ``restarts`` are reloads and recreates as well, ``injections`` purges and commands too; these
    are of each replica. ``window`` goes for both.
    """

    rebuilds: int = 20
    rebuild_window: float = 600.0
    restarts: int = 60
    injections: int = 1000
    window: float = 600.0


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
    """The Compose project's name, files (relative to the project) and profiles, where given.

    ``develop_watch``: the ``develop.watch`` sections of the Compose files are part of the policy.
    """

    name: str | None = None
    files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    develop_watch: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """All of ``freshd.toml``. ``Policy()`` is the policy of a project without one: notify only.

    ``path`` is the file it was read from, None where there is none. ``watch`` are the rules of the
    Compose files' ``develop.watch`` sections: they stand behind all ``rules``.
    """

    version: int = 1
    project: ProjectSettings = ProjectSettings()
    services: Mapping[str, ServicePolicy] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    never: Never = Never()
    limits: Limits = Limits()
    schedule: Schedule = Schedule()
    path: str | None = None
    watch: tuple[WatchRule, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether anybody has said what may be done."""
        return self.path is not None or bool(self.watch)

    @property
    def injects(self) -> bool:
        """Whether some rule brings files into containers."""
        asked = {remedy for rule in self.rules for remedy in rule.do}
        return Remedy.INJECT in asked.union(*(rule.does for rule in self.watch))

    def service(self, name: str) -> ServicePolicy:
        """The service's table, or the defaults."""
        return self.services.get(name, ServicePolicy())

    def watched(self, service: str) -> tuple[WatchRule, ...]:
        """The ``develop.watch`` rules of one service."""
        return tuple(rule for rule in self.watch if rule.service == service)
