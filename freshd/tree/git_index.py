"""What git tracks, read off its index: no git process is ever started.

In: a repository. Out: path -> what the index knows of the file; nothing where it cannot be read.
"""

import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from freshd.tree.git import Repository

_HEADER: Final = struct.Struct(">4sLL")
_STAT: Final = struct.Struct(">10L20sH")
_EXTENDED: Final = 0x4000
_REGULAR: Final = 0o100000
_MAX_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Tracked:
    """``blob`` is git's own hash of the content, as 40 hex digits; ``size`` as it was then."""

    blob: str
    size: int
    mtime: tuple[int, int]


def read_tracked(repository: Repository) -> Mapping[str, Tracked]:
    """The regular files in the index, by their path below the repository's top; {} if unknown."""
    try:
        with open(os.path.join(repository.directory, "index"), "rb") as file:
            data = file.read(_MAX_BYTES)
        return dict(_read(data))
    except (OSError, ValueError, struct.error):
        return {}


def is_blob(content: bytes, tracked: Tracked) -> bool:
    """Whether git would store ``content`` as that, with the line ends as they are or normalised."""
    return any(
        hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        == tracked.blob
        for data in (content, content.replace(b"\r\n", b"\n"))
    )


def _read(data: bytes) -> list[tuple[str, Tracked]]:
    magic, version, count = _HEADER.unpack_from(data)
    if magic != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("not an index of a known version")
    tracked, at, path = [], _HEADER.size, b""
    for _ in range(count):
        start = at
        fields = _STAT.unpack_from(data, at)
        mtime, mode, size, blob, flags = fields[2:4], fields[6], fields[9], fields[10], fields[11]
        at += _STAT.size + (2 if flags & _EXTENDED else 0)
        if version == 4:  # names are what differs from the one before
            cut, at = _number(data, at)
            end = data.index(b"\0", at)
            path = path[: len(path) - cut] + data[at:end]
            at = end + 1
        else:
            end = data.index(b"\0", at)
            path = data[at:end]
            at = start + ((end - start + 8) & ~7)
        if mode & 0o170000 == _REGULAR:
            tracked.append((os.fsdecode(path), Tracked(blob.hex(), size, (mtime[0], mtime[1]))))
    return tracked


def _number(data: bytes, at: int) -> tuple[int, int]:
    """git's variable-width number, and where it ends."""
    byte = data[at]
    value, at = byte & 127, at + 1
    while byte & 128:
        byte = data[at]
        value, at = ((value + 1) << 7) | (byte & 127), at + 1
    return value, at
