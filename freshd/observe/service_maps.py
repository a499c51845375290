"""The maps of a project's services, and what their images say of them.

Comes in: a project, an engine and the store. Goes out: ``MapResult``s, corrected where an image
shows that a RUN wrote what a COPY had put there, and images with the files that were asked for.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from freshd.catalog.runtimes.processes import is_read
from freshd.config.compose.model import ComposeMount
from freshd.config.project import Project
from freshd.engine.client import Engine
from freshd.mapping.corrections import Corrections
from freshd.mapping.mounts import merge
from freshd.mapping.natures import Nature, find_nature
from freshd.mapping.service_data import ServiceData
from freshd.mapping.service_map import MapResult, build_map
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.container import Replica
from freshd.model.observed.image import ImageFacts, is_copy
from freshd.model.observed.questions import same_mode
from freshd.model.paths import is_below
from freshd.model.policy import MapEntry
from freshd.observe.image import content, layers
from freshd.observe.image.bases import Bases, MountPlaces
from freshd.observe.image.cache import MemoryImageCache
from freshd.observe.image.confirmation import (
    doubt_earlier_stages,
    learn_places,
    learn_verbatim,
    learn_writers,
)
from freshd.observe.image.layers import Writer
from freshd.store.store import Store
from freshd.tree.ignore import never_code
from freshd.tree.listing import stamp_again

ROUNDS = 3  # how often an image may refute a map that it corrected


@dataclass(slots=True)
class MapCache:
    """What is known of one service. Only a cache: it can be dropped at any time.

    ``tagged`` is the tag's image of that map, ``sources`` are its pairs by source, ``directories``
    where they land, ``read`` what is read of the tree though it lands nowhere, ``data`` the
    directories of the tree with data of a service that no other is given; ``shown`` are the
    mounts that come of ``mounts``. ``corrections`` are by the chain id of the image that told them.
    """

    mapped: MapResult | None = None
    tagged: ImageFacts | None = None
    made_for: object = None
    mounts: object = None
    shown: Mapping[str, ComposeMount] = field(default_factory=dict)
    replicas: tuple[Replica, ...] = ()
    sources: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    directories: tuple[str, ...] = ()
    read: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()
    corrections: dict[str, Corrections] = field(default_factory=dict)
    images: dict[str, ImageFacts] = field(default_factory=dict)

    def corrected_by(self, chain_id: str) -> Corrections:
        return self.corrections.setdefault(chain_id, Corrections())


class ServiceMaps:
    """One thread at a time on one service."""

    def __init__(self, project: Project, engine: Engine, store: Store) -> None:
        self._project = project
        self._engine = engine
        self._images = MemoryImageCache(store.image_contents)
        self._mount_places = MountPlaces(partial(Bases, engine, self._images))
        self._known: dict[str, MapCache] = {}
        self._judged: dict[str, str] = {}

    def judge(self, service: str, ref: str) -> None:
        """From now on ``ref`` is taken as the image of ``service``, and not its tag's."""
        self._judged[service] = ref

    def is_judged(self, service: str) -> bool:
        """Whether an image was named that is taken in place of the tag's."""
        return service in self._judged

    def known(self, service: str) -> MapCache:
        return self._known.setdefault(service, MapCache())

    def mapped(self, service: str, paths: Collection[str] | None = None) -> MapResult:
        """The map, made again only when the set of files or what decides about it changed.

        ``paths`` (project-relative) are all that changed, where that is known.
        """
        known = self.known(service)
        model = self._project.service(service)
        policy = self._project.policy.service(service)
        watch = self._project.policy.watched(service)
        if paths is None or known.mapped is None:
            known.tagged = self.tag_image(service)
        image = known.tagged  # of a tag that moves the engine reports, and then all is read
        if image is None and known.replicas:  # the tag is gone, and what it named still runs
            image = self.image(service, known.replicas[0].image_id)
        chain_id = "" if image is None else image.chain_id
        corrections = known.corrected_by(chain_id)
        mounts = known.replicas[0].mounts if known.replicas else None
        if known.mounts != (model.mounts, mounts):
            known.mounts, known.shown = (model.mounts, mounts), merge(model.mounts, mounts)
        shown = tuple(known.shown.items())  # not `mounts`: none may be known yet
        image_id = "" if image is None else image.id
        made_for = (model, policy, watch, shown, self._mounted, corrections.state(), image_id)
        if known.mapped is not None and known.made_for == made_for:
            if paths is not None and all(self.stays(service, path) for path in paths):
                return known.mapped
            if stamp_again(known.mapped.stamps) == known.mapped.stamps:
                return known.mapped
        with Bases(self._engine, self._images) as bases:
            made = build_map(
                self._mount_places.of_service(model, image) if mounts is None else model,
                project_dir=self._project.dir,
                policy=policy,
                watch=watch,
                image_config=bases.image,
                kind_in_image=partial(_kind_in, bases, image),
                link_in_image=partial(_link_in, bases, image),
                corrections=corrections,
                mounts=mounts,
            )
        known.mapped = self._data.without(made)
        known.made_for = made_for
        known.sources = _by_source(known.mapped.map.pairs)
        known.directories = _directories(known.mapped.map)
        known.read = frozenset((*known.mapped.map.inputs, *known.mapped.restarts))
        known.data = frozenset(path.rpartition("/")[0] for path in known.mapped.map.data)
        return known.mapped

    @property
    def _data(self) -> ServiceData:
        return ServiceData(self._project.dir, self._project.services.values())

    @property
    def _mounted(self) -> object:
        """Equal while what the services of the project write to is the same."""
        return tuple((s.mounts, s.build is not None) for s in self._project.services.values())

    def select_data(self, mapping: ServiceMap, targets: Collection[str]) -> frozenset[str]:
        """Those of ``targets``, which nothing maps, where the data of a service would land."""
        return self._data.select_targets(mapping, targets)

    def tag_image(self, service: str) -> ImageFacts | None:
        """The image that the service's tag names now, without files."""
        ref = self._judged.get(service) or self._project.service(service).image
        return self.image(service, ref)

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

    def with_real_mounts(self, service: str, replicas: Iterable[Replica]) -> tuple[Replica, ...]:
        """The replicas with their mounts where they are: one whose destination leads through a link
        of the image (``/var/run -> /run``) is on what is behind it.
        """
        return tuple(
            self._mount_places.of_replica(replica, self.image(service, replica.image_id))
            for replica in replicas
        )

    def filled(
        self,
        image: ImageFacts,
        targets: Collection[str],
        known: Mapping[str, Entry | None] | None = None,
    ) -> ImageFacts:
        """The image with those of ``targets`` that it holds."""
        cache = self._images
        return content.fill(self._engine, image, targets, cache=cache, known=known)

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

        What a base image or a RUN put beside them is known by its layer, and left out. So is
        what a mount hides, and what is nobody's code, which is never mapped.
        """
        mapping = mapped.map
        if not mapping.copied_into:
            return ()
        targets = {pair.target for pair in mapping.pairs}
        cache = self._images
        told_by = next((r for r in replicas if r.running and r.image_id == image.id), None)
        below = content.list_below(
            self._engine, image, mapping.copied_into, cache=cache, told_by=told_by
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
        self,
        service: str,
        mapped: MapResult,
        images: Iterable[ImageFacts],
        tree: Mapping[str, Entry],
        *,
        every: bool,
        only: Iterable[Pair] | None = None,
        built: bool = False,
    ) -> bool:
        """Whether ``images`` show that files of ``mapped`` are not as inferred; remembered.

        A RUN wrote them, or the COPY went elsewhere; that only all pairs together can show, and
        not ``only`` some. Layers are only asked where an image differs from the tree, or
        with ``every``, and then only where a RUN followed, or the image was ``built`` of this tree.
        """
        known = self.known(service)
        learned, whole, copies = False, only is None, mapped.copies
        for image in images:
            told = known.corrected_by(image.chain_id)
            odd = differing(mapped.map.pairs if only is None else only, tree, image)
            if whole:
                equal = partial(_equal, mapped.map.pairs, odd, tree)
                learn_verbatim(told, copies, equal, image, self._images)
            writers: Mapping[str, Writer] = {}
            if (odd or every) and (mapped.map.run_after_copy or (odd and built)):
                writers = self._writers_of_copies(mapped, image)
                learned = learn_writers(told, writers) or learned
            learned = doubt_earlier_stages(told, copies, odd) or learned
            if odd and whole:
                learned = learn_places(told, copies, odd, writers, image) or learned
        return learned

    def _writers_of_copies(self, mapped: MapResult, image: ImageFacts) -> Mapping[str, Writer]:
        copies = [pair.target for pair in mapped.map.pairs if pair.via is Via.COPY]
        return layers.written_by(
            self._engine, image.id, copies, cache=self._images, below=mapped.map.copied_into
        )

    def knew(self, service: str, path: str) -> bool:
        """Whether ``path``, or something below it, is in the map as it was made last."""
        mapped, sources = self.known(service).mapped, self.known(service).sources
        if mapped is None or path == ".":
            return True
        below = f"{path}/"
        files = (*sources, *mapped.map.inputs, *mapped.restarts)
        return any(file == path or file.startswith(below) for file in files)

    def is_data(self, service: str, path: str) -> bool:
        """Whether ``path`` is seen through a bind mount, by nothing else, and is no code.

        A program may write there without end. Nothing of it is ever to be brought anywhere, so
        it is enough that whole passes see it.
        """
        known = self.known(service)
        if known.mapped is None or path in known.read or is_read(path):
            return False
        if any(is_below(path, one.source) for one in self._derived(service)):
            return False
        if self._is_kept_out(known, path):
            return True
        if path in known.sources:
            return all(map(_only_mounted, known.sources[path]))
        full = os.path.normpath(os.path.join(self._project.dir, path))
        copied = (origin for origin in known.mapped.map.origins.values())
        return any(
            mount.kind == "bind" and is_below(full, os.path.normpath(mount.source))
            for mount in known.shown.values()
        ) and not any(origin == "." or is_below(path, origin) for origin in copied)

    def _is_kept_out(self, known: MapCache, path: str) -> bool:
        """Whether it is a service's data, or has come to such files and looks like one."""
        assert known.mapped is not None, "only asked of what is mapped"
        if path in known.mapped.map.data:
            return True
        new = path not in known.sources and path.rpartition("/")[0] in known.data
        return new and find_nature(path) in (Nature.RECORD, Nature.OTHER)

    def _derived(self, service: str) -> tuple[MapEntry, ...]:
        return self._project.policy.service(service).derives

    def is_above(self, service: str, path: str) -> bool:
        """Whether ``path`` is no mapped file itself, and mapped files are below it."""
        return path not in self.known(service).sources and self.knew(service, path)

    def stays(self, service: str, path: str) -> bool:
        """Whether ``path`` is a file that is mapped already and still exists as such.

        Or nothing that ever was: the file that an editor writes and then renames over another.
        """
        known = self.known(service)
        where = os.path.join(self._project.dir, path)
        if path in known.sources and known.mapped is not None:
            return path not in known.mapped.map.inputs and os.path.isfile(where)
        return not os.path.lexists(where) and not self.knew(service, path)


def differing(
    pairs: Iterable[Pair], tree: Mapping[str, Entry], image: ImageFacts
) -> tuple[str, ...]:
    """Targets of COPYs that the image does not have as the tree does."""
    odd = []
    for pair in pairs:
        want, actual = tree.get(pair.source), image.files.get(pair.target)
        if pair.via is not Via.COPY or not pair.effective or want is None:
            continue
        if not want.same_content(actual) or (
            actual is not None and not same_mode(pair, want, actual)
        ):
            odd.append(pair.target)
    return tuple(odd)


def _equal(pairs: Iterable[Pair], odd: Collection[str], tree: Mapping[str, Entry]) -> Iterable[str]:
    """Targets of COPYs that the tree has, and that were not found to differ."""
    differ = set(odd)
    return (
        pair.target
        for pair in pairs
        if pair.via is Via.COPY
        and pair.effective
        and pair.target not in differ
        and pair.source in tree
    )


def _only_mounted(pair: Pair) -> bool:
    return pair.via is Via.BIND or not (pair.effective or pair.also_input)


def _directories(mapping: ServiceMap) -> tuple[str, ...]:
    parents = {pair.target.rpartition("/")[0] or "/" for pair in mapping.pairs}
    return tuple(sorted(parents.union(mapping.copied_into)))


def _by_source(pairs: Iterable[Pair]) -> dict[str, tuple[Pair, ...]]:
    by_source: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_source.setdefault(pair.source, []).append(pair)
    return {source: tuple(several) for source, several in by_source.items()}


def _kind_in(bases: Bases, image: ImageFacts | None, path: str, record: str) -> Kind | None:
    """What ``path`` is in an image whose history has the COPY that goes there."""
    if image is None or all(entry.created_by != record for entry in image.history):
        return None
    member = bases.lookup(image.id, image.chain_id, path)
    return None if member is None else member.kind


def _link_in(bases: Bases, image: ImageFacts | None, path: str) -> str:
    return "" if image is None else bases.link(image.id, image.chain_id, path)
