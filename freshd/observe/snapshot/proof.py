"""The tree of a service against its tag's image: what this proves of the map, and of a build.

Comes in: a service, and the tree as it was read before a build. Goes out: the map as the image
leaves it, the files that the image does not hold, and how much of the tree there is.
"""

import os
from collections.abc import Iterable, Mapping

from freshd.catalog.runtimes.processes import is_read
from freshd.config.project import Project
from freshd.engine.client import Engine
from freshd.mapping.service_map import MapResult
from freshd.model.errors import ConfigError
from freshd.model.files import Entry
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.tree_size import TreeSize
from freshd.observe.container.members import replicas_of
from freshd.observe.service_maps import ROUNDS, ServiceMaps, differing
from freshd.tree.manifest import TreeManifest
from freshd.tree.places import find_place


class TreeProof:
    """Of one project; one thread at a time on one service."""

    def __init__(
        self, project: Project, engine: Engine, maps: ServiceMaps, manifest: TreeManifest
    ) -> None:
        self._project = project
        self._engine = engine
        self._maps = maps
        self._manifest = manifest

    def map(self, service: str) -> ServiceMap:
        """The whole map of ``service``, corrected by its image where there is one."""
        return self.map_and_held(service)[0].map

    def map_and_held(self, service: str) -> tuple[MapResult, int | None]:
        """The map as ``map`` has it, and how many of its visible copies the tag's image holds as
        the tree does; None: there is no such image.
        """
        found = replicas_of(self._engine, self._project, service)
        self._maps.known(service).replicas = self._maps.with_real_mounts(service, found)
        mapped, image, tree = self._proved(service, every=True)
        if image is None:
            return mapped, None
        copies = [p for p in mapped.map.pairs if p.via is Via.COPY and p.effective]
        return mapped, len(copies) - len(differing(copies, tree, image))

    def read(self, service: str) -> Mapping[str, Entry]:
        """Entries of all that a build of ``service`` reads, hashed anew."""
        mapping = self._maps.mapped(service).map
        wanted = {pair.source for pair in mapping.pairs if pair.via is Via.COPY}
        return self._manifest.entries(wanted.union(mapping.inputs), fresh=True)

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

    def size(self, service: str) -> TreeSize:
        """How much of the service's tree there is now; raises ConfigError as a snapshot would."""
        root = self._project.dir
        place = find_place(self._project.named_dir).path
        if place != root:
            return TreeSize(files=0, moved_to=place)
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
            sources = _counted(self._maps.mapped(service).map.pairs)
        except ConfigError:
            if known is None:
                raise
            # The Dockerfile went with the rest: what is left of what was mapped until now?
            before = _counted(known.map.pairs)
            sources = {path for path in before if os.path.lexists(os.path.join(root, path))}
        return TreeSize(files=len(sources), identity=identity)

    def _proved(
        self, service: str, *, every: bool, built: bool = False
    ) -> tuple[MapResult, ImageFacts | None, Mapping[str, Entry]]:
        """The map as the tag's image leaves it, that image with its files, and the tree."""
        image, tree = self._maps.tag_image(service), self.read(service)
        for _ in range(ROUNDS if image is not None else 0):
            assert image is not None
            mapped = self._maps.mapped(service)
            copies = [pair.target for pair in mapped.map.pairs if pair.via is Via.COPY]
            image = self._maps.filled(image, copies)
            if not self._maps.refuted(service, mapped, [image], tree, every=every, built=built):
                break
        return self._maps.mapped(service), image, tree


def _counted(pairs: Iterable[Pair]) -> set[str]:
    """The sources that make up the tree of a service: a program clears away what it wrote."""
    return {pair.source for pair in pairs if pair.via is not Via.BIND or is_read(pair.source)}
