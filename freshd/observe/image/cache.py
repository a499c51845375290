"""An image cache that holds what was asked in memory: images never change, so nothing gets old.

In front of the store's, for one service: a warm snapshot then asks the database for nothing.
"""

from collections.abc import Collection, Iterable, Mapping

from freshd.model.files import Entry
from freshd.observe.caches import ImageCache

_MOST_IMAGES = 4


class MemoryImageCache:
    """An ``ImageCache``; files of the last few images are held, all else is handed on."""

    def __init__(self, behind: ImageCache) -> None:
        self._behind = behind
        self._files: dict[str, dict[str, Entry | None]] = {}

    def get_files(self, chain_id: str, paths: Collection[str]) -> Mapping[str, Entry | None]:
        held = self._held(chain_id)
        unknown = [path for path in paths if path not in held]
        if unknown:
            held.update(self._behind.get_files(chain_id, unknown))
        return {path: held[path] for path in paths if path in held}

    def put_files(self, chain_id: str, files: Mapping[str, Entry | None]) -> None:
        self._behind.put_files(chain_id, files)
        self._held(chain_id).update(files)

    def get_listing(self, chain_id: str, directory: str) -> tuple[str, ...] | None:
        return self._behind.get_listing(chain_id, directory)

    def put_listing(self, chain_id: str, directory: str, names: Iterable[str]) -> None:
        self._behind.put_listing(chain_id, directory, names)

    def get_writers(self, chain_id: str, directory: str) -> Mapping[str, str] | None:
        return self._behind.get_writers(chain_id, directory)

    def put_writers(self, chain_id: str, directory: str, lines: Mapping[str, str]) -> None:
        self._behind.put_writers(chain_id, directory, lines)

    def _held(self, chain_id: str) -> dict[str, Entry | None]:
        """The image's answers; the image that was first asked for longest ago makes room."""
        if chain_id not in self._files:
            while len(self._files) >= _MOST_IMAGES:
                del self._files[next(iter(self._files))]
            self._files[chain_id] = {}
        return self._files[chain_id]
