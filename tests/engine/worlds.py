"""A ``World`` for tests of single actions: a tree in memory, records in lists, a real engine."""

import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO

from freshd.act import Timeouts, World
from freshd.engine.cli.compose import Compose, ComposeFiles
from freshd.engine.client import Engine
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Replica
from freshd.model.plan import FileChange, Outcome, Step
from freshd.model.remedy import Remedy
from freshd.model.text import Json


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def entry(content: bytes, *, mode: int = 0o644, kind: Kind = Kind.FILE) -> Entry:
    return Entry(kind, digest(content), len(content), mode)


@dataclass
class Written:
    """What was recorded as written, by (container id, target)."""

    known: dict[tuple[str, str], str] = field(default_factory=dict)

    def set_many(self, container_id: str, digests: Mapping[str, str], at: float) -> None:
        self.known.update({(container_id, target): d for target, d in digests.items()})

    def remove_many(self, container_id: str, targets: Iterable[str]) -> None:
        for target in targets:
            self.known.pop((container_id, target), None)


@dataclass
class StepLog:
    """A journal that keeps what it is told, in order."""

    began: list[Step] = field(default_factory=list)
    phases: list[tuple[str, Mapping[str, Json]]] = field(default_factory=list)
    finished: list[Outcome] = field(default_factory=list)

    def begin(self, step: Step) -> None:
        self.began.append(step)

    def phase(self, name: str, data: Mapping[str, Json]) -> None:
        self.phases.append((name, data))

    def finish(self, outcome: Outcome) -> None:
        self.finished.append(outcome)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.phases]


@dataclass
class Site:
    """The tree and what the actions say; ``world()`` is what they are given."""

    engine: Engine
    tree: dict[str, tuple[Entry, bytes]] = field(default_factory=dict)
    written: Written = field(default_factory=Written)
    journal: StepLog = field(default_factory=StepLog)
    lines: list[str] = field(default_factory=list)
    directories: tuple[str, ...] = ("/app",)
    volumes: bool = False
    files: ComposeFiles = field(default_factory=lambda: ComposeFiles("/"))
    service: str = "web"
    image_ref: str = ""
    built: dict[str, Mapping[str, str]] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    wrong: list[tuple[str, ...]] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)

    def world(self) -> World:
        return World(
            engine=self.engine,
            compose=Compose(self.engine.endpoint, os.environ),
            compose_files=self.files,
            service=self.service,
            image_ref=self.image_ref,
            volumes_allowed=self.volumes,
            directories=self.directories,
            read=self.read,
            doubt_absence=lambda target: self.doubts.get(target, ""),
            replicas=self.replicas,
            inputs=lambda: self.digests,
            mismatches=lambda: self.wrong.pop(0) if self.wrong else (),
            record_build=self.built.__setitem__,
            written=self.written,
            journal=self.journal,
            on_line=self.lines.append,
            clock=time.time,
            timeouts=Timeouts(grace=0.0, patience=30.0, settle=0.2, poll=0.02),
        )

    def read(self, source: str, sink: IO[bytes]) -> Entry:
        if source not in self.tree:
            raise FileNotFoundError(2, "not in the tree", source)
        entry, content = self.tree[source]
        sink.write(content)
        return entry

    def replicas(self) -> tuple[Replica, ...]:
        found = self.engine.replicas(project=self.files.project)
        return tuple(r for r in found if r.service == self.service and r.is_replica)

    def change(
        self, target: str, content: bytes, *, mode: int = 0o644, kind: Kind = Kind.FILE
    ) -> FileChange:
        """A write of ``content``, which is what the tree has at that moment."""
        want = entry(content, mode=mode, kind=kind)
        source = target.lstrip("/")
        self.tree[source] = (want, content)
        return FileChange(target, source, want, None)


def inject(container_id: str, *files: FileChange) -> Step:
    return Step(
        Remedy.INJECT, "web", ("content-differs",), container_id=container_id, files=tuple(files)
    )


def removal(target: str, content: bytes) -> FileChange:
    """A delete of what is expected to have ``content``."""
    return FileChange(target, None, None, entry(content))
