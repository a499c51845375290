"""When mapped code got its content in a container: facts in, ``Landed`` out.

What the image brought is older than every process of its containers. What was written since tells
its time by freshd's own record, else by its inode; what is bind-mounted by the host's file. A
change of owner, name or mode renews no content: an entrypoint that gives the tree away to its user
makes nothing stale.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from freshd.catalog.runtimes.processes import is_code
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container import exec as execs
from freshd.model.errors import EngineFailed, OutcomeUnknown
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Observation, Replica
from freshd.model.observed.processes import Landed
from freshd.model.observed.snapshot import Snapshot
from freshd.observe.container.exec_output import names

_MOST_ASKED = 200
_SECONDS = 10.0
# Whole seconds: an old engine says of a container that it started when its process already ran,
# and what that wrote in between is not to look older than the process.
_STAT = ("xargs", "-0", "stat", "-c", "%Y %Z %n//", "--")


class ContentMemory(Protocol):
    """What keeps the content that files held, by container and start: ``CreationRecords``."""

    def holds(self, container_id: str, started_at: float) -> bool: ...
    def read_held(self, container_id: str, started_at: float) -> Mapping[str, str]: ...
    def record_held(
        self, container_id: str, started_at: float, digests: Mapping[str, str]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Landings:
    """``root`` is the project.

    What a file held when a process was known to be newer than it is remembered, by its place in
    the container: one that was only touched since, or brought back, has not changed, and a link
    may be turned to another with the same content.
    """

    engine: Engine
    root: str
    memory: ContentMemory
    clock: Callable[[], float] = time.time

    def later(
        self,
        facts: Snapshot,
        observation: Observation,
        visible: Mapping[str, Pair],
        times: Mapping[str, float],
    ) -> Iterator[Landed]:
        """Code that landed after the container was started, or may have.

        ``visible`` are the pairs that say what is read: target -> pair. ``times`` says when freshd
        wrote what: target -> seconds.
        """
        replica = observation.replica
        image = facts.images.get(replica.image_id)
        held = {} if image is None else image.files
        bound, written = [], []
        for target, pair in visible.items():
            entry = observation.files.get(target)
            if entry is None:
                continue
            if pair.via is Via.BIND:
                if entry.kind is Kind.FILE and is_code(target):
                    bound.append((pair, entry))
                continue
            # what the image brought is older than every process, unless freshd brought it back
            there = held.get(target)
            if there is not None and there.digest == entry.digest and target not in times:
                continue
            if image is None and target not in times:
                continue
            if entry.kind is Kind.FILE and is_code(target):
                written.append((pair, entry))
        yield from self._bound(replica, bound)
        yield from self._written(observation, written, facts, times)

    def _bound(self, replica: Replica, files: list[tuple[Pair, Entry]]) -> Iterator[Landed]:
        """By the host's file: its content is the container's."""
        if not files:
            return
        started_at = replica.started_at
        before: dict[str, str] = {}
        late = []
        for pair, entry in files:
            try:
                status = os.stat(os.path.join(self.root, pair.source), follow_symlinks=False)
            except OSError:
                continue
            if max(status.st_mtime, status.st_ctime) <= started_at:
                before[pair.target] = entry.digest
            else:
                late.append((pair, entry, status))
        if not self.memory.holds(replica.id, started_at):
            for pair, entry, status in late:
                if status.st_mtime <= started_at:  # owner, name or mode: nobody saw other content
                    before[pair.target] = entry.digest
            self.memory.record_held(replica.id, started_at, before)
        held = self.memory.read_held(replica.id, started_at) if late else {}
        for pair, entry, status in late:
            if held.get(pair.target) == entry.digest:
                continue
            moment = status.st_mtime if status.st_mtime > started_at else status.st_ctime
            yield Landed(pair.source, pair.target, entry.digest, moment, moment)

    def _written(
        self,
        observation: Observation,
        files: list[tuple[Pair, Entry]],
        facts: Snapshot,
        times: Mapping[str, float],
    ) -> Iterator[Landed]:
        """What was written into the container: freshd's record where it still holds, and ctime."""
        if not files:
            return
        container_id, started_at = observation.replica.id, observation.replica.started_at
        recorded = {
            pair.target: times[pair.target]
            for pair, entry in files
            if facts.written.get((container_id, pair.target)) == entry.digest
            and pair.target in times
        }
        # freshd's own record is enough where it says that the process is newer
        files = [
            (p, e) for p, e in files if not recorded.get(p.target, started_at + 1) <= started_at
        ]
        if not files:
            return
        stamps = self._stamps(container_id, [pair.target for pair, _ in files])
        for pair, entry in files:
            target = pair.target
            earliest, latest = stamps.get(target, (0.0, 0.0))
            at = recorded.get(target)
            if at is not None and (not latest or at < latest):
                earliest = latest = at
            if latest > started_at:
                yield Landed(pair.source, target, entry.digest, earliest, latest)

    def _stamps(self, container_id: str, targets: list[str]) -> dict[str, tuple[float, float]]:
        """Between which moments each file got its content; nothing where nobody can tell.

        A copy may keep the old time of its source, and a change of owner renews the inode's: where
        the two differ, it was some time between them. Of a file that is hidden from root in there
        the engine tells the one, and the other may be any since.
        """
        asked = targets[:_MOST_ASKED]
        try:
            done = execs.run(
                self.engine, container_id, _STAT, stdin=names(asked), timeout=_SECONDS, user="0"
            )
        except (EngineFailed, OutcomeUnknown):
            return {}
        times = {}
        for line in os.fsdecode(done.stdout).split("//\n"):
            modified, _, rest = line.partition(" ")
            changed, _, name = rest.partition(" ")
            if modified.isdigit() and changed.isdigit() and name in asked:
                times[name] = (float(min(modified, changed, key=int)), float(changed) + 1.0)
        if done.missing:
            return times
        for target in asked:
            if target not in times and (modified_at := self._modified_at(container_id, target)):
                times[target] = (modified_at, max(modified_at, self.clock()))
        return times

    def _modified_at(self, container_id: str, target: str) -> float | None:
        """As the engine's archive has it, in seconds; None where it is gone by now."""
        try:
            member = archive.head(self.engine, container_id, target)
        except EngineFailed:
            return None
        return None if member is None else float(member.mtime)
