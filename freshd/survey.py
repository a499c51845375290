"""Surveys one service: the tree, the image, the replicas and the build record, as ``ServiceFacts``.

Comes in: a project, an engine, the store, and the paths that changed (or None for everything).
Goes out: the values ``causes.compare`` looks at. The next module on the way is ``reconcile``.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from freshd.causes.container import is_serving
from freshd.causes.difference import same_mode
from freshd.causes.leftovers import source_of
from freshd.engine.client import Engine
from freshd.model import (
    Entry,
    ImageFacts,
    Observation,
    Pair,
    Replica,
    ServiceFacts,
    ServiceMap,
    Trace,
    Via,
)
from freshd.observe import images, layers
from freshd.observe.files import observe
from freshd.observe.unchanged import observe_changes
from freshd.policy.halts import TreeSize
from freshd.project import Project
from freshd.store.store import Store
from freshd.tree.dockerfile.history import compare_history
from freshd.tree.dockerfile.stages import BaseImage
from freshd.tree.manifest import TreeManifest
from freshd.tree.mapping import MapResult, build_map, context_key

_ROUNDS = 3


@dataclass(slots=True)
class Memory:
    """What earlier surveys of one service learnt. Only a cache: it can be dropped at any time."""

    mapped: MapResult | None = None
    made_for: object = None
    sources: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    rewritten: dict[str, dict[str, str]] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    tree: dict[str, Entry] = field(default_factory=dict)
    images: dict[str, ImageFacts] = field(default_factory=dict)
    replicas: tuple[Replica, ...] = ()


class Surveyor:
    """Looks at the services of one project; one thread at a time on one service."""

    def __init__(self, project: Project, engine: Engine, store: Store) -> None:
        self._project = project
        self._engine = engine
        self._store = store
        self._memories: dict[str, Memory] = {}
        self.manifest = TreeManifest(project.dir, store.stats)

    def map(self, service: str, replicas: tuple[Replica, ...] = ()) -> ServiceMap:
        """The whole map of ``service``, corrected by its image where there is one."""
        memory = self._memory(service)
        for _ in range(_ROUNDS):
            mapped = self._mapped(service, replicas, memory, None)
            image = self._plain_image(self._project.service(service).image, memory)
            if image is None or not mapped.map.run_after_copy:
                break
            self._read_tree(mapped.map, mapped.map.pairs, (), memory, fresh=False)
            targets = [pair.target for pair in mapped.map.pairs if pair.via is Via.COPY]
            found = self._image_files(image, (), targets, {}, memory)
            if not self._refuted(mapped, found, memory, every=True):
                break
        return self._mapped(service, replicas, memory, None).map

    def survey(
        self,
        service: str,
        replicas: tuple[Replica, ...],
        *,
        paths: Collection[str] | None = None,
        full: bool = False,
    ) -> ServiceFacts:
        """Look at ``service``; ``paths`` (project-relative) narrows the files to these.

        With ``full`` no earlier hash is believed. Raises what the engine raises.
        """
        memory = self._memory(service)
        memory.replicas = replicas
        before = memory.mapped
        mapped = self._mapped(service, replicas, memory, paths)
        image = self._plain_image(self._project.service(service).image, memory)
        everything = paths is None
        extra: tuple[str, ...] = ()
        if paths is not None and mapped is before:
            pairs = tuple(pair for path in sorted(paths) for pair in memory.sources.get(path, ()))
        elif paths is not None:
            old = () if before is None else before.map.pairs
            pairs = _narrowed(mapped.map.pairs, paths, old)
            extra = _gone(mapped.map.pairs, old)
        else:
            pairs = mapped.map.pairs
            extra = memory.extra = self._leftovers(mapped.map, image, replicas, memory)
            memory.tree = {}
        self._read_tree(mapped.map, pairs, extra, memory, fresh=full)
        targets = {pair.target for pair in pairs}.union(extra)
        observations, known = self._observe(replicas, targets, memory, full=full)
        found = self._image_files(image, observations, targets, known, memory)
        for _ in range(_ROUNDS):
            if not self._refuted(mapped, found, memory):
                break
            # The image refutes part of the map: those files are inputs and no pairs.
            mapped = self._mapped(service, replicas, memory, None)
            kept = {(pair.target, pair.via) for pair in mapped.map.pairs}
            pairs = tuple(pair for pair in pairs if (pair.target, pair.via) in kept)
            self._read_tree(mapped.map, (), (), memory, fresh=False)
        found = self._attributed(mapped.map, found, extra if everything else (), memory)
        mapping = replace(mapped.map, pairs=pairs)
        return self._facts(service, mapping, image, found, observations, mapped, memory)

    def doubt(self, service: str, paths: Collection[str], replicas: Iterable[Replica]) -> None:
        """Forget what was hashed of ``paths`` and where they land: the next look reads them."""
        memory = self._memory(service)
        self._store.stats.forget(self.manifest.root, paths)
        targets = [pair.target for path in paths for pair in memory.sources.get(path, ())]
        for replica in replicas:
            self._store.containers.forget(replica.id, targets)

    def directories(self, service: str) -> tuple[str, ...]:
        """The container directories that the last looked-at map lands in."""
        mapped = self._memory(service).mapped
        if mapped is None:
            return ()
        parents = {pair.target.rpartition("/")[0] or "/" for pair in mapped.map.pairs}
        return tuple(sorted(parents.union(mapped.map.copied_into)))

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
        memory = self._memory(service)
        mapped = self._mapped(service, memory.replicas, memory, None)
        return TreeSize(files=len({pair.source for pair in mapped.map.pairs}), identity=identity)

    def build_tree(self, service: str) -> Mapping[str, Entry]:
        """Entries of all that a build of ``service`` reads, hashed anew."""
        mapping = self._mapped(
            service, self._memory(service).replicas, self._memory(service), None
        ).map
        wanted = {pair.source for pair in mapping.pairs if pair.via is Via.COPY}
        return self.manifest.entries(wanted.union(mapping.inputs), fresh=True)

    def mismatches(self, service: str, before: Mapping[str, Entry]) -> tuple[str, ...]:
        """Sources that the image of the tag does not hold as ``before`` says.

        What was edited since ``before`` or written by a RUN is left out. Sorted.
        """
        memory = self._memory(service)
        image = self._plain_image(self._project.service(service).image, memory)
        if image is None:
            return ()
        for _ in range(_ROUNDS):
            mapped = self._mapped(service, memory.replicas, memory, None)
            memory.tree = self.build_tree(service)
            targets = [pair.target for pair in mapped.map.pairs if pair.via is Via.COPY]
            found = self._image_files(image, (), targets, {}, memory)
            if not self._refuted(mapped, found, memory):
                break
        odd = set(_differing(mapped.map.pairs, memory.tree, found[image.id]))
        sources = {pair.source for pair in mapped.map.pairs if pair.target in odd}
        return tuple(sorted(s for s in sources if s in before and memory.tree.get(s) == before[s]))

    def _memory(self, service: str) -> Memory:
        return self._memories.setdefault(service, Memory())

    def _mapped(
        self,
        service: str,
        replicas: tuple[Replica, ...],
        memory: Memory,
        paths: Collection[str] | None,
    ) -> MapResult:
        """The map, made again only when the set of files or what decides about it changed."""
        known = memory.mapped
        model = self._project.service(service)
        policy = self._project.policy.service(service)
        image = self._plain_image(model.image, memory)
        rewritten = memory.rewritten.get(image.chain_id, {}) if image is not None else {}
        mounts = replicas[0].mounts if replicas else None
        made_for = (model, policy, mounts, tuple(sorted(rewritten)))
        if known is not None and memory.made_for == made_for:
            if paths is not None and self._only_content(paths, known, memory):
                return known
            if context_key(known) == known.stamps:
                return known
        memory.mapped = build_map(
            model,
            project_dir=self._project.dir,
            policy=policy,
            image_config=self._base_image,
            rewritten=rewritten,
            mounts=mounts,
        )
        memory.made_for = made_for
        memory.sources = _by_source(memory.mapped.map.pairs)
        return memory.mapped

    def _only_content(self, paths: Collection[str], known: MapResult, memory: Memory) -> bool:
        """Whether ``paths`` are files that are mapped already and still exist as such."""
        return all(
            path in memory.sources
            and path not in known.map.inputs
            and os.path.isfile(os.path.join(self._project.dir, path))
            for path in paths
        )

    def _plain_image(self, ref: str, memory: Memory) -> ImageFacts | None:
        """An image's facts without files. An id's never change; a tag is asked for again."""
        if not ref:
            return None
        known = memory.images.get(ref)
        if known is not None:
            return known
        image = self._engine.image(ref)
        if image is not None:
            memory.images[image.id] = image
        return image

    def _base_image(self, ref: str) -> BaseImage | None:
        config = self._engine.image_config(ref)
        if config is None:
            return None
        return BaseImage(
            workdir=config.workdir,
            env=config.env,
            onbuild=config.onbuild,
            shell=config.shell,
            history=config.history,
        )

    def _leftovers(
        self,
        mapping: ServiceMap,
        image: ImageFacts | None,
        replicas: tuple[Replica, ...],
        memory: Memory,
    ) -> tuple[str, ...]:
        """Targets that no pair maps and that may have come from the tree: to be looked at too."""
        mapped = {pair.target for pair in mapping.pairs}
        found: set[str] = set()
        ids = {replica.image_id for replica in replicas} | ({image.id} if image else set())
        for image_id in sorted(ids) if mapping.copied_into else ():
            plain = self._plain_image(image_id, memory)
            if plain is not None:
                found.update(
                    images.list_below(
                        self._engine, plain.id, mapping.copied_into, cache=self._store.images
                    )
                )
        for replica in replicas:
            found.update(self._store.writes.get(replica.id))
        return tuple(sorted(found - mapped))

    def _read_tree(
        self,
        mapping: ServiceMap,
        pairs: tuple[Pair, ...],
        extra: Iterable[str],
        memory: Memory,
        *,
        fresh: bool,
    ) -> None:
        """Bring the sources of ``pairs`` and ``extra`` and the inputs up to date in memory."""
        wanted = {pair.source for pair in pairs}
        wanted.update(mapping.inputs)
        wanted.update(filter(None, (source_of(mapping, target) for target in extra)))
        found = self.manifest.entries(wanted, fresh=fresh)
        for path in wanted - found.keys():
            memory.tree.pop(path, None)
        memory.tree.update(found)

    def _observe(
        self,
        replicas: tuple[Replica, ...],
        targets: Collection[str],
        memory: Memory,
        *,
        full: bool,
    ) -> tuple[tuple[Observation, ...], dict[str, dict[str, Entry | None]]]:
        """One observation a replica, and what they tell of their images: id -> path -> entry."""
        cache = self._store.containers
        observations = []
        known: dict[str, dict[str, Entry | None]] = {}
        for replica in replicas:
            if not is_serving(replica):
                observations.append(Observation(replica))
            elif replica.running and self._asks_image(replica.image_id, targets, known, memory):
                observation, told = observe_changes(
                    self._engine, replica, targets, cache=cache, full=full
                )
                observations.append(observation)
                known.setdefault(replica.image_id, {}).update(told)
            else:
                observations.append(observe(self._engine, replica, targets, cache=cache, full=full))
        return tuple(observations), known

    def _asks_image(
        self,
        image_id: str,
        targets: Collection[str],
        known: Mapping[str, Mapping[str, Entry | None]],
        memory: Memory,
    ) -> bool:
        """Whether some of ``targets`` are not known yet as this image has them."""
        plain = self._plain_image(image_id, memory)
        if plain is None or image_id in known:
            return False
        return len(self._store.images.get_files(plain.chain_id, targets)) < len(set(targets))

    def _image_files(
        self,
        image: ImageFacts | None,
        observations: tuple[Observation, ...],
        targets: Collection[str],
        known: Mapping[str, Mapping[str, Entry | None]],
        memory: Memory,
    ) -> dict[str, ImageFacts]:
        """The tag's image and every replica's, by id, with what they hold of ``targets``."""
        wanted = {} if image is None else {image.id: image}
        for observation in observations:
            plain = self._plain_image(observation.replica.image_id, memory)
            if plain is not None:
                wanted[plain.id] = plain
        return {
            image_id: images.fill(
                self._engine,
                plain,
                targets,
                cache=self._store.images,
                known=known.get(image_id),
            )
            for image_id, plain in wanted.items()
        }

    def _refuted(
        self,
        mapped: MapResult,
        found: Mapping[str, ImageFacts],
        memory: Memory,
        *,
        every: bool = False,
    ) -> bool:
        """Whether images say of mapped files that a RUN wrote them; remembered by chain id."""
        told = False
        for image in found.values():
            odd = _differing(mapped.map.pairs, memory.tree, image)
            if not mapped.map.run_after_copy or not (odd or every):
                continue
            copies = [pair.target for pair in mapped.map.pairs if pair.via is Via.COPY]
            lines = layers.rewritten(copies, self._writers(mapped.map, image, copies))
            for target in odd:
                copy = mapped.copies.get(target)
                if copy is not None and copy.through_run:
                    lines.setdefault(target, "a RUN of an earlier stage may have changed it")
            remembered = memory.rewritten.setdefault(image.chain_id, {})
            told = told or bool(lines.keys() - remembered.keys())
            remembered.update(lines)
        return told

    def _writers(
        self, mapping: ServiceMap, image: ImageFacts, targets: Collection[str]
    ) -> Mapping[str, str]:
        return layers.writers(
            self._engine,
            image.id,
            targets,
            cache=self._store.images,
            below=mapping.copied_into,
        )

    def _attributed(
        self,
        mapping: ServiceMap,
        found: Mapping[str, ImageFacts],
        extra: Collection[str],
        memory: Memory,
    ) -> dict[str, ImageFacts]:
        """Say who wrote what, for images that hold files which nothing maps and the tree lacks."""
        told = {}
        for image_id, image in found.items():
            left = [
                path
                for path in extra
                if path in image.files and source_of(mapping, path) not in memory.tree
            ]
            told[image_id] = image
            if left:
                mapped = [pair.target for pair in mapping.pairs]
                lines = self._writers(mapping, image, [*mapped, *left])
                told[image_id] = replace(image, writers=lines)
        return told

    def _facts(
        self,
        service: str,
        mapping: ServiceMap,
        image: ImageFacts | None,
        found: Mapping[str, ImageFacts],
        observations: tuple[Observation, ...],
        mapped: MapResult,
        memory: Memory,
    ) -> ServiceFacts:
        model = self._project.service(service)
        trace, evidence = Trace.UNKNOWN, ""
        if image is not None and mapped.inference is not None:
            verdict = compare_history(
                mapped.inference.final,
                image.history,
                base_history=mapped.inference.base_history,
            )
            trace, evidence = verdict.trace, verdict.evidence
        return ServiceFacts(
            service=service,
            builds=model.build is not None,
            mapping=mapping,
            tree=memory.tree,
            observations=observations,
            tag_image=None if image is None else found.get(image.id, image),
            images=found,
            record=None if image is None else self._store.builds.get(image.id),
            args={k: v or "" for k, v in model.build.args.items()} if model.build else {},
            written={
                (each.replica.id, target): digest
                for each in observations
                for target, digest in self._store.writes.get(each.replica.id).items()
            },
            trace=trace,
            trace_evidence=evidence,
        )


def _by_source(pairs: Iterable[Pair]) -> dict[str, tuple[Pair, ...]]:
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.source, []).append(pair)
    return {source: tuple(several) for source, several in found.items()}


def _differing(
    pairs: Iterable[Pair], tree: Mapping[str, Entry], image: ImageFacts
) -> tuple[str, ...]:
    """Targets of COPYs that the image does not have as the tree does."""
    odd = []
    for pair in pairs:
        want, seen = tree.get(pair.source), image.files.get(pair.target)
        if pair.via is not Via.COPY or not pair.effective or want is None:
            continue
        if not want.same_content(seen) or (seen is not None and not same_mode(pair, want, seen)):
            odd.append(pair.target)
    return tuple(odd)


def _narrowed(
    pairs: Iterable[Pair], paths: Collection[str], before: Iterable[Pair]
) -> tuple[Pair, ...]:
    """The pairs of ``paths`` or of what is below them, and those that are new."""
    wanted, old = set(paths), set(before)
    return tuple(
        pair
        for pair in pairs
        if pair.source in wanted or pair not in old or not wanted.isdisjoint(_above(pair.source))
    )


def _gone(pairs: Iterable[Pair], before: Iterable[Pair]) -> tuple[str, ...]:
    """Targets that were mapped and are no more."""
    return tuple(sorted({pair.target for pair in before} - {pair.target for pair in pairs}))


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
