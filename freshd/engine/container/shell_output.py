"""What the shell's commands print, as values. Pure: bytes and names in, values out."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from stat import S_IMODE, S_ISDIR, S_ISLNK, S_ISREG
from typing import TypeVar

from freshd.model.files import Kind

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What ``stat`` says of one path: raw ``st_mode`` with the file type, owner, bytes, seconds."""

    st_mode: int
    uid: int
    gid: int
    size: int
    mtime: int

    @property
    def mode(self) -> int:
        """The permission bits, 0o7777."""
        return S_IMODE(self.st_mode)

    @property
    def kind(self) -> Kind:
        for test, kind in ((S_ISREG, Kind.FILE), (S_ISDIR, Kind.DIR), (S_ISLNK, Kind.LINK)):
            if test(self.st_mode):
                return kind
        return Kind.OTHER


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the kernel takes a shell for. ``uid`` is -1 where that is not known."""

    uid: int = -1
    gids: frozenset[int] = frozenset()

    def may_write(self, directory: FileFacts) -> bool:
        """Whether the mode bits let this user make and rename names in the directory."""
        if self.uid in (0, -1) or directory.mode & 0o002:
            return True
        if directory.uid == self.uid:
            return bool(directory.mode & 0o200)
        return directory.gid in self.gids and bool(directory.mode & 0o020)


def identity(words: Iterable[str]) -> Identity:
    """From the words of a shell's greeting: uid=1000, gid=1000, and one gid= for each group."""
    numbers: dict[str, set[int]] = {"uid": set(), "gid": set()}
    for word in words:
        key, _, number = word.partition("=")
        if key in numbers and number.isdigit():
            numbers[key].add(int(number))
    return Identity(next(iter(numbers["uid"]), -1), frozenset(numbers["gid"]))


def lines_of(text: bytes) -> list[bytes]:
    """Lines as a tool ends them; ``splitlines`` would split at a carriage return in a name."""
    return text.removesuffix(b"\n").split(b"\n") if text else []


def octal(name: bytes) -> bytes:
    """A name of any bytes as printf's %b reads it."""
    return b"".join(b"\\0%03o" % byte for byte in name)


def odd(name: str) -> bool:
    """Whether a tool's output line may not show this name as it is."""
    return any(character in name for character in "\n\r\\")


def digest(line: bytes) -> str:
    """The hash in a line of sha256sum; GNU marks one whose name it had to escape."""
    return line.removeprefix(b"\\")[:64].decode("ascii", "replace")


def digests_by_name(lines: Iterable[bytes], names: Iterable[str]) -> dict[str, str]:
    """From the output of sha256sum where some of the files were missing."""
    return _by_name(lines, names, 3, lambda fields: digest(fields[0]))


def facts(line: bytes) -> FileFacts:
    """From a line of ``stat -c '%f %u %g %s %Y %n'``."""
    return _facts(line.split(b" ", 5))


def facts_by_name(lines: Iterable[bytes], names: Iterable[str]) -> dict[str, FileFacts]:
    """From the output of ``stat`` where some of the paths were missing."""
    return _by_name(lines, names, 6, _facts)


def _facts(fields: Sequence[bytes]) -> FileFacts:
    mode, uid, gid, size, mtime = fields[:5]
    return FileFacts(int(mode, 16), int(uid), int(gid), int(size), int(mtime))


def _by_name(
    lines: Iterable[bytes], names: Iterable[str], fields: int, parse: Callable[[list[bytes]], _T]
) -> dict[str, _T]:
    wanted = {os.fsencode(name): name for name in names if not odd(name)}
    found = {}
    for line in lines:
        parts = line.split(b" ", fields - 1)
        if len(parts) == fields and parts[-1] in wanted:
            found[wanted[parts[-1]]] = parse(parts)
    return found
