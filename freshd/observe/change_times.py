"""What changed since: files of the tree against the moment an image was made or a process started.

In: what ``develop.watch`` rules name, images, replicas. Out: which of it changed later. A file's
change time is asked for only where no content can tell: no hash says when a process read it.
"""

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from freshd.model.files import Entry
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Observation, Replica
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.questions import is_serving
from freshd.model.policy import WatchRule
from freshd.model.remedy import Remedy
from freshd.tree.manifest import TreeManifest

_SETTLING = 10.0
_CLOCKS_APART = 1.0  # seconds by which the engine's clock may be ahead of the tree's


class ChangeTimes:
    """The times of one project's files, and what they held when a process was known to be newer."""

    def __init__(self, manifest: TreeManifest, clock: Callable[[], float] = time.time) -> None:
        self._manifest = manifest
        self._clock = clock
        self._held: dict[str, dict[tuple[str, float], dict[str, str]]] = {}

    def changed_at(self, path: str) -> float:
        """When a file, its name or its mode changed last (seconds); 0 for what is not there."""
        try:
            return os.lstat(os.path.join(self._manifest.root, path)).st_ctime
        except OSError:
            return 0.0

    def settled(self, paths: Iterable[str]) -> frozenset[str]:
        """Those of ``paths`` that were not written just now: file sharing takes its time."""
        quiet, before = set(), self._clock() - _SETTLING
        for path in paths:
            try:
                status = os.lstat(os.path.join(self._manifest.root, path))
            except OSError:
                continue
            if status.st_mtime <= before:
                quiet.add(path)
        return frozenset(quiet)

    def expected(
        self,
        pairs: Sequence[Pair],
        observations: Iterable[Observation],
        images: Mapping[str, ImageFacts],
        synced: Callable[[], Collection[str]],
    ) -> tuple[Pair, ...]:
        """The pairs without those that nobody expects to be in the containers yet.

        That is a file under a ``sync`` rule that has not changed since the containers were made:
        where every replica has there what its image has, nothing was ever to be synced. ``synced``
        gives the targets that were brought once: they are expected whatever came after.
        """
        serving = [observation for observation in observations if is_serving(observation.replica)]
        untouched = {
            pair.target
            for pair in pairs
            if pair.on_change
            and all(self._untouched(pair, observation, images) for observation in serving)
        }
        if not untouched:
            return tuple(pairs)
        untouched.difference_update(synced())
        return tuple(pair for pair in pairs if not (pair.on_change and pair.target in untouched))

    def _untouched(
        self, pair: Pair, observation: Observation, images: Mapping[str, ImageFacts]
    ) -> bool:
        image = images.get(observation.replica.image_id)
        if image is None or pair.target not in observation.asked:
            return False
        held, there = image.files.get(pair.target), observation.files.get(pair.target)
        same = there is None if held is None else held.same_content(there)
        return same and self.changed_at(pair.source) <= observation.replica.created_at

    def newer(
        self, rules: Iterable[WatchRule], inputs: Iterable[str], image: ImageFacts
    ) -> tuple[str, ...]:
        """Those of ``inputs`` that a ``rebuild`` rule names and that changed after ``image``.

        That was made, or made again of what the builder had, when it got its name at the latest.
        """
        asking = [rule for rule in rules if Remedy.REBUILD in rule.does]
        if not asking:
            return ()
        named = {path for path in inputs if any(rule.selects(path) for rule in asking)}
        made = max(image.created_at, image.tagged_at)
        return tuple(sorted(p for p in named if self.changed_at(p) > made))

    def fooled(self, pairs: Iterable[Pair], tree: Mapping[str, Entry], image: ImageFacts) -> bool:
        """Whether ``image`` was made after the last edit of all the files it holds otherwise.

        A builder takes a file of equal size and time of modification for unchanged. The time of
        change nobody can set back: a file that is older by it lay there when the image was made.
        Of another size it would have been noticed, so then the image is of another tree.
        """
        copied = [pair for pair in pairs if pair.via is Via.COPY and pair.effective]
        odd = []
        for pair in copied:
            want, held = tree.get(pair.source), image.files.get(pair.target)
            if want is not None and not want.same_content(held):
                odd.append((pair.source, want, held))
        return bool(odd) and all(
            held is not None
            and (held.kind, held.size) == (want.kind, want.size)
            and self.changed_at(source) < image.created_at - _CLOCKS_APART
            for source, want, held in odd
        )

    def restarts(
        self,
        service: str,
        files: Iterable[str],
        replicas: Collection[Replica],
        paths: Collection[str] | None,
    ) -> Mapping[str, tuple[str, ...]]:
        """By container id: which of ``files``, that ask for a restart, changed since it started.

        ``paths`` narrows it. What a file held before the process started is remembered: one
        that was only touched, or was brought back, has not changed. A time to come proves nothing.
        """
        starts = {(replica.id, replica.started_at) for replica in replicas}
        before = self._held.get(service, {})
        self._held[service] = {start: before.get(start, {}) for start in starts}
        entries = self._manifest.entries({p for p in files if paths is None or p in paths})
        times = {path: self.changed_at(path) for path in entries}
        now = self._clock()
        changes = {}
        for identity, started_at in starts:
            held = self._held[service][identity, started_at]
            for path in entries:
                if times[path] <= started_at:
                    held[path] = entries[path].digest
            changed = {
                path
                for path, entry in entries.items()
                if started_at < times[path] <= now and held.get(path) != entry.digest
            }
            gone = held.keys() - entries.keys() if paths is None else set()
            changes[identity] = tuple(sorted(changed | gone))
        return changes
