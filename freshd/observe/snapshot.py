"""Surveys one service: the tree, the image, the replicas and the build record, as ``Snapshot``.

Comes in: a project, an engine, the store, and the paths that changed (or None for everything).
Goes out: the values that ``freshd.compare`` looks at. ``reconcile`` carries them there.
"""

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from freshd.config.project import Project
from freshd.engine.client import Engine
from freshd.mapping.dockerfile.infer import Inference
from freshd.mapping.service_map import MapResult
from freshd.model.errors import ConfigError
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.container import Observation, Replica
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.questions import image_of, source_of
from freshd.model.observed.snapshot import Snapshot
from freshd.model.observed.tree_size import TreeSize
from freshd.observe.change_times import ChangeTimes
from freshd.observe.container.members import replicas_of
from freshd.observe.container.replicas import Observed, observe_replicas
from freshd.observe.image.provenance import BuildHistory, read_history, with_build
from freshd.observe.overlap import Overlap
from freshd.observe.service_maps import ServiceMaps, differing, gone, narrowed
from freshd.store.store import Store
from freshd.tree.manifest import TreeManifest

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one look is at: a service with its tag's image and replicas, all of it or a part."""

    service: str
    image: ImageFacts | None
    replicas: tuple[Replica, ...]
    narrow: bool
    full: bool


def no_haste() -> None:
    """Nothing more urgent waits: a look goes on to its end."""


class SnapshotCollector:
    """Looks at the services of one project; one thread at a time on one service."""

    def __init__(
        self,
        project: Project,
        engine: Engine,
        store: Store,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._project = project
        self._engine = engine
        self._store = store
        self._maps = ServiceMaps(project, engine, store)
        self.manifest = TreeManifest(project.dir, store.tree_hashes)
        self._change_times = ChangeTimes(self.manifest, clock)
        self._histories: dict[str, tuple[Inference | None, str, BuildHistory]] = {}

    def map(self, service: str) -> ServiceMap:
        """The whole map of ``service``, corrected by its image where there is one."""
        return self.proof(service)[0].map

    def proof(self, service: str) -> tuple[MapResult, int | None]:
        """The map as ``map`` has it, and how many of its visible copies the tag's image holds as
        the tree does; None: there is no such image.
        """
        self._maps.known(service).replicas = replicas_of(self._engine, self._project, service)
        mapped, image, tree = self._proved(service, every=True)
        if image is None:
            return mapped, None
        copies = [p for p in mapped.map.pairs if p.via is Via.COPY and p.effective]
        return mapped, len(copies) - len(differing(copies, tree, image))

    def collect_image(self, service: str, ref: str) -> Snapshot:
        """The tree and the image ``ref``, as if it were what the tag of ``service`` names."""
        self._maps.judge(service, ref)
        return self.collect(service)

    def collect(
        self,
        service: str,
        *,
        paths: Collection[str] | None = None,
        full: bool = False,
        go_on: Callable[[], None] = no_haste,
    ) -> Snapshot:
        """Look at ``service``; ``paths`` (project-relative) narrows the files to these.

        With ``full`` no earlier hash is believed. ``go_on`` is called between the stages and may
        raise. Raises what the engine raises.
        """
        known = self._maps.known(service)
        known.replicas = replicas = self._find_replicas(service, narrow=paths is not None)
        before = known.mapped
        mapped = self._maps.mapped(service, paths)
        go_on()
        pairs, extra = self._asked(service, mapped, before, paths)
        scope = _Scope(service, known.tagged, replicas, narrow=paths is not None, full=full)
        seen, tree, extra = self._seen(scope, mapped, pairs, extra)
        go_on()
        if extra:
            self._read_tree(tree, mapped.map, (), extra)
        targets = {pair.target for pair in pairs}.union(extra)
        found = self._images(scope, seen, targets)
        go_on()
        mapped, pairs = self._confirmed(scope, mapped, pairs, found, tree)
        synced = partial(self._store.injected_files.read_synced, self._project.name, service)
        pairs = self._change_times.expected(pairs, seen.observations, found, synced)
        found = self._attributed(mapped.map, found, extra, tree)
        result = replace(mapped, map=replace(mapped.map, pairs=pairs))
        facts = self._facts(scope, result, tree, found, seen.observations)
        due = self._change_times.restarts(service, mapped.restarts, replicas, paths)
        facts = replace(facts, restarts=due)
        return facts if scope.narrow else self._with_history(facts)

    def _find_replicas(self, service: str, *, narrow: bool) -> tuple[Replica, ...]:
        """None of a service whose image alone is judged."""
        known = self._maps.known(service).replicas
        if narrow and known:  # for speed: new containers announce themselves, and are seen whole
            return tuple(self._engine.replica(replica.id) for replica in known)
        if self._maps.is_judged(service):
            return ()
        return replicas_of(self._engine, self._project, service)

    def _with_history(self, facts: Snapshot) -> Snapshot:
        """What tells why a file differs, where one does: earlier injections, and recent saves."""
        odd = _differing(facts)
        if not odd:
            return facts
        bound = {pair.source for pair in odd if pair.via is Via.BIND}
        injected = self._store.injected(self._project.name, facts.service)
        return replace(facts, injected=injected, settled=self._change_times.settled(bound))

    def replicas(self, service: str) -> tuple[Replica, ...]:
        """The containers that were looked at last."""
        return self._maps.known(service).replicas

    def doubt(self, service: str, paths: Collection[str]) -> None:
        """Forget what was hashed of ``paths`` and where they land: the next look reads them."""
        known = self._maps.known(service)
        sources = known.sources
        self._store.tree_hashes.forget(self.manifest.root, paths)
        targets = [pair.target for path in paths for pair in sources.get(path, ())]
        for replica in known.replicas:
            self._store.container_hashes.forget(replica.id, targets)

    def same_files(self, service: str, paths: Iterable[str]) -> bool:
        """Whether no mapped file can have come or gone where ``paths`` are all that changed."""
        return all(self._maps.stays(service, path) for path in paths)

    def layered(self, service: str) -> tuple[ServiceMap, tuple[ImageFacts, ...]] | None:
        """Map and images of the last scope, where the first difference will ask for the layers."""
        known = self._maps.known(service)
        if known.mapped is None or not known.mapped.map.run_after_copy:
            return None
        images = self._images_of(service, known.tagged, known.replicas)
        return known.mapped.map, tuple(images.values())

    def directories(self, service: str) -> tuple[str, ...]:
        """The container directories that the last looked-at map lands in."""
        return self._maps.known(service).directories

    def size(self, service: str) -> TreeSize:
        """How much of the service's tree there is now; raises ConfigError as a survey would."""
        root = self._project.dir
        try:
            status = os.stat(root)
            empty = not os.listdir(root)
        except OSError:
            return TreeSize(files=0, root_exists=False)
        identity = (status.st_dev, status.st_ino)
        if empty:
            return TreeSize(files=0, root_empty=True, identity=identity)
        known = self._maps.known(service).mapped
        try:
            sources = {pair.source for pair in self._maps.mapped(service).map.pairs}
        except ConfigError:
            if known is None:
                raise
            # The Dockerfile went with the rest: what is left of what was mapped until now?
            before = {pair.source for pair in known.map.pairs}
            sources = {each for each in before if os.path.lexists(os.path.join(root, each))}
        return TreeSize(files=len(sources), identity=identity)

    def build_tree(self, service: str) -> Mapping[str, Entry]:
        """Entries of all that a build of ``service`` reads, hashed anew."""
        mapping = self._maps.mapped(service).map
        wanted = {pair.source for pair in mapping.pairs if pair.via is Via.COPY}
        return self.manifest.entries(wanted.union(mapping.inputs), fresh=True)

    def mismatches(self, service: str, before: Mapping[str, Entry]) -> tuple[str, ...]:
        """Sources that the image of the tag does not hold as ``before`` says, sorted.

        What was edited since ``before`` or written by a RUN is left out.
        """
        mapped, image, tree = self._proved(service, every=False, built=True)
        if image is None:
            return ()
        odd = set(differing(mapped.map.pairs, tree, image))
        sources = {pair.source for pair in mapped.map.pairs if pair.target in odd}
        return tuple(sorted(s for s in sources if s in before and tree.get(s) == before[s]))

    def _asked(
        self,
        service: str,
        mapped: MapResult,
        before: MapResult | None,
        paths: Collection[str] | None,
    ) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
        """The pairs to look at, and targets that were mapped ``before`` and are no more."""
        if paths is None:
            return mapped.map.pairs, ()
        if mapped is before:
            if not any(self._maps.is_above(service, path) for path in paths):
                sources = self._maps.known(service).sources
                return tuple(p for path in sorted(paths) for p in sources.get(path, ())), ()
            return narrowed(mapped.map.pairs, paths, before.map.pairs), ()
        old = () if before is None else before.map.pairs
        return narrowed(mapped.map.pairs, paths, old), gone(mapped.map.pairs, old)

    def _seen(
        self, scope: _Scope, mapped: MapResult, pairs: tuple[Pair, ...], extra: tuple[str, ...]
    ) -> tuple[Observed, dict[str, Entry], tuple[str, ...]]:
        """Replicas and tree; a whole look finds the ``extra`` targets itself."""
        targets = {pair.target for pair in pairs}.union(extra)
        observe = partial(
            observe_replicas,
            *(
                self._engine,
                self._store.container_hashes,
                self._maps,
                scope.service,
                scope.replicas,
            ),
            full=scope.full,
        )
        with Overlap(self._engine) as beside:
            reading = beside.submit(
                partial(self._read_tree, {}, mapped.map, pairs, fresh=scope.full)
            )
            if scope.narrow:
                beside.go()  # a few files
                seen = observe(targets)
            else:
                listing = beside.submit(partial(self._extra, scope, mapped))
                seen = observe(targets)
                beside.go()
                extra = listing.result()
                if extra:
                    seen = seen.joined(observe(extra))
            return seen, reading.result(), extra

    def _confirmed(
        self,
        scope: _Scope,
        mapped: MapResult,
        pairs: tuple[Pair, ...],
        found: Mapping[str, ImageFacts],
        tree: dict[str, Entry],
    ) -> tuple[MapResult, tuple[Pair, ...]]:
        """Without what the images refute: those files are inputs and no pairs."""
        for _ in range(_ROUNDS):
            only = pairs if scope.narrow else None
            if not self._maps.refuted(
                scope.service, mapped, found.values(), tree, every=False, only=only
            ):
                break
            mapped = self._maps.mapped(scope.service)
            kept = {(pair.target, pair.via) for pair in mapped.map.pairs}
            pairs = tuple(pair for pair in pairs if (pair.target, pair.via) in kept)
            self._read_tree(tree, mapped.map, ())
        return mapped, pairs

    def _proved(
        self, service: str, *, every: bool, built: bool = False
    ) -> tuple[MapResult, ImageFacts | None, Mapping[str, Entry]]:
        """The map as the tag's image leaves it, that image with its files, and the tree."""
        image, tree = self._maps.tag_image(service), self.build_tree(service)
        for _ in range(_ROUNDS if image is not None else 0):
            assert image is not None
            mapped = self._maps.mapped(service)
            copies = [pair.target for pair in mapped.map.pairs if pair.via is Via.COPY]
            image = self._maps.filled(image, copies)
            if not self._maps.refuted(service, mapped, [image], tree, every=every, built=built):
                break
        return self._maps.mapped(service), image, tree

    def _extra(self, scope: _Scope, mapped: MapResult) -> tuple[str, ...]:
        """Targets that nothing maps and that came from the tree: left over, or written by us."""
        found: set[str] = set()
        for one in self._images_of(scope.service, scope.image, scope.replicas).values():
            found.update(self._maps.leftovers(mapped, one, scope.replicas))
        for replica in scope.replicas:
            found.update(self._store.injected_files.read_all(replica))
        return tuple(sorted(found - {pair.target for pair in mapped.map.pairs}))

    def _read_tree(
        self,
        tree: dict[str, Entry],
        mapping: ServiceMap,
        pairs: tuple[Pair, ...],
        extra: Iterable[str] = (),
        *,
        fresh: bool = False,
    ) -> dict[str, Entry]:
        """Bring the sources of ``pairs`` and ``extra`` and the inputs up to date in ``tree``.

        It lasts as long as one look: the entries of a large tree are better read again than kept.
        """
        wanted = {pair.source for pair in pairs}
        wanted.update(mapping.inputs)
        wanted.update(filter(None, (source_of(mapping, target) for target in extra)))
        found = self.manifest.entries(wanted, fresh=fresh)
        for path in wanted - found.keys():
            tree.pop(path, None)
        tree.update(found)
        return tree

    def _images_of(
        self, service: str, image: ImageFacts | None, replicas: Iterable[Replica]
    ) -> dict[str, ImageFacts]:
        """The tag's image and every replica's, by id."""
        found = {} if image is None else {image.id: image}
        for replica in replicas:
            one = self._maps.image(service, replica.image_id)
            if one is not None:
                found[one.id] = one
        return found

    def _images(
        self, scope: _Scope, seen: Observed, targets: Collection[str]
    ) -> dict[str, ImageFacts]:
        """The images in question with what they hold of ``targets``."""
        replicas = [each.replica for each in seen.observations]
        every = self._images_of(scope.service, scope.image, replicas)
        return {
            image_id: self._maps.filled(one, targets, seen.told.get(image_id))
            for image_id, one in every.items()
        }

    def _attributed(
        self,
        mapping: ServiceMap,
        found: Mapping[str, ImageFacts],
        extra: Collection[str],
        tree: Mapping[str, Entry],
    ) -> dict[str, ImageFacts]:
        """Say who wrote what, for images that hold files which nothing maps and the tree lacks."""
        told = {}
        for image_id, image in found.items():
            left = [p for p in extra if p in image.files and not _is_file(tree, mapping, p)]
            told[image_id] = image
            if left:
                mapped = [pair.target for pair in mapping.pairs]
                lines = self._maps.writers(mapping, image, [*mapped, *left])
                told[image_id] = replace(image, writers=lines)
        return told

    def _facts(
        self,
        scope: _Scope,
        mapped: MapResult,
        tree: Mapping[str, Entry],
        found: Mapping[str, ImageFacts],
        observations: tuple[Observation, ...],
    ) -> Snapshot:
        service, image = scope.service, scope.image
        build = self._project.service(service).build
        facts = Snapshot(
            service=service,
            builds=build is not None,
            mapping=mapped.map,
            tree=tree,
            observations=observations,
            tag_image=None if image is None else found.get(image.id, image),
            images=found,
            args={} if build is None else {k: v or "" for k, v in build.args.items()},
            written={
                (seen.replica.id, target): digest
                for seen in observations
                for target, digest in self._store.injected_files.read_all(seen.replica).items()
            },
        )
        judged = image_of(facts)  # the tag may be gone, and what it named still run
        if judged is None:
            return facts
        record = self._store.build_records.get(judged.id)
        rules = self._project.policy.watched(service) if record is None else ()
        newer = self._change_times.newer(rules, facts.mapping.inputs, judged)
        history = self._history(service, mapped.inference, judged)
        found_out = with_build(facts, judged, history, record=record, narrow=scope.narrow)
        fooled = record is None and self._change_times.fooled(mapped.map.pairs, facts.tree, judged)
        return replace(found_out, newer=newer, fresh_build=found_out.fresh_build or fooled)

    def _history(
        self, service: str, inference: Inference | None, image: ImageFacts
    ) -> BuildHistory:
        """Read once for each map and image."""
        known = self._histories.get(service)
        if known is None or known[0] is not inference or known[1] != image.id:
            known = (inference, image.id, read_history(inference, image))
            self._histories[service] = known
        return known[2]


def _differing(facts: Snapshot) -> list[Pair]:
    """Pairs whose file is not the tree's in some container."""
    return [
        pair
        for seen in facts.observations
        for pair in (() if seen.problem else facts.mapping.pairs)
        if (want := facts.tree.get(pair.source)) is not None
        and pair.target in seen.asked
        and not want.same_content(seen.files.get(pair.target))
    ]


def _is_file(tree: Mapping[str, Entry], mapping: ServiceMap, target: str) -> bool:
    """Whether the tree has something other than a directory where ``target`` would come from."""
    here = tree.get(source_of(mapping, target) or "")
    return here is not None and here.kind is not Kind.DIR
