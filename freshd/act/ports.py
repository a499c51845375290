"""What actions may touch: one ``World`` per project and service, made by ``reconcile``.

Actions decide nothing: they get the engine, the tree through ``read``, and places to record what
was observed. Nothing here is optional, so no step can run with a part missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Protocol

from freshd.engine.cli.compose import Compose, ComposeFiles
from freshd.engine.client import Engine
from freshd.model.files import Entry
from freshd.model.observed.container import Replica
from freshd.model.plan import Outcome, Step
from freshd.model.policy import Hook
from freshd.model.text import Json


def _nothing_to_lose() -> None:
    """There is nothing around the containers."""


class Written(Protocol):
    """What freshd last wrote, by container id and target: only what was read back goes in."""

    def set_many(self, container_id: str, digests: Mapping[str, str], at: float) -> None: ...


class StepJournal(Protocol):
    """The journal entry of the step that runs now; each call commits before it returns."""

    def begin(self, step: Step) -> None: ...

    def phase(self, name: str, data: Mapping[str, Json]) -> None:
        """Called before each dangerous call: put, rename, delete, purge, restart, build, recreate,
        exec.

        And after a rename or a put in place: verify. ``data`` may hold ``staging`` (directories to
        clean after a kill), ``helper`` (whose exec may still run) and ``pid`` (a child).
        """

    def finish(self, outcome: Outcome) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long things may take, in seconds. ``settle`` is how long a process must stay up, and
    ``command`` how long one of a ``sync+exec`` rule may run."""

    grace: float = 10.0
    patience: float = 60.0
    settle: float = 0.5
    build: float = 3600.0
    command: float = 600.0
    poll: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One service of one project, while a plan is carried out.

    ``read(source, sink)`` returns a tree file's entry, and gives the very bytes that it was made of
    to the sink; or raises FileNotFoundError.
    ``replicas()`` are the service's containers now, one-offs left out.
    ``doubt_absence(target)`` says why it is not proved, right now, that the source of a container
    path has left the tree, "" where it is: without that proof nothing is deleted.
    ``directories`` are the container directories that mappings land in: nothing is deleted or
    purged elsewhere, except where a purge pattern names an absolute path.
    ``compose_files`` is None for a service that no Compose file makes. ``image_ref`` is the tag
    that a build gives, ``built_by`` the service whose build gives it, where that is another one.
    ``inputs()`` are the digests of the build's inputs now, ``mismatches()`` the paths at which
    the image of ``image_ref`` is not what the tree says (rule 15), ``labels(inputs)`` are those
    that a build of them carries, ``conceal(line)`` takes out of what it prints what may be
    secret, and ``record_build(image_id, inputs)`` remembers what a proven
    build was made of. ``hooks`` say, by the name of their rule, how commands are run.
    ``followers()`` are the running containers, by service, that share a namespace of this one's
    and lose it when that ends. ``wanted_binds`` are the host's paths that a new container would
    mount. ``check_renewal()`` raises StepRefused where new containers would cost what nobody gave
    up: rules 9, 16 and 17. ``clock`` is unix seconds.
    """

    engine: Engine
    compose: Compose
    compose_files: ComposeFiles | None
    service: str
    image_ref: str
    volumes_allowed: bool
    directories: tuple[str, ...]
    read: Callable[[str, IO[bytes]], Entry]
    doubt_absence: Callable[[str], str]
    replicas: Callable[[], tuple[Replica, ...]]
    inputs: Callable[[], Mapping[str, str]]
    mismatches: Callable[[], tuple[str, ...]]
    record_build: Callable[[str, Mapping[str, str]], None]
    labels: Callable[[Mapping[str, str]], Mapping[str, str]] = dict
    conceal: Callable[[str], str] = str
    written: Written
    journal: StepJournal
    on_line: Callable[[str], None]
    clock: Callable[[], float]
    timeouts: Timeouts = Timeouts()
    built_by: str = ""
    followers: Callable[[], Mapping[str, tuple[Replica, ...]]] = dict
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    wanted_binds: frozenset[str] = frozenset()
    check_renewal: Callable[[], None] = _nothing_to_lose


class Action(Protocol):
    """A module of this package that carries out one kind of step."""

    def apply(self, step: Step, world: World) -> Outcome:
        """Do it and return what was observed; raises errors of ``freshd.model.errors``."""
