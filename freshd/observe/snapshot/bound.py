"""Bind-mounted files of one snapshot: the tree's very files are equal, others have to settle.

In: the pairs of a service, and what its replicas were seen to hold. Out: the observations, where
bytes of a bind count only if neither side changed from before they were read until after.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final

from freshd.catalog.runtimes.processes import is_read
from freshd.engine.client import Engine
from freshd.engine.container import contents
from freshd.model.errors import EngineFailed, OutcomeUnknown
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.container import Observation, Replica
from freshd.observe.container import exec_scan
from freshd.observe.container.replicas import Observed
from freshd.observe.identity import NO_FILES, HostFiles, read_kernel
from freshd.tree.manifest import TreeManifest

_KERNEL: Final = read_kernel()


class BoundFiles:
    """Of one snapshot. ``pairs`` are those that it asks for; ``full``: the engine is asked."""

    def __init__(
        self, manifest: TreeManifest, mapping: ServiceMap, pairs: tuple[Pair, ...], *, full: bool
    ) -> None:
        self._full = full
        self._manifest = manifest
        self._inputs = frozenset(mapping.inputs)
        self._pairs = pairs
        self._bound = {p.target: p for p in pairs if p.via is Via.BIND and p.effective}

    @property
    def host_files(self) -> HostFiles:
        """Where on this machine the bind-mounted targets come from.

        Where the engine is asked instead, this is only taken of what is no code, and may be
        gigabytes; what the container has of the rest is looked at when that is known.
        """
        root = self._manifest.root
        taken = self._data if self._full else {p.source for p in self._bound.values()}
        paths = {
            target: os.path.join(root, p.source)
            for target, p in self._bound.items()
            if p.source in taken
        }
        return HostFiles(paths, _KERNEL)

    @property
    def others(self) -> tuple[Pair, ...]:
        """The pairs whose content is asked for whatever the containers show."""
        return tuple(pair for pair in self._pairs if pair.source not in self._data)

    @cached_property
    def _data(self) -> frozenset[str]:
        """Sources that are bind-mounted, nothing else, and no code: a log, a database, uploads.

        Only where a container has another file than the tree is it of interest what they hold.
        """
        data = {p.source for t, p in self._bound.items() if not is_read(t)} - self._inputs
        if data:
            data -= {p.source for p in self._pairs if p.via is not Via.BIND or is_read(p.target)}
        return frozenset(data)

    def settle(self, engine: Engine, observed: Observed, tree: dict[str, Entry]) -> Observed:
        """The observations, with ``tree`` brought up to date for what they speak of."""
        if not self._bound:
            return observed
        seen = [o for o in observed.observations if o.asked and not o.problem]
        tree |= self._manifest.entries(self._data - set(self._all_same(seen)))
        settled = (
            self._settled(engine, observation, tree)
            if observation.asked and not observation.problem
            else observation
            for observation in observed.observations
        )
        return replace(observed, observations=tuple(settled))

    def _settled(
        self, engine: Engine, observation: Observation, tree: dict[str, Entry]
    ) -> Observation:
        seen = self._inside(engine, observation, tree) if self._full else observation
        return self._compared_again(engine, self._as_tree(seen, tree), tree)

    def _all_same(self, seen: Collection[Observation]) -> Iterator[str]:
        """The sources that are the very file in every place where they are mounted."""
        if not seen:
            return
        odd = {p.source for o in seen for t, p in self._bound.items() if t not in o.same}
        yield from self._data - odd

    def _inside(
        self, engine: Engine, observation: Observation, tree: Mapping[str, Entry]
    ) -> Observation:
        """With what the container itself has, where the engine shows what the tree has.

        To show a container's files the engine mounts its binds anew: after a link was turned or a
        directory replaced that is another one than the process has.
        """
        code = {
            target
            for target, pair in self._bound.items()
            if target in observation.asked and pair.source not in self._data
        }
        if not code or not observation.replica.running:
            return observation
        try:
            scan = self._scan(engine, observation.replica, code)
        except (EngineFailed, OutcomeUnknown):
            return observation
        files = {path: entry for path, entry in observation.files.items() if path not in code}
        return replace(
            observation, files=files | self._odd_one(code, observation.files, scan, tree)
        )

    def _scan(self, engine: Engine, replica: Replica, targets: set[str]) -> exec_scan.Scan:
        """What the container has there; where the engine was asked, only whether it is the tree's
        very file, if it is."""
        root = self._manifest.root
        paths = {target: os.path.join(root, self._bound[target].source) for target in targets}
        bound = HostFiles(paths, _KERNEL) if self._full else NO_FILES
        return exec_scan.scan(engine, replica.id, targets, known={}, bound=bound)

    def _odd_one(
        self,
        targets: Collection[str],
        shown: Mapping[str, Entry | None],
        inside: exec_scan.Scan,
        tree: Mapping[str, Entry],
    ) -> dict[str, Entry]:
        """What is there by the engine or by the container, whichever is not what the tree has.

        The tools of a container may lie, and the engine may show another directory.
        """
        files: dict[str, Entry] = {}
        for target in targets:
            entry, want = shown.get(target), tree.get(self._bound[target].source)
            settled = target in inside.same or target in inside.open
            if want is not None and want.same_content(entry) and not settled:
                entry = inside.files.get(target)
            if entry is not None:
                files[target] = entry
        return files

    def _as_tree(self, observation: Observation, tree: dict[str, Entry]) -> Observation:
        """With the tree's entry for each of its very files, and theirs for what was not read."""
        files = dict(observation.files)
        for target in observation.same:
            source, there = self._bound[target].source, files.get(target)
            want = tree.get(source)
            if want is not None and want.kind is not Kind.UNREADABLE:
                files[target] = want
            elif there is not None:
                tree[source] = there
        return replace(observation, files=files)

    def _compared_again(
        self, engine: Engine, observation: Observation, tree: dict[str, Entry]
    ) -> Observation:
        """What differs is read once more between two equal stats on both sides."""
        odd = {
            target: pair.source
            for target, pair in self._bound.items()
            if target in observation.asked
            and target not in observation.same
            and (want := tree.get(pair.source)) is not None
            and not want.same_content(observation.files.get(target))
        }
        if not odd or not observation.replica.running:
            return observation
        container_id, targets = observation.replica.id, set(odd)
        try:
            before, stamps = exec_scan.signatures(engine, container_id, targets), self._stamps(odd)
            shown = contents.read(engine, container_id, targets) if self._full else {}
            inside = self._scan(engine, observation.replica, targets)
            wanted = self._manifest.entries(odd.values(), fresh=True)
            after, later = exec_scan.signatures(engine, container_id, targets), self._stamps(odd)
        except (EngineFailed, OutcomeUnknown):
            return observation
        still = {t for t in odd if (before.get(t), stamps[t]) == (after.get(t), later[t])}
        files = {path: e for path, e in observation.files.items() if path not in still}
        read = self._odd_one(still, shown, inside, wanted) if self._full else inside.files
        files |= {target: entry for target, entry in read.items() if target in still}
        for target in still:
            _put(tree, odd[target], wanted)
        return replace(observation, files=files, unsettled=frozenset(odd.keys() - still))

    def _stamps(self, sources: Mapping[str, str]) -> dict[str, object]:
        """By target: what this machine's stat says of its source; None where there is none."""
        root = self._manifest.root
        return {target: _stamp(os.path.join(root, path)) for target, path in sources.items()}


def _put(tree: dict[str, Entry], source: str, wanted: Mapping[str, Entry]) -> None:
    tree.pop(source, None)
    if source in wanted:
        tree[source] = wanted[source]


def _stamp(path: str) -> object:
    try:
        now = os.lstat(path)
    except OSError:
        return None
    return now.st_dev, now.st_ino, now.st_mode, now.st_size, now.st_mtime_ns, now.st_ctime_ns
