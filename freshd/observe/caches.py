"""What the observer remembers between snapshots, as protocols; ``freshd.store`` keeps it.

Paths are absolute in the container or image.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from freshd.model.files import Entry


class ContainerCache(Protocol):
    """Per container id: path -> (signature, entry). A signature is opaque text of one stat."""

    def get_many(
        self, container_id: str, paths: Collection[str] | None
    ) -> Mapping[str, tuple[str, Entry]]: ...

    def put_many(self, container_id: str, rows: Mapping[str, tuple[str, Entry]]) -> None: ...

    def forget(self, container_id: str, paths: Iterable[str]) -> None: ...


class ImageCache(Protocol):
    """Per chain id, for ever. None as an entry: the image is known not to have that path."""

    def get_files(self, chain_id: str, paths: Collection[str]) -> Mapping[str, Entry | None]: ...

    def put_files(self, chain_id: str, files: Mapping[str, Entry | None]) -> None: ...

    def get_listing(self, chain_id: str, directory: str) -> tuple[str, ...] | None: ...

    def put_listing(self, chain_id: str, directory: str, names: Iterable[str]) -> None: ...

    def get_writers(self, chain_id: str, directory: str) -> Mapping[str, str] | None: ...

    def put_writers(self, chain_id: str, directory: str, lines: Mapping[str, str]) -> None: ...
