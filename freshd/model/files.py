"""One path as tree, image or container has it, and what a stat said of it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Kind(StrEnum):
    """What a path is. Only FILE and LINK carry content; UNREADABLE exists but could not be read."""

    FILE = "file"
    DIR = "dir"
    LINK = "link"
    OTHER = "other"
    UNREADABLE = "unreadable"


class Entry(NamedTuple):
    """One path as tree, image or container has it; a tuple, as ``Pair`` is.

    ``digest`` is the sha256 of a file's content or of a link's text, else "". ``mode`` holds the
    permission bits (0o7777). ``reason`` says why an UNREADABLE entry could not be read.
    """

    kind: Kind
    digest: str = ""
    size: int = 0
    mode: int = 0o644
    reason: str = ""

    @property
    def executable(self) -> bool:
        """Whether the owner may execute it: the one mode bit that decides how code behaves."""
        return bool(self.mode & 0o100)

    def same_content(self, other: "Entry | None") -> bool:
        """Equal kind and bytes; mode is compared apart."""
        return other is not None and self.kind is other.kind and self.digest == other.digest


Manifest: TypeAlias = Mapping[str, Entry]


class Signature(NamedTuple):
    """What a stat said when a tree file was hashed: equal stat means equal content,
    but for racy ones.

    ``hashed_at_ns`` is the wall clock when hashing began; a file whose mtime or ctime is not older
    than that is racy and is hashed again.
    """

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int
    device: int
    hashed_at_ns: int
