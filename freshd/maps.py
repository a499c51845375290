"""The maps of a project's services, and what their images say of them.

Comes in: a project, an engine and the store. Goes out: ``MapResult``s, corrected where an image
shows that a RUN wrote what a COPY had put there, and images with the files that were asked for.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from freshd.causes.difference import same_mode
from freshd.causes.history import is_copy
from freshd.causes.mounts import is_below
from freshd.engine.client import Engine
from freshd.model import Entry, ImageFacts, Pair, Replica, ServiceMap, Via
from freshd.observe import images, layers
from freshd.observe.held import HeldImages
from freshd.project import Project
from freshd.store.store import Store
from freshd.tree.dockerfile.stages import BaseImage
from freshd.tree.ignore import never_code
from freshd.tree.mapping import MapResult, build_map, context_key


@dataclass(slots=True)
class Known:
    """What is known of one service. Only a cache: it can be dropped at any time.

    ``sources`` are the pairs by source, ``rewritten`` (by chain id) targets that a RUN wrote.
    """

    mapped: MapResult | None = None
    made_for: object = None
    replicas: tuple[Replica, ...] = ()
    sources: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    rewritten: dict[str, dict[str, str]] = field(default_factory=dict)
    images: dict[str, ImageFacts] = field(default_factory=dict)


class Maps:
    """One thread at a time on one service."""

    def __init__(self, project: Project, engine: Engine, store: Store) -> None:
        self._project = project
        self._engine = engine
        self._images = HeldImages(store.images)
        self._known: dict[str, Known] = {}

    def known(self, service: str) -> Known:
        return self._known.setdefault(service, Known())

    def mapped(self, service: str, paths: Collection[str] | None = None) -> MapResult:
        """The map, made again only when the set of files or what decides about it changed.

        ``paths`` (project-relative) are all that changed, where that is known.
        """
        known = self.known(service)
        model = self._project.service(service)
        policy = self._project.policy.service(service)
        watch = self._project.policy.watched(service)
        image = self.tag_image(service)
        rewritten = known.rewritten.get(image.chain_id, {}) if image is not None else {}
        mounts = known.replicas[0].mounts if known.replicas else None
        made_for = (model, policy, watch, mounts, tuple(sorted(rewritten)))
        if known.mapped is not None and known.made_for == made_for:
            if paths is not None and self._only_content(paths, known.mapped, known):
                return known.mapped
            if context_key(known.mapped) == known.mapped.stamps:
                return known.mapped
        known.mapped = build_map(
            model,
            project_dir=self._project.dir,
            policy=policy,
            watch=watch,
            image_config=self._base_image,
            rewritten=rewritten,
            mounts=mounts,
        )
        known.made_for = made_for
        known.sources = _by_source(known.mapped.map.pairs)
        return known.mapped

    def tag_image(self, service: str) -> ImageFacts | None:
        """The image that the service's tag names now, without files."""
        return self.image(service, self._project.service(service).image)

    def image(self, service: str, ref: str) -> ImageFacts | None:
        """An image's facts without files. An id's never change; a tag is asked for again."""
        if not ref:
            return None
        known = self.known(service).images
        if ref in known:
            return known[ref]
        image = self._engine.image(ref)
        if image is not None:
            known[image.id] = image
        return image

    def filled(
        self,
        image: ImageFacts,
        targets: Collection[str],
        known: Mapping[str, Entry | None] | None = None,
    ) -> ImageFacts:
        """The image with those of ``targets`` that it holds."""
        cache = self._images
        return images.fill(self._engine, image, targets, cache=cache, known=known)

    def knows(self, image: ImageFacts, targets: Collection[str]) -> bool:
        """Whether all of ``targets`` are known already as this image has them."""
        return len(self._images.get_files(image.chain_id, targets)) == len(set(targets))

    def writers(
        self, mapping: ServiceMap, image: ImageFacts, targets: Collection[str]
    ) -> Mapping[str, str]:
        """target -> history line of the layer that wrote it last."""
        cache = self._images
        return layers.writers(
            self._engine, image.id, targets, cache=cache, below=mapping.copied_into
        )

    def leftovers(
        self, mapped: MapResult, image: ImageFacts, replicas: Iterable[Replica] = ()
    ) -> tuple[str, ...]:
        """Targets of the image that a COPY wrote and no pair maps: they may have left the tree.

        What a base image or a RUN put beside them is told apart by its layer, and left out. So is
        what a mount hides, and what is nobody's code, which is never mapped.
        """
        mapping = mapped.map
        if not mapping.copied_into:
            return ()
        targets = {pair.target for pair in mapping.pairs}
        cache = self._images
        told_by = next((r for r in replicas if r.running and r.image_id == image.id), None)
        below = images.list_below(
            self._engine, image.id, mapping.copied_into, cache=cache, told_by=told_by
        )
        beside = [
            path
            for path in below
            if path not in targets
            and not never_code(path)
            and not any(is_below(path, mount) for mount in mapped.hidden_below)
        ]
        if not beside:
            return ()
        lines = self.writers(mapping, image, beside)
        return tuple(path for path in beside if is_copy(lines[path]))

    def refuted(
        self, service: str, found: Iterable[ImageFacts], tree: Mapping[str, Entry], *, every: bool
    ) -> bool:
        """Whether ``found`` tell of mapped files that a RUN wrote them; remembered by chain id.

        Layers are only asked where an image differs from the tree, or with ``every``.
        """
        known = self.known(service)
        mapped = self.mapped(service)
        told = False
        for image in found if mapped.map.run_after_copy else ():
            odd = differing(mapped.map.pairs, tree, image)
            if not odd and not every:
                continue
            copies = [pair.target for pair in mapped.map.pairs if pair.via is Via.COPY]
            lines = layers.rewritten(copies, self.writers(mapped.map, image, copies))
            for target in odd:
                copy = mapped.copies.get(target)
                if copy is not None and copy.through_run:
                    lines.setdefault(target, "a RUN of an earlier stage may have changed it")
            remembered = known.rewritten.setdefault(image.chain_id, {})
            told = told or bool(lines.keys() - remembered.keys())
            remembered.update(lines)
        return told

    def _only_content(self, paths: Collection[str], mapped: MapResult, known: Known) -> bool:
        """Whether ``paths`` are files that are mapped already and still exist as such."""
        return all(
            path in known.sources
            and path not in mapped.map.inputs
            and os.path.isfile(os.path.join(self._project.dir, path))
            for path in paths
        )

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


def differing(
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


def _by_source(pairs: Iterable[Pair]) -> dict[str, tuple[Pair, ...]]:
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.source, []).append(pair)
    return {source: tuple(several) for source, several in found.items()}


def narrowed(
    pairs: Iterable[Pair], paths: Collection[str], before: Iterable[Pair]
) -> tuple[Pair, ...]:
    """The pairs of ``paths`` or of what is below them, and those that are new."""
    wanted, old = set(paths), set(before)
    return tuple(
        pair
        for pair in pairs
        if pair.source in wanted or pair not in old or not wanted.isdisjoint(_above(pair.source))
    )


def gone(pairs: Iterable[Pair], before: Iterable[Pair]) -> tuple[str, ...]:
    """Targets that were mapped and are no more."""
    return tuple(sorted({pair.target for pair in before} - {pair.target for pair in pairs}))


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
