"""One project, found and read, with what verbs work on it with: engine, store, contexts of passes.

An ``Invocation`` comes in, a ``Workspace`` goes out. ``session`` and ``inspection`` work on it.
"""

import difflib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self, TypeAlias

from freshd.config.invocation import Invocation
from freshd.config.load import load_policy, load_user_config
from freshd.config.locate import Located, locate_project
from freshd.config.locations import Locations, locate, prepare
from freshd.config.project import Containers, IfAnswering, Project, load
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine, EngineVersion
from freshd.engine.shared_cache import SharedCache
from freshd.engine.transport.endpoint import Endpoint, resolve
from freshd.model.errors import ConfigError, StateError
from freshd.model.observed.container import Replica
from freshd.model.policy import ProjectSettings
from freshd.observe.compose_watch import ComposeWatches
from freshd.observe.container.members import find_replicas
from freshd.reconcile.context import Context
from freshd.store.store import Store, memory_store, open_store

EngineUse: TypeAlias = Literal["required", "optional", "unused"]
LineProgress: TypeAlias = Callable[[str], None]


def ignore_line(_line: str) -> None:
    """Output that nobody asked for."""


@dataclass(slots=True)
class Workspace:
    """A context manager. ``locks`` is a private directory, ``clock`` gives unix seconds.

    ``on_line`` is given each line that a build or the engine prints. ``unseen`` says what is not
    known because no engine answered; () where it answered or was not asked.
    """

    located: Located
    project: Project
    store: Store
    locks: str
    endpoint: Endpoint
    compose: Compose
    memory: SharedCache = field(default_factory=SharedCache)
    clock: Callable[[], float] = time.time
    on_line: LineProgress = ignore_line
    unseen: tuple[str, ...] = ()
    _watches: ComposeWatches = field(default_factory=ComposeWatches)
    _contexts: dict[str, Context] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for engine in self.engines:
            engine.close()
        self.store.close()

    @property
    def engines(self) -> list[Engine]:
        """The clients of all contexts made so far."""
        return [context.engine for context in self._contexts.values()]

    def context(self, service: str) -> Context:
        """The context of one service, with an engine client of its own."""
        if service not in self._contexts:
            self._contexts[service] = Context(
                project=self.project,
                engine=Engine(self.endpoint, memory=self.memory),
                compose=self.compose,
                store=self.store,
                locks=self.locks,
                clock=self.clock,
                asked=True,
                watches=self._watches,
                on_line=lambda line: self.on_line(line),
            )
        return self._contexts[service]

    def resolve_names(self, typed: Sequence[str]) -> tuple[str, ...]:
        """The services meant, named by themselves or by a container; all where none is typed.

        Raises ConfigError for a name that is neither.
        """
        if not typed:
            return tuple(sorted(self.project.services))
        return tuple(dict.fromkeys(self._resolve_name(name) for name in typed))

    def _resolve_name(self, typed: str) -> str:
        known = sorted(self.project.services)
        if typed in known:
            return typed
        found = find_replicas(self.context(typed).engine, self.project, known)
        for service, replicas in found.items():
            if any(typed in (replica.name, replica.id) for replica in replicas):
                return service
        near = difflib.get_close_matches(typed, self.project.services, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(
            f"{self.project.name} has no service or container {typed}",
            hint=f"{guess}its services: {', '.join(known) or 'none'}",
        )


def open_workspace(
    invocation: Invocation,
    *,
    engine: EngineUse = "required",
    with_policy: bool = True,
    on_line: LineProgress = ignore_line,
    clock: Callable[[], float] = time.time,
) -> Workspace:
    """Find and read the project.

    Without ``with_policy`` only the ``[project]`` table of an existing policy counts, and a broken
    one is as good as none. Raises ConfigError, and EngineUnavailable where ``engine`` is required.
    """
    locations = locate(invocation.environ)
    host = load_user_config(locations.user_config).engine.host
    endpoint = resolve(invocation.environ, configured=host)
    compose = Compose(endpoint, invocation.environ)
    located = locate_project(invocation)
    settings = None if with_policy else read_settings(located.policy_path)
    with Engine(endpoint) as client, ThreadPoolExecutor(1) as beside:
        containers: Containers | None = None
        if engine != "unused":
            # Importing the SDK takes as long as `docker compose config`: both at once.
            containers = _Answered(client, beside.submit(client.ping))
        if containers is not None and engine == "optional":
            containers = IfAnswering(containers)
        project = load(located, engine=containers, compose=compose, settings=settings)
    problem = containers.problem if isinstance(containers, IfAnswering) else ""
    return Workspace(
        located=located,
        project=project,
        store=_open_store(locations),
        locks=locations.locks,
        endpoint=endpoint,
        compose=compose,
        memory=client.memory,
        clock=clock,
        on_line=on_line,
        unseen=(f"{problem}; no image and no container was looked at",) if problem else (),
    )


@dataclass(frozen=True, slots=True)
class _Answered:
    """An engine that is only asked once it has answered a first time."""

    engine: Engine
    answer: "Future[EngineVersion]"

    def overview(self) -> tuple[Replica, ...]:
        self.answer.result()
        return self.engine.overview()


def read_settings(policy_path: str) -> ProjectSettings:
    """The ``[project]`` table of a policy that may be absent or broken."""
    if not os.path.lexists(policy_path):
        return ProjectSettings()
    try:
        return load_policy(policy_path).project
    except ConfigError:
        return ProjectSettings()


def _open_store(locations: Locations) -> Store:
    """The state database; without a usable one a check still works, from memory."""
    try:
        prepare(locations)
        return open_store(locations.database, now=time.time())
    except StateError:
        return memory_store()
