"""What a pass needs to know of the world: one project, one engine, the store, the clock, locks.

One ``Context`` serves one pass at a time: its engine client and its memory are not shared.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freshd.act.ports import World
from freshd.config.compose.model import followers
from freshd.config.project import Project
from freshd.decide.consent import consent_problem, fingerprint
from freshd.decide.decide import plan_text
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.model.errors import AlreadyRunning, EngineFailed, OutcomeUnknown, TargetGone
from freshd.model.observed.build_label import LABEL, identity
from freshd.model.observed.container import Replica
from freshd.model.observed.image import BuildRecord
from freshd.model.plan import Outcome, Plan, Step
from freshd.model.remedy import Remedy
from freshd.model.text import Json
from freshd.observe.compose_watch import ComposeWatches
from freshd.observe.container.members import containers_of
from freshd.observe.observers import Tools
from freshd.observe.runtime import RuntimeCollector
from freshd.observe.snapshot import Surveyor
from freshd.reconcile.pending import Promises
from freshd.store.store import Store

if TYPE_CHECKING:
    from freshd.model.files import Entry

_LOCK_PATIENCE = 120.0


def _no_line(_line: str) -> None:
    """Output that nobody asked for."""


@dataclass(slots=True)
class Context:
    """Everything around the stages. ``locks`` is a private directory, ``clock`` unix seconds.

    With ``asked`` a person typed the verb: that is consent to the files as they are now.
    """

    project: Project
    engine: Engine
    compose: Compose
    store: Store
    locks: str
    clock: Callable[[], float]
    asked: bool = False
    watches: ComposeWatches = field(default_factory=ComposeWatches)
    on_line: Callable[[str], None] = _no_line
    surveyor: Surveyor = field(init=False)
    runtime: RuntimeCollector = field(init=False)
    promises: Promises = field(init=False)

    def __post_init__(self) -> None:
        self.promises = Promises(self.store, self.project.name)
        self.surveyor = Surveyor(self.project, self.engine, self.store, self.clock)
        self.runtime = RuntimeCollector(
            Tools(self.project, self.engine, self.compose, self.store, self.clock)
        )

    def replicas(self, service: str) -> tuple[Replica, ...]:
        """The containers of ``service`` now, one-offs left out, by number."""
        return self.all_replicas([service])[service]

    def same_replicas(self, replicas: Iterable[Replica]) -> tuple[Replica, ...]:
        """The same containers as they are now. Raises TargetGone when one is no more."""
        return tuple(self.engine.replica(replica.id) for replica in replicas)

    def all_replicas(self, services: "list[str]") -> Mapping[str, tuple[Replica, ...]]:
        """The containers of each of ``services`` from one listing."""
        project = self.project
        files = project.compose_files
        found: dict[str, tuple[Replica, ...]] = {}
        if files is not None:
            found |= containers_of(
                self.engine, project.name, services, directory=files.directory, files=files.files
            ).services
            project.follow_names(one for several in found.values() for one in several)
        for service in services:
            name = project.policy.service(service).container
            if name is not None:
                found[service] = self.engine.replicas(names=[name])
        return {service: found.get(service, ()) for service in services}

    def followers(self, service: str) -> Mapping[str, tuple[Replica, ...]]:
        """The running containers of the services that share a namespace of ``service``'s."""
        names = followers(self.project.services, service)
        found = self.all_replicas(list(names)) if names else {}
        running = {name: tuple(one for one in found[name] if one.running) for name in found}
        return {name: several for name, several in running.items() if several}

    @property
    def injects(self) -> bool:
        """Whether some rule brings files into containers."""
        policy = self.project.policy
        asked = {*(one for rule in policy.rules for one in rule.do)}
        return Remedy.INJECT in asked.union(*(rule.does for rule in policy.watch))

    def warm(self, replicas: Iterable[Replica]) -> None:
        """Start the kept execs before they are needed: the next save then waits for none."""
        if not self.injects:
            return
        for replica in replicas:
            if replica.running:
                try:
                    self.engine.helper(replica.id)
                except (EngineFailed, OutcomeUnknown, TargetGone):
                    continue  # an injection tries again and says why it cannot

    @contextmanager
    def locked(self, service: str, *, patience: float = _LOCK_PATIENCE) -> Iterator[None]:
        """Nobody else changes ``service`` meanwhile, in this process or another.

        Raises AlreadyRunning when somebody still does after ``patience`` seconds.
        """
        from filelock import FileLock, Timeout

        key = hashlib.sha256(os.fsencode(f"{self.project.dir}\0{service}")).hexdigest()[:32]
        lock = FileLock(os.path.join(self.locks, f"{key}.lock"))
        try:
            lock.acquire(timeout=patience)
        except Timeout as error:
            raise AlreadyRunning(
                f"another freshd has been changing {service} for {patience:.0f} s",
                hint="see `freshd history` for what it does",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def halted(self, service: str) -> str | None:
        """Why nothing may be done to ``service`` until a person has looked, or None."""
        for halt in self.store.halts.active(self.project.name):
            if halt.service in (None, service):
                return halt.reason
        return None

    def watcher(self, service: str) -> str | None:
        """Why nothing is done to a service that Compose itself keeps up to date now, or None."""
        services = self.project.services
        for one in self.watches.at_work(self.project):
            if services[service].watch and one.covers(service, services):
                return f"{one}: only verified"
        return None

    def consent(self) -> None:
        """Remember what the files say now as agreed to."""
        self.store.consent.record(self.project.dir, self._fingerprint(), self.clock())

    def consent_problem(self) -> str | None:
        """Why steps that execute the project's files must wait, or None."""
        if self.asked:
            return None
        known = self.store.consent.get(self.project.dir)
        return consent_problem(None if known is None else known.files, self._fingerprint())

    def _fingerprint(self) -> dict[str, str]:
        contents = {}
        for path in self.project.consent_files():
            content = _content(path)
            if content is not None:  # a file that is gone differs from one that was agreed to
                contents[os.path.relpath(path, self.project.dir)] = content
        return fingerprint(contents)

    def world(self, plan: Plan, replicas: Iterable[Replica] = ()) -> World:
        """What the steps of ``plan``, made for ``replicas``, may touch."""
        service = plan.service
        model = self.project.service(service)
        build = _Build(self, service)
        return World(
            engine=self.engine,
            compose=self.compose,
            compose_files=self.project.compose_files_of(service),
            service=service,
            image_ref=model.image,
            built_by=model.built_by,
            followers=lambda: self.followers(service),
            volumes_allowed=self.project.policy.service(service).volumes,
            directories=self.surveyor.directories(service),
            read=self.surveyor.manifest.read,
            replicas=lambda: self.replicas(service),
            inputs=build.inputs,
            mismatches=build.mismatches,
            labels=build.labels,
            record_build=build.record,
            written=_Written(self, replicas),
            journal=_Journal(self.store, self.project.name, plan, self.clock),
            on_line=self.on_line,
            clock=self.clock,
            wanted_binds=frozenset(
                mount.source
                for mount in self.project.service(service).mounts
                if mount.kind == "bind"
            ),
            hooks={
                rule.name: rule.hook
                for rule in self.project.policy.watched(service)
                if rule.hook is not None
            },
        )


def _content(path: str) -> bytes | None:
    """Of a regular file, links followed as Compose does; None for anything else (rule 10)."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        # it may have become a fifo since, and that would be waited for
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return file.read()
    except OSError:
        return None


class _Written:
    """The record of writes for actions, which know a container by its id alone."""

    def __init__(self, context: Context, replicas: Iterable[Replica]) -> None:
        self._context = context
        self._known = {replica.id: replica for replica in replicas}

    def set_many(self, container_id: str, digests: Mapping[str, str], at: float) -> None:
        if container_id not in self._known:
            self._known[container_id] = self._context.engine.replica(container_id)
        self._context.store.writes.record(self._known[container_id], digests, at)


class _Build:
    """The tree's side of one rebuild: what went in, and whether the image holds it."""

    def __init__(self, context: Context, service: str) -> None:
        self._context = context
        self._service = service
        self._tree: Mapping[str, Entry] = {}

    def inputs(self) -> Mapping[str, str]:
        """Digests of all that the build may read, as it is now: called before the build."""
        self._tree = self._context.surveyor.build_tree(self._service)
        return {path: entry.digest for path, entry in self._tree.items()}

    def mismatches(self) -> tuple[str, ...]:
        """Files the image does not hold as the tree had them; what was edited since is left out."""
        return self._context.surveyor.mismatches(self._service, self._tree)

    def labels(self, inputs: Mapping[str, str]) -> Mapping[str, str]:
        """What tells, of the image alone, that it was made of ``inputs``."""
        return {LABEL: identity(inputs, self._args())}

    def _args(self) -> Mapping[str, str]:
        build = self._context.project.service(self._service).build
        return {} if build is None else {name: value or "" for name, value in build.args.items()}

    def record(self, image_id: str, inputs: Mapping[str, str]) -> None:
        self._context.store.builds.record(
            BuildRecord(
                image_id=image_id,
                service=self._service,
                inputs=inputs,
                args=self._args(),
                recorded_at=self._context.clock(),
            )
        )


class _Journal:
    """The journal entry of the step that runs, for a step that knows nothing of the store."""

    def __init__(self, store: Store, project: str, plan: Plan, clock: Callable[[], float]) -> None:
        self._journal = store.journal
        self._project = project
        self._service = plan.service
        self._text = plan_text(plan)
        self._clock = clock
        self._entry = 0

    def begin(self, step: Step) -> None:
        self._entry = self._journal.begin(
            self._project, self._service, step=step, plan_text=self._text, at=self._clock()
        )

    def phase(self, name: str, data: Mapping[str, Json]) -> None:
        self._journal.phase(self._entry, name, at=self._clock(), data=data)

    def finish(self, outcome: Outcome) -> None:
        self._journal.finish(self._entry, outcome, at=self._clock())
