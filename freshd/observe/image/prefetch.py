"""What the next save will ask of an image, asked before there is one.

Whether a file in an image is as a COPY brought it, or a RUN wrote it after that, only the layers
tell, and the engine gives them as the whole image: seconds, more for a large one, once for each
image. Unless that was done before, the first save after a build has to wait for it.
"""

import threading
from queue import SimpleQueue
from typing import Any, Protocol

from freshd.engine.client import Engine
from freshd.engine.shared_cache import SharedCache
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import FreshdError
from freshd.model.mapping import ServiceMap, Via
from freshd.model.observed.image import ImageFacts
from freshd.observe.caches import ImageCache
from freshd.observe.image.layers import writers


class ExceptionLog(Protocol):
    """The part of a structlog logger that is used."""

    def exception(self, event: str, **values: Any) -> Any: ...


class LayerPrefetcher:
    """One image at a time, in a thread that no end of the daemon waits for.

    ``memory`` is shared with the other clients of the engine: a save that cannot wait for its turn
    asks by itself, and one that finds it under way waits for that.
    """

    def __init__(
        self, endpoint: Endpoint, *, memory: SharedCache, cache: ImageCache, log: ExceptionLog
    ) -> None:
        self._endpoint = endpoint
        self._memory = memory
        self._cache = cache
        self._log = log
        self._asked: set[str] = set()
        self._waiting: SimpleQueue[tuple[ImageFacts, ServiceMap] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._beginning = threading.Lock()

    def prefetch(self, image: ImageFacts, mapping: ServiceMap) -> None:
        """Find out who wrote what in ``image``, unless that was asked before. Returns at once.

        Called by every worker.
        """
        with self._beginning:
            if image.chain_id in self._asked:
                return
            self._asked.add(image.chain_id)
            self._waiting.put((image, mapping))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Begin with no other image."""
        self._waiting.put(None)

    def _work(self) -> None:
        with Engine(self._endpoint, memory=self._memory) as engine:
            while (task := self._waiting.get()) is not None:
                self._learn(engine, *task)

    def _learn(self, engine: Engine, image: ImageFacts, mapping: ServiceMap) -> None:
        copies = [pair.target for pair in mapping.pairs if pair.via is Via.COPY]
        try:
            writers(engine, image.id, copies, cache=self._cache, below=mapping.copied_into)
        except FreshdError:
            self._asked.discard(image.chain_id)  # the next snapshot asks again
        except Exception as error:  # noqa: BLE001 - whoever needs it will ask by itself
            self._log.exception("looking ahead failed", image=image.id, why=repr(error))
