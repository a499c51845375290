"""When mapped code got its content in a container: facts in, ``Landed`` out.

What the image brought is older than every process of its containers. What was written since tells
its time by freshd's own record, else by its inode; what is bind-mounted by the host's file. A
change of owner, name or mode renews no content: an entrypoint that gives the tree away to its user
makes nothing stale.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from freshd.causes.container import visible_pairs
from freshd.causes.programs import is_code
from freshd.engine import exec as execs
from freshd.engine.client import Engine
from freshd.errors import EngineFailed, OutcomeUnknown
from freshd.living import Landed
from freshd.model import Entry, Kind, Observation, Pair, ServiceFacts, Via

_MOST_ASKED = 200
_SECONDS = 10.0
_STAT = ("stat", "-c", "%Y %Z %n//", "--")


@dataclass(slots=True)
class Landings:
    """``times`` tells when freshd wrote what: target -> seconds. ``root`` is the project.

    What a file held when a process was known to be newer than it is remembered: one that was only
    touched since, or brought back, has not changed.
    """

    engine: Engine
    root: str
    _held: dict[tuple[str, float], dict[str, str]] = field(default_factory=dict)

    def later(
        self, facts: ServiceFacts, seen: Observation, times: Mapping[str, float]
    ) -> Iterator[Landed]:
        """Code that landed after the container was started, or may have."""
        replica = seen.replica
        held = self._held.setdefault((replica.id, replica.started_at), {})
        written = []
        for target, pair in visible_pairs(facts.mapping.pairs, replica).items():
            entry = seen.files.get(target)
            if entry is None or entry.kind is not Kind.FILE or not is_code(target):
                continue
            if pair.via is Via.BIND:
                landed = self._bound(pair, entry, replica.started_at, held)
                if landed is not None:
                    yield landed
            elif self._changed(facts, seen, pair, entry) or times.get(target, 0.0) > (
                replica.started_at
            ):
                written.append((pair, entry))
        yield from self._written(seen, written, facts, times)

    def forget(self, known: Callable[[str, float], bool]) -> None:
        """Drop what is remembered of processes that are no more."""
        self._held = {key: held for key, held in self._held.items() if known(*key)}

    def _bound(
        self, pair: Pair, entry: Entry, started_at: float, held: dict[str, str]
    ) -> Landed | None:
        try:
            status = os.stat(os.path.join(self.root, pair.source), follow_symlinks=False)
        except OSError:
            return None
        if max(status.st_mtime, status.st_ctime) <= started_at:
            held[pair.source] = entry.digest
            return None
        before = held.get(pair.source)
        if before == entry.digest:
            return None
        moment = status.st_mtime
        if moment <= started_at:
            if before is None:
                held[pair.source] = entry.digest  # owner, name or mode: nobody saw other content
                return None
            moment = status.st_ctime
        return Landed(pair.source, pair.target, entry.digest, moment, moment)

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
