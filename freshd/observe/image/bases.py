"""Images as a map needs them: what a build inherits of one, and where links in one lead.

What an image has at a path is asked of a container that is created from it, never started, and
kept as long as ``Bases`` is open. Answers are cached for ever by the image's chain id.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self

from freshd.config.compose.model import ComposeService
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.images import probe_container
from freshd.mapping.dockerfile.replay.volume import Node
from freshd.mapping.dockerfile.stages import BaseImage
from freshd.model.errors import EngineFailed
from freshd.model.files import Kind
from freshd.model.observed.container import Replica
from freshd.model.observed.image import ImageFacts
from freshd.model.paths import follow
from freshd.observe.caches import ImageCache


class Bases:
    """Open it for one map."""

    def __init__(self, engine: Engine, cache: ImageCache) -> None:
        self._engine = engine
        self._cache = cache
        self._probes: dict[str, str] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def image(self, ref: str) -> BaseImage | None:
        """None where there is no such image here."""
        config = self._engine.image_config(ref)
        if config is None:
            return None
        return BaseImage(
            workdir=config.workdir,
            env=config.env,
            onbuild=config.onbuild,
            shell=config.shell,
            lookup=partial(self.lookup, config.id, config.chain_id),
            history=config.history,
        )

    def lookup(self, image_id: str, chain_id: str, path: str) -> Node | None:
        """What the image has at ``path``, its last link not followed; None: nothing.

        A path that cannot be read now counts as nothing. Raises TargetGone for an image that
        is gone.
        """
        key = f"{path}\0is"  # beside the listings; no path holds a NUL
        known = self._cache.get_listing(chain_id, key)
        if known is None:
            try:
                if image_id not in self._probes:
                    probe = probe_container(self._engine, image_id)
                    self._probes[image_id] = self._open.enter_context(probe)
                entry = archive.stat(self._engine, self._probes[image_id], path)
            except EngineFailed:
                return None
            known = () if entry is None else (entry.kind.value, entry.link_target)
            self._cache.put_listing(chain_id, key, known)
        return Node(Kind(known[0]), link=known[1]) if known else None

    def link(self, image_id: str, chain_id: str, path: str) -> str:
        """Where the link leads that the image has at ``path``, links on its way followed too."""
        member = self.lookup(image_id, chain_id, path)
        return "" if member is None or member.kind is not Kind.LINK else member.link


@dataclass(slots=True)
class MountPlaces:
    """Where images have the destinations of mounts: behind their links (``/var/run -> /run``).

    ``open_bases`` gives what asks the engine, for as long as something is unknown. ``known`` maps
    (image id, destination) to where that is: an image never changes.
    """

    open_bases: Callable[[], Bases]
    known: dict[tuple[str, str], str] = field(default_factory=dict)

    def of_replica(self, replica: Replica, image: ImageFacts | None) -> Replica:
        """The replica with its mounts where they are. None: its image is gone."""
        if image is None or not replica.mounts:
            return replica
        places = self._find(image, [mount.target for mount in replica.mounts])
        mounts = (
            replace(mount, target=place, named=mount.target)
            for mount, place in zip(replica.mounts, places, strict=True)
        )
        return replace(replica, mounts=tuple(mounts))

    def of_service(self, model: ComposeService, image: ImageFacts | None) -> ComposeService:
        """The service with its mounts where its image has them."""
        if image is None or not model.mounts:
            return model
        places = self._find(image, [mount.target for mount in model.mounts])
        mounts = (
            replace(mount, target=place) for mount, place in zip(model.mounts, places, strict=True)
        )
        return replace(model, mounts=tuple(mounts))

    def _find(self, image: ImageFacts, paths: Sequence[str]) -> list[str]:
        unknown = [path for path in paths if (image.id, path) not in self.known]
        if unknown:
            with self.open_bases() as bases:
                for path in unknown:
                    found = follow(path, lambda at: bases.link(image.id, image.chain_id, at))
                    self.known[image.id, path] = found
        return [self.known[image.id, path] for path in paths]
