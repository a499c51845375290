"""The engine's state: images, containers, volumes, a clock, and what goes wrong when."""

import hashlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from freshd.model.files import Kind
from tests.loop.fake.files import Files, Node, View

_TICK = 0.1  # between two things that happen, more than the 20 ms within which nobody can tell
_NOTHING: Final[Mapping[str, str]] = {}
_numbers = itertools.count(1)


class Refused(Exception):
    """The engine answers, and not with a success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Layer:
    """``tar`` is what `docker save` has of it."""

    diff_id: str
    tar: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an image's history."""

    text: str
    created: float
    layer: Layer | None = None


@dataclass(slots=True)
class Image:
    id: str
    files: Files
    history: tuple[Line, ...] = ()
    workdir: str = "/"
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    created: float = 0.0
    tagged: float = 0.0

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(line.layer.diff_id for line in self.history if line.layer is not None)


@dataclass(slots=True, eq=False)
class Container:
    """``programs``: what commands do that no image of the fake has, by argv."""

    id: str
    name: str
    image: Image
    image_ref: str
    labels: Mapping[str, str]
    view: View
    created: float
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    binds: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    joins: str = ""
    health: str = ""
    state: str = "created"
    exit_code: int = 0
    started: float = 0.0
    finished: float = 0.0
    signals: list[str] = field(default_factory=list)
    attached: list[Callable[[], None]] = field(default_factory=list)

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def service(self) -> str:
        return self.labels.get("com.docker.compose.service", "")


@dataclass(frozen=True, slots=True)
class Call:
    """``target`` is the container's id, or what else it is about."""

    name: str
    target: str = ""


@dataclass(slots=True)
class _Event:
    name: str
    left: int
    act: Callable[[], None]
    after: bool


class FakeEngine:
    """``now`` is the time in it: it began with that of this machine, and moves with what happens.

    ``runs`` is what a RUN of a Dockerfile does, by its text; ``commands`` what a command in a
    container does; ``on_start`` is called with each container whose process begins. A builder
    that does not ``prunes`` keeps what it was sent, whatever it is told. ``kernel`` is the boot id
    that containers see: "" where they are in a virtual machine.
    """

    def __init__(self) -> None:
        self.images: dict[str, Image] = {}
        self.tags: dict[str, str] = {}
        self.containers: dict[str, Container] = {}
        self.volumes: dict[str, Files] = {}
        self.calls: list[Call] = []
        self.away = False
        self.prunes = True
        self.kernel = ""
        self.runs: dict[str, Callable[[Files, float], None]] = {}
        self.commands: dict[tuple[str, ...], Callable[[Container], tuple[int, str]]] = {}
        self.on_start: Callable[[Container], None] = lambda _container: None
        self.build_cache: dict[str, tuple[Line, Files]] = {}
        self.sent: dict[str, tuple[int, int, Node]] = {}
        self.closing: list[Callable[[], None]] = []
        self._events: list[_Event] = []
        self._began, self._ahead = time.time(), 0.0

    # ---- time

    def now(self) -> float:
        return self._began + self._ahead

    def wait(self, seconds: float) -> None:
        self._ahead += seconds

    def tick(self) -> float:
        self.wait(_TICK)
        return self.now()

    # ---- what goes wrong

    def before(self, name: str, act: Callable[[], None], *, nth: int = 1) -> None:
        """``act`` is called before the ``nth`` call of that name from now on, and may raise.

        No name: any call."""
        self._events.append(_Event(name, nth, act, after=False))

    def after(self, name: str, act: Callable[[], None], *, nth: int = 1) -> None:
        """The same when that call has been carried out, before it is answered."""
        self._events.append(_Event(name, nth, act, after=True))

    @contextmanager
    def call(self, name: str, target: str = "") -> Iterator[None]:
        """Everything that anybody asks goes through here."""
        self.calls.append(Call(name, target))
        due = self._due(name)
        for event in due:
            if not event.after:
                event.act()
        if self.away:
            raise ConnectionRefusedError("the engine is away")
        yield
        for event in due:
            if event.after:
                event.act()

    def _due(self, name: str) -> list[_Event]:
        asked = [event for event in self._events if event.name in ("", name)]
        for event in asked:
            event.left -= 1
        due = [event for event in asked if event.left == 0]
        self._events = [event for event in self._events if event not in due]
        return due

    def go_away(self) -> None:
        """Every connection breaks, and no other is made until it has come back."""
        self.away = True
        for one in self.containers.values():
            self._hang_up(one)

    def come_back(self) -> None:
        """That takes some seconds."""
        self.away = False
        self.wait(5.0)

    def close(self) -> None:
        """Give back the sockets of execs that nobody ended."""
        for close in self.closing:
            close()

    def counted(self) -> Counter[str]:
        return Counter(call.name for call in self.calls)

    # ---- what there is

    def container(self, container_id: str) -> Container:
        for one in self.containers.values():
            if container_id in (one.id, one.name):
                return one
        raise Refused(404, f"No such container: {container_id}")

    def image(self, ref: str) -> Image:
        found = self.images.get(self.tags.get(ref if ":" in ref else f"{ref}:latest", ref))
        if found is None:
            raise Refused(404, f"No such image: {ref}")
        return found

    def tag(self, ref: str, image: Image) -> None:
        self.images.setdefault(image.id, image)
        image = self.images[image.id]
        image.tagged = self.now()
        self.tags[ref if ":" in ref else f"{ref}:latest"] = image.id

    def of_service(self, service: str) -> list[Container]:
        found = [one for one in self.containers.values() if one.service == service]
        return sorted(found, key=lambda one: one.name)

    # ---- what can be done to it

    def create(
        self,
        image: Image,
        *,
        name: str = "",
        image_ref: str = "",
        labels: Mapping[str, str] = _NOTHING,
        command: tuple[str, ...] = (),
        environment: Mapping[str, str] = _NOTHING,
        binds: Mapping[str, str] = _NOTHING,
        volumes: Mapping[str, str] = _NOTHING,
        networks: tuple[str, ...] = (),
        joins: str = "",
    ) -> Container:
        """A container with a new id, which nobody has started. A new volume gets what the image has
        at its place."""
        number = next(_numbers)
        disks = {target: self._volume(volumes[target], image, target) for target in volumes}
        one = Container(
            id=hashlib.sha256(f"container {number}".encode()).hexdigest(),
            name=name or f"unnamed-{number}",
            image=image,
            image_ref=image_ref or image.id,
            labels=labels,
            view=View(Files(image.files), self.now, disks, dict(binds), kernel=self.kernel),
            created=self.tick(),
            command=command,
            environment=environment,
            binds=binds,
            volumes=volumes,
            networks=networks,
            joins=joins,
        )
        self.containers[one.id] = one
        return one

    def _volume(self, name: str, image: Image, target: str) -> Files:
        if name not in self.volumes:
            below = {path[len(target) :]: image.files[path] for path in image.files.below(target)}
            top = image.files.get(target, Node(Kind.DIR, mode=0o755))
            self.volumes[name] = Files({"/": top, **below})
        return self.volumes[name]

    def start(self, one: Container) -> None:
        one.started, one.state, one.exit_code = self.tick(), "running", 0
        self.on_start(one)

    def stop(self, one: Container, *, exit_code: int = 0) -> None:
        self._hang_up(one)
        if one.running:
            one.finished, one.state, one.exit_code = self.tick(), "exited", exit_code

    def _hang_up(self, one: Container) -> None:
        """Its execs end, as their standard input does."""
        for end in one.attached:
            end()
        one.attached.clear()

    def restart(self, one: Container) -> None:
        self.stop(one)
        self.start(one)

    def remove(self, one: Container) -> None:
        self.stop(one)
        del self.containers[one.id]


def shown(moment: float) -> str:
    """A time as the API writes it."""
    if moment == 0.0:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
