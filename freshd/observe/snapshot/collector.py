"""Collects tree, image, replicas and build record of one service, as ``Snapshot``.

Comes in: a project, an engine, the store, and the paths that changed (or None for everything).
Goes out: the values that ``freshd.compare`` looks at. ``reconcile`` carries them there.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from freshd.config.project import Project
from freshd.engine.client import Engine
from freshd.mapping.service_map import MapResult
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.container import Observation, Replica
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.questions import directory_of, image_of, source_of
from freshd.model.observed.snapshot import Snapshot
from freshd.observe.change_times import ChangeTimes
from freshd.observe.container.members import replicas_of
from freshd.observe.container.replicas import Observed, observe_replicas
from freshd.observe.image.build.first_sight import FirstLook
from freshd.observe.image.provenance import BuildHistories, with_build
from freshd.observe.overlap import Overlap
from freshd.observe.service_maps import ROUNDS, ServiceMaps
from freshd.observe.snapshot.bound import BoundFiles
from freshd.observe.snapshot.images import attributed, filled_images, images_of, leftovers
from freshd.observe.snapshot.narrowing import gone, narrowed
from freshd.store.store import Store
from freshd.tree.manifest import TreeManifest


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one snapshot is of: a service, its tag's image and replicas, all of it or a part."""

    service: str
    image: ImageFacts | None
    replicas: tuple[Replica, ...]
    narrow: bool
    full: bool


def no_haste() -> None:
    """Nothing more urgent waits: a snapshot is collected to its end."""


class SnapshotCollector:
    """Of the services of one project; one thread at a time on one service."""

    def __init__(
        self,
        project: Project,
        engine: Engine,
        store: Store,
        maps: ServiceMaps,
        clock: Callable[[], float],
    ) -> None:
        self._project = project
        self._engine = engine
        self._store = store
        self._maps = maps
        self.manifest = TreeManifest(project.dir, store.tree_hashes)
        self._change_times = ChangeTimes(self.manifest, clock)
        self._histories = BuildHistories()
        self._first_look = FirstLook(
            store.first_sights,
            project.name,
            self._change_times.changed_at,
            lambda path: not self.manifest.doubt_absence(path, below="."),
            clock,
        )

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
        """The snapshot of ``service``; ``paths`` (project-relative) narrows the files to these.

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
        observed, tree, extra = self._observed(scope, mapped, pairs, extra)
        go_on()
        if extra:
            self._read_tree(tree, mapped.map, (), extra)
        targets = {pair.target for pair in pairs}.union(extra)
        images = filled_images(self._maps, service, scope.image, observed, targets)
        go_on()
        mapped, pairs = self._confirmed(scope, mapped, pairs, images, tree)
        synced = partial(self._store.injected_files.read_synced, self._project.name, service)
        pairs = self._change_times.expected(pairs, observed.observations, images, synced)
        images = attributed(self._maps, mapped.map, images, extra, tree)
        result = replace(mapped, map=replace(mapped.map, pairs=pairs))
        facts = self._facts(scope, result, tree, images, observed.observations)
        due = self._change_times.restarts(service, mapped.restarts, replicas, paths)
        facts = replace(facts, restarts=due)
        return facts if scope.narrow else self._with_history(facts)

    def _find_replicas(self, service: str, *, narrow: bool) -> tuple[Replica, ...]:
        """None of a service whose image alone is judged."""
        known = self._maps.known(service).replicas
        if narrow and known:  # for speed: new containers announce themselves, and are seen whole
            again = (self._engine.replica(replica.id) for replica in known)
            return self._maps.with_real_mounts(service, again)
        if self._maps.is_judged(service):
            return ()
        found = replicas_of(self._engine, self._project, service)
        return self._maps.with_real_mounts(service, found)

    def _with_history(self, facts: Snapshot) -> Snapshot:
        """With what explains a difference, if there is one: earlier injections, recent saves."""
        odd = _differing(facts)
        if not odd:
            return facts
        bound = {pair.source for pair in odd if pair.via is Via.BIND}
        injected = self._store.injected(self._project.name, facts.service)
        return replace(facts, injected=injected, settled=self._change_times.settled(bound))

    def replicas(self, service: str) -> tuple[Replica, ...]:
        """The containers of the last snapshot."""
        return self._maps.known(service).replicas

    def image_entries(
        self, service: str, image_id: str, targets: Collection[str]
    ) -> Mapping[str, Entry] | None:
        """What an image has at ``targets``; None where there is no such image."""
        image = self._maps.image(service, image_id)
        return None if image is None else self._maps.filled(image, targets).files

    def mapping(self, service: str) -> ServiceMap:
        """The map of ``service`` as it is now."""
        return self._maps.mapped(service).map

    def doubt(self, service: str, paths: Collection[str]) -> None:
        """Forget what was hashed of ``paths`` and where they land: the next snapshot reads them."""
        known = self._maps.known(service)
        sources = known.sources
        self._store.tree_hashes.forget(self.manifest.root, paths)
        targets = [pair.target for path in paths for pair in sources.get(path, ())]
        for replica in known.replicas:
            self._store.container_hashes.forget(replica.id, targets)

    def same_files(self, service: str, paths: Iterable[str]) -> bool:
        """Whether no mapped file can have come or gone where ``paths`` are all that changed."""
        return all(self._maps.stays(service, path) for path in paths)

    def is_data(self, service: str, path: str) -> bool:
        """Whether ``path`` can only be what a program writes through a bind mount."""
        return self._maps.is_data(service, path)

    def layered(self, service: str) -> tuple[ServiceMap, tuple[ImageFacts, ...]] | None:
        """Map and images of the last scope, where the first difference will ask for the layers."""
        known = self._maps.known(service)
        if known.mapped is None or not known.mapped.map.run_after_copy:
            return None
        images = images_of(self._maps, service, known.tagged, known.replicas)
        return known.mapped.map, tuple(images.values())

    def directories(self, service: str) -> tuple[str, ...]:
        """The container directories that the map of the last snapshot lands in."""
        return self._maps.known(service).directories

    def _asked(
        self,
        service: str,
        mapped: MapResult,
        before: MapResult | None,
        paths: Collection[str] | None,
    ) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
        """The pairs to read, and targets that were mapped ``before`` and are no more."""
        if paths is None:
            return mapped.map.pairs, ()
        # What is bind-mounted waits for a whole snapshot: nothing of it is ever to be brought.
        if mapped is before:
            if not any(self._maps.is_above(service, path) for path in paths):
                sources = self._maps.known(service).sources
                named = (pair for path in sorted(paths) for pair in sources.get(path, ()))
                return _unbound(named), ()
            return _unbound(narrowed(mapped.map.pairs, paths, before.map.pairs)), ()
        old = () if before is None else before.map.pairs
        left = gone(mapped.map.pairs, old)
        data = self._maps.select_data(mapped.map, left)
        extra = tuple(target for target in left if target not in data)
        return _unbound(narrowed(mapped.map.pairs, paths, old)), extra

    def _observed(
        self, scope: _Scope, mapped: MapResult, pairs: tuple[Pair, ...], extra: tuple[str, ...]
    ) -> tuple[Observed, dict[str, Entry], tuple[str, ...]]:
        """Replicas and tree; a whole snapshot finds the ``extra`` targets itself."""
        targets = {pair.target for pair in pairs}.union(extra)
        hashes = self._store.container_hashes
        bound = BoundFiles(self.manifest, mapped.map, pairs, full=scope.full)
        observe = partial(
            observe_replicas,
            *(self._engine, hashes, self._maps, scope.service, scope.replicas),
            full=scope.full,
            bound=bound.host_files,
        )
        with Overlap(self._engine) as beside:
            reading = beside.submit(
                partial(self._read_tree, {}, mapped.map, bound.others, fresh=scope.full)
            )
            if scope.narrow:
                beside.go()  # a few files
                observed = observe(targets)
            else:
                listing = beside.submit(partial(self._extra, scope, mapped))
                observed = observe(targets)
                beside.go()
                extra = listing.result()
                if extra:
                    observed = observed.joined(observe(extra))
            tree = reading.result()
            return bound.settle(self._engine, observed, tree), tree, extra

    def _confirmed(
        self,
        scope: _Scope,
        mapped: MapResult,
        pairs: tuple[Pair, ...],
        images: Mapping[str, ImageFacts],
        tree: dict[str, Entry],
    ) -> tuple[MapResult, tuple[Pair, ...]]:
        """As the images bear it out: what they refute are inputs and no pairs."""
        for _ in range(ROUNDS):
            only = pairs if scope.narrow else None
            if not self._maps.refuted(
                scope.service, mapped, images.values(), tree, every=False, only=only
            ):
                break
            mapped = self._maps.mapped(scope.service)
            now = {(pair.target, pair.via): pair for pair in mapped.map.pairs}
            pairs = tuple(filter(None, (now.get((pair.target, pair.via)) for pair in pairs)))
            self._read_tree(tree, mapped.map, ())
        return mapped, pairs

    def _extra(self, scope: _Scope, mapped: MapResult) -> tuple[str, ...]:
        """Targets that nothing maps and that came from the tree: left over, or written by us."""
        images = images_of(self._maps, scope.service, scope.image, scope.replicas)
        targets = leftovers(self._maps, mapped, images.values(), scope.replicas)
        for replica in scope.replicas:
            targets.update(self._store.injected_files.read_all(replica))
        targets -= {pair.target for pair in mapped.map.pairs}
        return tuple(sorted(targets - self._maps.select_data(mapped.map, targets)))

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

        It lasts as long as one snapshot: entries of a large tree are better read again than kept.
        """
        wanted = {pair.source for pair in pairs}
        wanted.update(mapping.inputs)
        extra = tuple(extra)
        wanted.update(filter(None, (source_of(mapping, target) for target in extra)))
        entries = self.manifest.entries(wanted, fresh=fresh)
        for path in wanted - entries.keys():
            tree.pop(path, None)
        tree.update(entries)
        for target in extra:
            source = source_of(mapping, target)
            reason = self._doubt(mapping, target) if source and source not in entries else ""
            if source and reason:
                tree[source] = Entry(Kind.UNREADABLE, reason=reason)
        return tree

    def doubt_absence(self, service: str, target: str) -> str:
        """Why it is not proved now that the source of ``target`` has left the tree, "" where it is.

        The proof: the directory that it was brought from is there and lacks it.
        """
        mapped = self._maps.known(service).mapped
        if mapped is None or not self._project.is_settled(service):
            return "a link on the way to it leads elsewhere now"
        return self._doubt(mapped.map, target)

    def _doubt(self, mapping: ServiceMap, target: str) -> str:
        source, directory = source_of(mapping, target), directory_of(mapping, target)
        if source is None or directory is None:
            return "it is not known which file of the tree it was"
        return self.manifest.doubt_absence(source, below=directory or ".")

    def _facts(
        self,
        scope: _Scope,
        mapped: MapResult,
        tree: Mapping[str, Entry],
        images: Mapping[str, ImageFacts],
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
            tag_image=None if image is None else images.get(image.id, image),
            images=images,
            args={} if build is None else {k: v or "" for k, v in build.args.items()},
            written={
                (replica.id, target): digest
                for replica in [observation.replica for observation in observations]
                for target, digest in self._store.injected_files.read_all(replica).items()
            },
        )
        judged = image_of(facts)  # the tag may be gone, and what it named still run
        if judged is None:
            return facts
        record = self._store.build_records.get(judged.id, facts.args)
        rules = self._project.policy.watched(service) if record is None else ()
        newer = self._change_times.newer(rules, facts.mapping.inputs, judged)
        history = self._histories.read(service, mapped.inference, judged)
        facts = with_build(facts, judged, history, record=record, narrow=scope.narrow)
        fooled = record is None and self._change_times.fooled(mapped.map.pairs, facts.tree, judged)
        edited = () if facts.record is not None else self._edited(scope, mapped, facts, judged)
        facts = replace(facts, newer=newer, edited=edited)
        return replace(facts, fresh_build=facts.fresh_build or fooled)

    def _edited(
        self, scope: _Scope, mapped: MapResult, facts: Snapshot, image: ImageFacts
    ) -> tuple[str, ...]:
        """Inputs that changed since the image was first seen; of one that is only judged, none."""
        if not facts.builds or self._maps.is_judged(scope.service):
            return ()
        return self._first_look.find_edited(
            facts, image, dockerfile=mapped.dockerfile, keep=not scope.narrow
        )


def _unbound(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    return tuple(pair for pair in pairs if pair.via is not Via.BIND)


def _differing(facts: Snapshot) -> list[Pair]:
    """Pairs whose file is not the tree's in some container."""
    return [
        pair
        for observation in facts.observations
        for pair in (() if observation.problem else facts.mapping.pairs)
        if (want := facts.tree.get(pair.source)) is not None
        and pair.target in observation.asked
        and pair.target not in observation.same
        and not want.same_content(observation.files.get(pair.target))
    ]
