"""When mapped code got its content in a container: facts in, ``Landed`` out.

What the image brought is older than every process of its containers. What was written since tells
its time by freshd's own record, else by its inode; what is bind-mounted by the host's file. A
change of owner, name or mode renews no content: an entrypoint that gives the tree away to its user
makes nothing stale.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from freshd.causes.container import visible_pairs
from freshd.causes.programs import is_code
from freshd.engine import exec as execs
from freshd.engine.client import Engine
from freshd.errors import EngineFailed, OutcomeUnknown
from freshd.living import Landed
from freshd.model import Entry, Kind, Observation, Pair, Replica, ServiceFacts, Via

_MOST_ASKED = 200
_SECONDS = 10.0
_STAT = ("stat", "-c", "%Y %Z %n//", "--")


class Memory(Protocol):
    """What keeps the content that files held, by container and start: ``store.made.MadeWith``."""

    def holds(self, container_id: str, started_at: float) -> bool: ...
    def held(self, container_id: str, started_at: float) -> Mapping[str, str]: ...
    def record_held(
        self, container_id: str, started_at: float, digests: Mapping[str, str]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Landings:
    """``root`` is the project.

    What a file held when a process was known to be newer than it is remembered: one that was only
    touched since, or brought back, has not changed.
    """

    engine: Engine
    root: str
    memory: Memory

    def later(
        self, facts: ServiceFacts, seen: Observation, times: Mapping[str, float]
    ) -> Iterator[Landed]:
        """Code that landed after the container was started, or may have.

        ``times`` tells when freshd wrote what: target -> seconds.
        """
        replica = seen.replica
        bound, written = [], []
        for target, pair in visible_pairs(facts.mapping.pairs, replica).items():
            entry = seen.files.get(target)
            if entry is None or entry.kind is not Kind.FILE or not is_code(target):
                continue
            if pair.via is Via.BIND:
                bound.append((pair, entry))
            elif self._changed(facts, seen, pair, entry) or times.get(target, 0.0) > (
                replica.started_at
            ):
                written.append((pair, entry))
        yield from self._bound(replica, bound)
        yield from self._written(seen, written, facts, times)

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
                before[pair.source] = entry.digest
            else:
                late.append((pair, entry, status))
        if not self.memory.holds(replica.id, started_at):
            for pair, entry, status in late:
                if status.st_mtime <= started_at:  # owner, name or mode: nobody saw other content
                    before[pair.source] = entry.digest
            self.memory.record_held(replica.id, started_at, before)
        held = self.memory.held(replica.id, started_at) if late else {}
        for pair, entry, status in late:
            known = held.get(pair.source)
            if known == entry.digest:
                continue
            moment = status.st_mtime if status.st_mtime > started_at else status.st_ctime
            yield Landed(pair.source, pair.target, entry.digest, moment, moment)

    @staticmethod
    def _changed(facts: ServiceFacts, seen: Observation, pair: Pair, entry: Entry) -> bool:
        """Whether the container does not hold what its image brought."""
        image = facts.images.get(seen.replica.image_id)
        return image is not None and not entry.same_content(image.files.get(pair.target))

    def _written(
        self,
        seen: Observation,
        files: list[tuple[Pair, Entry]],
        facts: ServiceFacts,
        times: Mapping[str, float],
    ) -> Iterator[Landed]:
        """What was written into the container: freshd's record where it still holds, and ctime."""
        if not files:
            return
        container_id, started_at = seen.replica.id, seen.replica.started_at
        stamps = self._stamps(container_id, [pair.target for pair, _ in files])
        for pair, entry in files:
            target = pair.target
            earliest, latest = stamps.get(target, (0.0, 0.0))
            if facts.written.get((container_id, target)) == entry.digest and target in times:
                at = times[target]
                if not latest or at < latest:
                    earliest = latest = at
            if latest > started_at:
                yield Landed(pair.source, target, entry.digest, earliest, latest)

    def _stamps(self, container_id: str, targets: list[str]) -> dict[str, tuple[float, float]]:
        """Between which moments each file got its content; nothing where nobody can tell.

        A copy may keep the old time of its source, and a change of owner renews the inode's: where
        the two differ, it was some time between them.
        """
        argv = (*_STAT, *targets[:_MOST_ASKED])
        try:
            done = execs.run(self.engine, container_id, argv, timeout=_SECONDS, user="0")
        except (EngineFailed, OutcomeUnknown):
            return {}
        found = {}
        for line in os.fsdecode(done.stdout).split("//\n"):
            modified, _, rest = line.partition(" ")
            changed, _, name = rest.partition(" ")
            if modified.isdigit() and changed.isdigit() and name in targets:
                found[name] = (float(min(modified, changed, key=int)), float(changed) + 1.0)
        return found
