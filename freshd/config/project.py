"""One project: its Compose files and names, its model and its policy.

In: where it is and what was typed, as ``locate`` returns them. Out: a ``Project`` that notices when
its files change and keeps the last good version of them.
"""

import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeAlias

from freshd.config.compose.develop_watch import list_ignore_files, read_watch_rules
from freshd.config.compose.files import candidates, default_files, find_referenced
from freshd.config.compose.labels import find_names_in_use, find_spellings, same_files
from freshd.config.compose.model import ComposeModel, ComposeService, parse
from freshd.config.compose.names import derive_project_name, find_underscored
from freshd.config.compose.places import with_real_places
from freshd.config.load import check_services, load_policy
from freshd.config.locate import Located
from freshd.engine.cli.compose import ComposeFiles
from freshd.model.errors import ConfigError, EngineUnavailable, FreshdError
from freshd.model.observed.container import Replica
from freshd.model.policy import POLICY_FILE, Policy, ProjectSettings
from freshd.model.text import Json
from freshd.tree.listing import Stamp, stamp
from freshd.tree.places import find_place, settle_parent

_EVERY_PROFILE: Final = ("*",)
_Stamps: TypeAlias = Mapping[str, Stamp]


class ComposeConfig(Protocol):
    """What resolves a Compose model: ``freshd.engine.cli.compose.Compose``."""

    def config(self, files: ComposeFiles) -> Mapping[str, Json]: ...


class Containers(Protocol):
    """What lists all containers: ``freshd.engine.client.Engine``."""

    def overview(self) -> Sequence[Replica]: ...


@dataclass(slots=True)
class IfAnswering:
    """The containers of an engine; none while it cannot be reached, and ``problem`` says why."""

    containers: Containers
    problem: str = ""

    def overview(self) -> Sequence[Replica]:
        try:
            return self.containers.overview()
        except EngineUnavailable as error:
            self.problem = error.message
            return ()


@dataclass(frozen=True, slots=True)
class _State:
    """One good version of everything that is read from files."""

    policy: Policy
    compose_files: ComposeFiles | None
    model: ComposeModel
    services: Mapping[str, ComposeService] = field(default_factory=dict)
    config: Mapping[str, Json] = field(default_factory=dict)


class Project:
    """A loaded project. ``refresh`` reads changed files again; all else is as of then.

    Safe to use from several threads.
    """

    def __init__(
        self,
        located: Located,
        *,
        compose: ComposeConfig,
        engine: Containers | None,
        settings: ProjectSettings | None = None,
    ) -> None:
        self.named_dir = located.directory
        self.dir = find_place(located.directory).path
        self.policy_path = os.path.join(self.dir, POLICY_FILE)
        self.problem = ""
        self._located = located
        self._compose = compose
        self._settings = settings
        self._lock = threading.Lock()
        self._name: str | None = None
        self._spelled: tuple[str, tuple[str, ...]] | None = None
        self._underscored: frozenset[str] = frozenset()
        self._stamps: _Stamps = {}
        self._again = False
        self._state = self._read()
        if engine is not None:
            replicas = engine.overview()
            if self._explicit_name(self._state.policy) is None:
                self._take_name_of(replicas)
            self._take_spelling_of(replicas)
            self.follow_names(replicas)

    @property
    def name(self) -> str:
        """The Compose project's name."""
        return self._state.model.name

    @property
    def policy(self) -> Policy:
        return self._state.policy

    @property
    def model(self) -> ComposeModel:
        return self._state.model

    @property
    def compose_files(self) -> ComposeFiles | None:
        """How to call Compose for this project; None where no Compose file is part of it."""
        return self._state.compose_files

    def compose_files_of(self, service: str) -> ComposeFiles | None:
        """How to call Compose for ``service``, so that its containers keep the names they have.

        None for one that no Compose file makes.
        """
        state = self._state
        if state.compose_files is None or service not in state.model.services:
            return None
        return replace(state.compose_files, underscores=service in self._underscores(state.config))

    @property
    def services(self) -> Mapping[str, ComposeService]:
        """Services of all profiles, and the policy's containers that no Compose file makes.

        The places that they name are real ones; ``model`` has them as the Compose files do.
        """
        return self._state.services

    def service(self, name: str) -> ComposeService:
        """One service; ConfigError names those there are."""
        try:
            return self._state.services[name]
        except KeyError:
            known = ", ".join(sorted(self._state.services)) or "none"
            raise ConfigError(
                f"{self.name} has no service {name}", hint=f"its services: {known}"
            ) from None

    def consent_files(self) -> tuple[str, ...]:
        """Absolute paths of what automatic steps execute: policy, Compose files, Dockerfiles.

        Each by the real place of its directory, however the project was reached.
        """
        state = self._state
        paths = {self.policy_path} if state.policy.path is not None else set()
        if state.compose_files is not None:
            files = state.compose_files.files
            paths.update(files)
            paths.update(
                path for path in find_referenced(files) if path.endswith((".yaml", ".yml"))
            )
        for service in state.services.values():
            build = service.build
            if build is not None and not build.remote and build.dockerfile_inline is None:
                paths.add(os.path.normpath(os.path.join(build.context, build.dockerfile)))
        return tuple(sorted(set(map(settle_parent, paths))))

    def input_files(self) -> tuple[str, ...]:
        """Absolute paths whose change ``refresh`` would notice, whether they exist or not.

        Each by the real place of its directory.
        """
        with self._lock:
            return tuple(dict.fromkeys(map(settle_parent, self._stamps)))

    def is_settled(self, service: str) -> bool:
        """Whether what ``service`` names still leads where it led at the last ``refresh``."""
        now = _services(self._state.model, self._state.policy)
        return now.get(service) == self._state.services.get(service)

    def follow_names(self, replicas: Iterable[Replica]) -> None:
        """Containers that Compose v1 made, or v2 with ``--compatibility``, keep their names."""
        with self._lock:
            underscored = find_underscored(self.name, replicas, self._underscored)
            if underscored == self._underscored:
                return
            self._underscored = underscored
            state = self._state
            model = parse(state.config, self._underscores(state.config))
            self._state = replace(state, model=model, services=_services(model, state.policy))

    def _underscores(self, config: Mapping[str, Json]) -> frozenset[str]:
        services = config.get("services")
        if self._located.underscores and isinstance(services, Mapping):
            return frozenset(services)
        return self._underscored

    def refresh(self) -> bool:
        """Read again what changed; whether anything is different now, ``problem`` included.

        A link that leads elsewhere is a change, too. An invalid version sets ``problem`` and leaves
        the last good one in force. Costs some stats when nothing changed.
        """
        with self._lock:
            before = self._state, self.problem
            if not self._again and _take_stamps(self._stamps) == self._stamps:
                self._settle()
                return (self._state, self.problem) != before
            try:
                self._state = self._read()
                self.problem = ""
                self._again = False
            except FreshdError as error:
                self.problem = error.message
                # what is wrong with the files stays wrong until they change; a time-out may not
                self._again = not isinstance(error, ConfigError)
            return (self._state, self.problem) != before

    def _settle(self) -> None:
        """Follow the links again that lead to what the services name."""
        state = self._state
        services = _services(state.model, state.policy)
        if services == state.services:
            return
        watch = state.policy.watch
        if watch:
            watch = read_watch_rules(services.values(), project_dir=self.dir)
        policy = replace(state.policy, watch=watch)
        self._state = replace(state, services=services, policy=policy)

    def _read(self) -> _State:
        """Everything from the files. Stamps are taken first, so that no later change is missed."""
        paths = self._watched()
        now = time.time_ns()
        self._stamps = _take_stamps(paths, now=now)
        policy = Policy(project=self._settings or ProjectSettings())
        if self._settings is None and os.path.lexists(self.policy_path):
            policy = load_policy(self.policy_path)
        files = self._files(policy)
        more = {*files, *find_referenced(files)}
        self._stamps = {**_take_stamps(more, now=now), **self._stamps}
        compose_files, model, config = self._model(policy, files)
        if policy.project.develop_watch:
            services = _services(model, policy).values()
            self._stamps = {**_take_stamps(list_ignore_files(services), now=now), **self._stamps}
            policy = replace(policy, watch=read_watch_rules(services, project_dir=self.dir))
        mistakes = check_services(policy, model.services)
        if mistakes:
            raise ConfigError(
                f"{POLICY_FILE}: {mistakes[0]}",
                hint=f"services of {model.name}: {', '.join(sorted(model.services)) or 'none'}",
                problems=mistakes,
            )
        return _State(policy, compose_files, model, _services(model, policy), config)

    def _watched(self) -> set[str]:
        located = self._located
        paths = {self.policy_path, *candidates(self.named_dir)}
        paths.update(located.files, located.env_files)
        return paths | set(self._stamps)

    def _files(self, policy: Policy) -> tuple[str, ...]:
        """By the names that the containers were made with, where these are the same files."""
        files = self._located.files or tuple(
            os.path.normpath(os.path.join(self.named_dir, file)) for file in policy.project.files
        )
        files = files or default_files(self.named_dir)
        if self._spelled is not None and same_files(self._spelled[1], files):
            return self._spelled[1]
        return files

    def _model(
        self, policy: Policy, files: tuple[str, ...]
    ) -> tuple[ComposeFiles | None, ComposeModel, Mapping[str, Json]]:
        name = self._explicit_name(policy) or self._name
        if not files:
            if all(table.container is None for table in policy.services.values()):
                raise ConfigError(
                    f"{self.dir} has no Compose file, and its policy names no container",
                    hint='add a Compose file, or [service.X] with container = "NAME"',
                )
            empty: Mapping[str, Json] = {"name": name or derive_project_name(self.named_dir)}
            return None, parse(empty), empty
        chosen = ComposeFiles(
            directory=os.path.dirname(files[0]),
            files=files,
            project=name,
            profiles=self._located.profiles or policy.project.profiles,
            env_files=self._located.env_files,
        )
        # services of every profile: a container of one that is not active now is checked as well
        config = self._compose.config(replace(chosen, profiles=_EVERY_PROFILE))
        model = parse(config, self._underscores(config))
        return replace(chosen, project=model.name), model, config

    def _explicit_name(self, policy: Policy) -> str | None:
        return self._located.project_name or policy.project.name

    def _take_name_of(self, replicas: Iterable[Replica]) -> None:
        """Take the name under which running containers of these very files were started."""
        files = self._state.compose_files
        if files is None:
            return
        names = find_names_in_use(replicas, directory=files.directory, files=files.files)
        if len(names) > 1:
            listed = ", ".join(sorted(names))
            raise ConfigError(
                f"containers of {files.directory} run under several project names: {listed}",
                hint="choose one with --project-name",
            )
        if names and names != {self.name}:
            self._name = names.pop()
            self._state = self._read()

    def _take_spelling_of(self, replicas: Iterable[Replica]) -> None:
        """Call Compose by the path that the containers were made by.

        A link to the project and its real place are two names of one project; but Compose puts
        the name into the containers, and takes ``../lib`` to be beside it.
        """
        files = self._state.compose_files
        if files is None:
            return
        ours = [replica for replica in replicas if replica.project == self.name]
        used = find_spellings(ours, directory=files.directory, files=files.files)
        if len(used) == 1 and used != {(files.directory, files.files)}:
            self._spelled = used.pop()
            self._state = self._read()


def load(
    located: Located,
    *,
    engine: Containers | None,
    compose: ComposeConfig,
    settings: ProjectSettings | None = None,
) -> Project:
    """Read the project. ``engine`` None: names are not looked up in running containers.

    With ``settings`` the policy file is not read, and these stand for what it says of the project.
    Raises ConfigError for the policy, Compose files or several names, EngineUnavailable.
    """
    return Project(located, compose=compose, engine=engine, settings=settings)


def _services(model: ComposeModel, policy: Policy) -> Mapping[str, ComposeService]:
    services = {name: with_real_places(service) for name, service in model.services.items()}
    for name, table in policy.services.items():
        if table.container is not None and name not in services:
            services[name] = ComposeService(name, "", container_name=table.container)
    return services


def _take_stamps(paths: Iterable[str], *, now: int = 0) -> _Stamps:
    """Links are followed, as Compose does."""
    return {path: stamp(path, now=now, follow=True) for path in paths}
