"""A project with what its engine can add, or without one: for verbs that also work half blind.

Comes in: what was typed. Goes out: maps, replicas, images; ``unseen`` says what could not be had.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from freshd.config.invocation import Invocation
from freshd.config.load import load_policy, load_user_config
from freshd.config.locate import Located, locate_project
from freshd.config.locations import Locations, locate, prepare
from freshd.config.project import Project, load
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.engine.inspect import ImageConfig
from freshd.engine.transport.endpoint import resolve
from freshd.mapping.service_map import MapResult, build_map
from freshd.model.errors import ConfigError, EngineFailed, EngineUnavailable, StateError
from freshd.model.observed.container import Replica
from freshd.model.policy import ProjectSettings
from freshd.observe.container.members import containers_of
from freshd.observe.snapshot import Surveyor
from freshd.store.store import Store, memory_store, open_store


@dataclass(slots=True)
class Sight:
    """``engine`` is None where none answers."""

    project: Project
    located: Located
    engine: Engine | None
    store: Store
    unseen: list[str] = field(default_factory=list)
    _surveyor: Surveyor | None = None

    def maps(self) -> Mapping[str, "Mapped"]:
        """Every service's map; one that cannot be made says why and hides no other."""
        return {name: self._mapped(name) for name in sorted(self.project.services)}

    def image_config(self, ref: str) -> ImageConfig | None:
        """An image's configuration, where there is an engine and it has the image."""
        return self.engine.image_config(ref) if self.engine is not None and ref else None

    def _mapped(self, name: str) -> "Mapped":
        try:
            if self.engine is None:
                made = build_map(
                    self.project.service(name),
                    project_dir=self.project.dir,
                    policy=self.project.policy.service(name),
                )
                return Mapped(made)
            if self._surveyor is None:
                self._surveyor = Surveyor(self.project, self.engine, self.store)
            replicas = self._replicas(self.engine, name)
            found, held = self._surveyor.proof(name, replicas)
            return Mapped(found, replicas, held)
        except (ConfigError, EngineFailed) as error:
            return Mapped(None, problem=error.message)

    def _replicas(self, engine: Engine, name: str) -> tuple[Replica, ...]:
        container = self.project.policy.service(name).container
        if container is not None:
            return engine.replicas(names=[container])
        files = self.project.compose_files
        if files is None:
            return ()
        every = containers_of(
            engine, self.project.name, [name], directory=files.directory, files=files.files
        )
        return every.services[name]


@dataclass(frozen=True, slots=True)
class Mapped:
    """One service's map, or the ``problem`` that there is none.

    ``held`` is how many of its visible copies the image has as the tree does; None: not known.
    """

    made: MapResult | None
    replicas: tuple[Replica, ...] = ()
    held: int | None = None
    problem: str = ""


@contextmanager
def open_sight(invocation: Invocation, *, with_policy: bool = True) -> Iterator[Sight]:
    """Find and read the project; an engine that is away is noted and not missed.

    Without ``with_policy`` only its ``[project]`` table is taken of an existing policy, and a
    broken one is as good as none. Raises ConfigError.
    """
    environ = invocation.environ
    locations = locate(environ)
    endpoint = resolve(environ, configured=load_user_config(locations.user_config).engine.host)
    compose = Compose(endpoint, environ)
    located = locate_project(invocation)
    settings = None if with_policy else settings_of(located.policy_path)
    store = kept_store(locations)
    engine = Engine(endpoint)
    try:
        sight = _seen(located, engine, compose, settings, store)
        yield sight
    finally:
        engine.close()
        store.close()


def _seen(
    located: Located,
    engine: Engine,
    compose: Compose,
    settings: ProjectSettings | None,
    store: Store,
) -> Sight:
    try:
        engine.ping()
        project = load(located, engine=engine, compose=compose, settings=settings)
    except EngineUnavailable as error:
        project = load(located, engine=None, compose=compose, settings=settings)
        why = f"{error.message}; no image and no container was looked at"
        return Sight(project, located, None, store, [why])
    return Sight(project, located, engine, store)


def settings_of(policy_path: str) -> ProjectSettings:
    """The ``[project]`` table of a policy that may be absent or broken."""
    if not os.path.lexists(policy_path):
        return ProjectSettings()
    try:
        return load_policy(policy_path).project
    except ConfigError:
        return ProjectSettings()


def kept_store(locations: Locations) -> Store:
    """The state database; without a usable one a look still works, from memory."""
    try:
        prepare(locations)
        return open_store(locations.database, now=time.time())
    except StateError:
        return memory_store()
