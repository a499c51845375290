"""Base images as a map needs them: a reference in, what a build inherits out.

What an image has at a path is asked of a container that is created from it, never started, and
kept as long as ``Bases`` is open. Answers are cached for ever by the image's chain id.
"""

from contextlib import ExitStack
from functools import partial
from typing import Self

from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.images import probe_container
from freshd.mapping.dockerfile.replay.volume import Node
from freshd.mapping.dockerfile.stages import BaseImage
from freshd.model.errors import EngineFailed
from freshd.model.files import Kind
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
