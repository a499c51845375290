"""The API client: values of ``freshd.model`` out, one ``Engine`` per worker thread.

Every error is one of ``freshd.model.errors``.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from freshd.engine import inspect
from freshd.engine.connection import Connection
from freshd.engine.container.needs import Needs
from freshd.engine.container.shell_session import ShellSession
from freshd.engine.events import EngineEvent, EventStream, event_of
from freshd.engine.shared_cache import SharedCache
from freshd.engine.transport import sdk_errors
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import TargetGone
from freshd.model.observed.container import Replica
from freshd.model.observed.creation import Creation, ImageDefaults
from freshd.model.observed.image import ImageFacts

_Value = TypeVar("_Value")
_FLAGS_SHOWN = (1, 42)  # of Docker 23: from there on
_CHANGES = {0: "changed", 1: "added", 2: "deleted"}


@dataclass(frozen=True, slots=True)
class EngineVersion:
    version: str
    api_version: str


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What the engine says of itself. ``system_time`` is its clock, in seconds since the epoch."""

    name: str
    system: str
    driver: str
    root: str
    system_time: float


class Engine(Connection):
    """One engine, spoken to from one thread: what it has and does, as values of the model."""

    def __init__(
        self, endpoint: Endpoint, *, timeout: float = 20.0, memory: SharedCache | None = None
    ) -> None:
        super().__init__(endpoint, timeout=timeout, memory=memory)
        self._shells: dict[tuple[str, str], ShellSession] = {}
        self._inspected: dict[str, Mapping[str, Any]] = {}
        self._seen: dict[str, str] = {}

    def ping(self) -> EngineVersion:
        """Raises EngineUnavailable, its hint telling absent, dead and forbidden sockets apart."""
        with sdk_errors.translated(self.endpoint, "asking the engine's version"):
            data: Mapping[str, Any] = self.api.version()
        return EngineVersion(str(data.get("Version", "")), str(data.get("ApiVersion", "")))

    def info(self) -> EngineInfo:
        """Its storage driver, data root and clock."""
        with sdk_errors.translated(self.endpoint, "asking the engine about itself"):
            data: Mapping[str, Any] = self.api.info()
        return EngineInfo(
            name=str(data.get("Name", "")),
            system=str(data.get("OperatingSystem", "")),
            driver=str(data.get("Driver", "")),
            root=str(data.get("DockerRootDir", "")),
            system_time=inspect.seconds(data.get("SystemTime")),
        )

    def replicas(
        self,
        *,
        project: str | None = None,
        services: Collection[str] | None = None,
        names: Sequence[str] = (),
    ) -> tuple[Replica, ...]:
        """Containers in all states, of the Compose project or with one of the names (both: either).

        ``services`` leaves out those of the project's others: each container costs a question.
        Neither given: all of the engine. One that vanishes meanwhile is left out. By name order.
        """
        chosen = []
        for item in self._list(project if not names else None):
            labels = item.get("Labels") or {}
            own = {name.removeprefix("/") for name in item.get("Names") or ()}
            of_project = project is not None and labels.get(inspect.PROJECT) == project
            if services is not None and labels.get(inspect.SERVICE) not in services:
                of_project = False
            if of_project or own.intersection(names) or (project is None and not names):
                chosen.append(str(item["Id"]))
        found = []
        for container_id in chosen:
            try:
                found.append(self.replica(container_id))
            except TargetGone:
                continue
        return tuple(sorted(found, key=lambda replica: replica.name))

    def overview(self, *, within: float = 0.0) -> tuple[Replica, ...]:
        """All containers of the engine from one call: names, labels and state, nothing deeper.

        What a client that shares the memory was told ``within`` so many seconds will do.
        """
        at, items = self.memory.listing
        if time.monotonic() >= at + within:
            items = self._list(None)
            self.memory.listing = time.monotonic(), items
        return tuple(inspect.listed(item) for item in items)

    def listing(self) -> Sequence[Mapping[str, Any]]:
        """All containers as the engine lists them now, for this package only."""
        return self._list(None)

    def take_seen(self) -> Mapping[str, str]:
        """What was inspected since the last call: see ``inventory``; images with their chain id."""
        seen, self._seen = self._seen, {}
        return seen

    def replica(self, container_id: str) -> Replica:
        """One container by its full id. Raises TargetGone."""
        data = self.inspect(container_id)
        _keep(self._inspected, container_id, data)
        replica = inspect.replica_of(data)
        volumes = (mount.name for mount in replica.mounts if mount.kind == "volume")
        self._seen |= dict.fromkeys((container_id, *(f"volume:{name}" for name in volumes)), "")
        return replica

    def needs(self, container_id: str) -> Needs:
        """Which files a container cannot do without, as it names them. Raises TargetGone."""
        return inspect.needs_of(self.inspect(container_id))

    def creation(self, container_id: str) -> Creation:
        """What a container was made with; nothing is asked where it was inspected before."""
        if container_id not in self._inspected:
            self.replica(container_id)
        return inspect.creation_of(self._inspected[container_id])

    def addresses(self, container_id: str) -> frozenset[str]:
        """The container's addresses in its networks, as it was inspected last."""
        if container_id not in self._inspected:
            self.replica(container_id)
        settings = self._inspected[container_id].get("NetworkSettings") or {}
        networks = (settings.get("Networks") or {}).values()
        return frozenset(each["IPAddress"] for each in networks if each.get("IPAddress"))

    def first_pid(self, container_id: str) -> int:
        """The container's first process, as ``top`` numbers them; 0 when it does not run."""
        if container_id not in self._inspected:
            self.replica(container_id)
        return int((self._inspected[container_id].get("State") or {}).get("Pid") or 0)

    def top(self, container_id: str, columns: str) -> Sequence[Sequence[str]]:
        """Rows of the engine's own ``ps``; EngineFailed where the container does not run."""
        with sdk_errors.translated(self.endpoint, f"listing processes of {container_id[:12]}"):
            data: Mapping[str, Any] = self.api.top(container_id, ps_args=columns)
        return data.get("Processes") or ()

    def log_tail(self, container_id: str, *, lines: int) -> tuple[str, ...]:
        """The last lines that the container printed in its present life, both streams.

        EngineFailed where its logging driver keeps none that can be read.
        """
        if container_id not in self._inspected:
            self.replica(container_id)
        data = self._inspected[container_id]
        # not StartedAt: what is printed at once is logged before that is set
        ended = inspect.seconds((data.get("State") or {}).get("FinishedAt"))
        since = max(inspect.seconds(data.get("Created")), ended)
        with sdk_errors.translated(self.endpoint, f"reading the log of {container_id[:12]}"):
            said: bytes = self.api.logs(container_id, tail=lines, since=since)
        return tuple(said.decode(errors="replace").splitlines())

    def image_defaults(self, image_id: str) -> ImageDefaults | None:
        """What containers take from an image, by its id; None where there is no such image."""
        if image_id not in self._inspected and self.image(image_id) is None:
            return None
        return inspect.image_defaults(self._inspected[image_id])

    def volume_options(self, name: str) -> Mapping[str, str] | None:
        """Driver and options of a volume that Compose made; None of any other, or of none."""
        try:
            with sdk_errors.translated(self.endpoint, f"inspecting the volume {name}"):
                return inspect.volume_options(self.api.inspect_volume(name))
        except TargetGone:
            return None

    def layers(self, ref: str) -> tuple[str, tuple[str, ...]] | None:
        """Id and layers (diff ids, the lowest first) of an image; None where there is none."""
        data = self._inspected.get(ref)  # of an id they never change
        if data is None:
            found = self.image(ref)
            if found is None:
                return None
            data = self._inspected[found.id]
        return str(data["Id"]), tuple((data.get("RootFS") or {}).get("Layers") or ())

    def image(self, ref: str) -> ImageFacts | None:
        """Facts of an image by reference or id, without files; None when there is none."""
        try:
            with sdk_errors.translated(self.endpoint, f"inspecting image {ref}"):
                data = self.api.inspect_image(ref)
                history = self._history(str(data["Id"]))
        except TargetGone:
            return None
        _keep(self._inspected, str(data["Id"]), data)
        shown = _release(self.api_version) >= _FLAGS_SHOWN
        facts = replace(inspect.image_facts(data, history), flags_shown=shown)
        self._seen[facts.id] = facts.chain_id
        return facts

    def image_config(self, ref: str) -> inspect.ImageConfig | None:
        """What a build that starts from this image inherits; None where there is no such image."""
        try:
            with sdk_errors.translated(self.endpoint, f"inspecting image {ref}"):
                data = self.api.inspect_image(ref)
                history = self._history(str(data["Id"]))
        except TargetGone:
            return None
        config = inspect.image_config(data, history)
        self._seen[config.id] = config.chain_id
        return config

    def changes(self, container_id: str) -> Mapping[str, str]:
        """The writable layer: path -> changed, added or deleted. No volumes, no content."""
        with sdk_errors.translated(self.endpoint, f"listing changes of {container_id[:12]}"):
            items = self.api.diff(container_id) or ()
        return {str(item["Path"]): _CHANGES.get(int(item["Kind"]), "changed") for item in items}

    def restart(self, container_id: str, *, grace: float) -> None:
        """Stops (SIGKILL after ``grace`` seconds) and starts. OutcomeUnknown on a late answer."""
        with self.mutating(container_id, f"restarting {container_id[:12]}"):
            self.api.restart(container_id, timeout=max(int(grace), 0))

    def start(self, container_id: str) -> None:
        with self.mutating(container_id, f"starting {container_id[:12]}"):
            self.api.start(container_id)

    def signal(self, container_id: str, name: str) -> None:
        """Sends a signal, such as HUP, to the container's first process."""
        with self.mutating(container_id, f"sending {name} to {container_id[:12]}"):
            self.api.kill(container_id, name)

    def running_commands(self, container_id: str) -> tuple[tuple[str, ...], ...]:
        """The argv of every exec that runs in the container now. Raises TargetGone."""
        found = []
        for exec_id in self.inspect(container_id).get("ExecIDs") or ():
            try:
                with sdk_errors.translated(self.endpoint, f"inspecting an exec {exec_id[:12]}"):
                    state: Mapping[str, Any] = self.api.exec_inspect(exec_id)
            except TargetGone:
                continue  # it has ended meanwhile, and the engine has forgotten it
            if state.get("Running"):
                process = state.get("ProcessConfig") or {}
                argv = (process.get("entrypoint"), *(process.get("arguments") or ()))
                found.append(tuple(str(word) for word in argv))
        return tuple(found)

    def events(self, since: float | None) -> EventStream:
        """A stream on a connection of its own; ``since`` in unix seconds."""
        return EventStream(self.endpoint, self.api_version, since, timeout=self.timeout)

    def latest_events(self) -> tuple[EngineEvent, ...]:
        """Those that the engine still has, the oldest first: 256 of all that happened in it."""
        until = self.info().system_time
        with sdk_errors.translated(self.endpoint, "asking for the latest events"):
            lines = self.api.events(since="0", until=f"{until:.9f}", decode=True)
            return tuple(filter(None, map(event_of, lines)))

    def health_commands(self, container_id: str) -> tuple[str, ...]:
        """What its health check runs, as the engine's events name it."""
        if container_id not in self._inspected:
            self.replica(container_id)
        return inspect.health_commands(self._inspected[container_id])

    def shell(self, container_id: str, *, user: str = "0") -> ShellSession:
        """The user's kept exec in this container, started when none is alive: ``ShellSession``.

        Raises TargetGone or EngineFailed (paused, not running). ``available`` may be False.
        """
        known = self._shells.get((container_id, user))
        if known is not None and known.alive():
            return known
        self._end_shell((container_id, user))
        while len(self._shells) >= 128:
            self._end_shell(next(iter(self._shells)))
        made = self._shells[container_id, user] = ShellSession(self, container_id, user=user)
        return made

    def has_shell(self, container_id: str) -> bool:
        """Whether ``shell`` would answer without starting one."""
        known = self._shells.get((container_id, "0"))
        return known is not None and known.alive()

    def drop_shell(self, container_id: str) -> None:
        """Ends the container's kept execs, whoever they run as."""
        for key in [key for key in self._shells if key[0] == container_id]:
            self._end_shell(key)

    def _end_shell(self, key: tuple[str, str]) -> None:
        known = self._shells.pop(key, None)
        if known is not None:
            known.close()

    def close(self) -> None:
        """Ends the kept execs and the connections; the next call would connect anew."""
        for key in tuple(self._shells):
            self._end_shell(key)
        super().close()

    def _list(self, project: str | None) -> Sequence[Mapping[str, Any]]:
        filters = {"label": [f"{inspect.PROJECT}={project}"]} if project is not None else None
        with sdk_errors.translated(self.endpoint, "listing containers"):
            items: Sequence[Mapping[str, Any]] = self.api.containers(all=True, filters=filters)
        return items

    def _history(self, image_id: str) -> Sequence[Mapping[str, Any]]:
        known = self.memory.history(image_id)
        if known is None:
            known = self.api.history(image_id)
            self.memory.keep_history(image_id, known)
        return known


def _release(api_version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in api_version.split(".") if part.isdigit())


def _keep(known: dict[str, _Value], key: str, value: _Value) -> None:
    """The newest 128 are kept."""
    known.pop(key, None)
    while len(known) >= 128:
        del known[next(iter(known))]
    known[key] = value
