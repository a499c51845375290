"""File systems in memory, and one container's view of them: its own, its volumes, its binds."""

import itertools
import os
import posixpath
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from freshd.model.files import Kind

_inodes = itertools.count(1000)
_TYPES = {Kind.FILE: stat.S_IFREG, Kind.DIR: stat.S_IFDIR, Kind.LINK: stat.S_IFLNK}


@dataclass(frozen=True, slots=True)
class Node:
    """One file, directory or link; a link's ``content`` is its text. Times are seconds."""

    kind: Kind
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: float = 0.0
    ctime: float = 0.0
    inode: int = field(default_factory=lambda: next(_inodes))
    device: int = 0

    @property
    def st_mode(self) -> int:
        return _TYPES[self.kind] | self.mode

    @property
    def size(self) -> int:
        return len(self.content)


def directory(now: float, *, mode: int = 0o755) -> Node:
    return Node(Kind.DIR, mode=mode, mtime=now, ctime=now)


def of_host(path: str) -> Node | None:
    """What this machine has at ``path``."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    kind = next((kind for kind, bits in _TYPES.items() if stat.S_IFMT(found.st_mode) == bits), None)
    if kind is None:
        return None
    content = b""
    if kind is Kind.LINK:
        content = os.fsencode(os.readlink(path))
    elif kind is Kind.FILE:
        with open(path, "rb") as file:
            content = file.read()
    mode = stat.S_IMODE(found.st_mode)
    times = (found.st_mtime, found.st_ctime)
    return Node(kind, content, mode, found.st_uid, found.st_gid, *times, found.st_ino, found.st_dev)


class Files(dict[str, Node]):
    """A file system: absolute path -> node."""

    def add(self, path: str, node: Node, *, now: float) -> None:
        """With the directories above it, which get a new time where they get a new name."""
        above = posixpath.dirname(path)
        if above != path:
            if above not in self:
                self.add(above, directory(now), now=now)
            if path not in self:
                self[above] = replace(self[above], mtime=now, ctime=now)
        self[path] = node

    def drop(self, path: str, *, now: float) -> None:
        """And all below it."""
        for each in [path, *self.below(path)]:
            self.pop(each, None)
        above = posixpath.dirname(path)
        if above in self:
            self[above] = replace(self[above], mtime=now, ctime=now)

    def below(self, path: str) -> list[str]:
        start = path.rstrip("/") + "/"
        return sorted(each for each in self if each.startswith(start) and each != "/")


def changes(image: Mapping[str, Node], now: Mapping[str, Node]) -> dict[str, int]:
    """What `docker diff` says: path -> 0 changed, 1 added, 2 deleted."""
    found = {path: 0 if path in image else 1 for path in now if image.get(path) is not now[path]}
    found |= dict.fromkeys(image.keys() - now.keys(), 2)
    for path in tuple(found):
        while (path := posixpath.dirname(path)) != "/":
            found.setdefault(path, 0)
    return found


@dataclass(slots=True)
class View:
    """What a container sees. ``volumes``: target -> files; ``binds``: target -> host directory.

    ``kernel`` is the boot id that it sees: this machine's, where the engine is on it.
    Links among the parents of a path are followed, its own last component is not.
    """

    own: Files
    clock: Callable[[], float]
    volumes: dict[str, Files] = field(default_factory=dict)
    binds: dict[str, str] = field(default_factory=dict)
    behind: dict[str, bytes] = field(default_factory=dict)  # what a slow file sharing still shows
    kernel: str = ""

    def get(self, path: str) -> Node | None:
        path = self.real(path)
        bound = self.host(path)
        if bound is not None:
            node = of_host(bound)
            return (
                replace(node, content=self.behind[path]) if node and path in self.behind else node
            )
        files, inner = self._place(path)
        return files.get(inner)

    def follow(self, path: str) -> Node | None:
        """What is at the end of a chain of links."""
        for _ in range(20):
            node = self.get(path)
            if node is None or node.kind is not Kind.LINK:
                return node
            path = posixpath.join(posixpath.dirname(path), os.fsdecode(node.content))
        return None

    def real(self, path: str) -> str:
        """The path without links among its parents."""
        path = posixpath.normpath("/" + path.lstrip("/"))
        parts = path.strip("/").split("/")
        at = ""
        for number, part in enumerate(parts[:-1]):
            at = f"{at}/{part}"
            files, inner = self._place(at)
            node = files.get(inner) if self.host(at) is None else None
            if node is not None and node.kind is Kind.LINK:
                target = posixpath.join(posixpath.dirname(at), os.fsdecode(node.content))
                return self.real("/".join([target, *parts[number + 1 :]]))
        return path

    def below(self, path: str) -> list[str]:
        """Every path below a directory, mounts included, parents first."""
        found = {each for each in self.own.below(path) if self._place(each)[0] is self.own}
        for target, files in self.volumes.items():
            found.update(posixpath.normpath(target + each) for each in files)
        for target, source in self.binds.items():
            found.add(target)
            for top, names, others in os.walk(source):
                inside = os.path.relpath(top, source)
                found.update(
                    posixpath.normpath(posixpath.join(target, inside, name))
                    for name in (*names, *others)
                )
        start = path.rstrip("/") + "/"
        return sorted(each for each in found if each.startswith(start) and each != "/")

    def write(self, path: str, node: Node) -> None:
        """Raises PermissionError for a bind: nobody but the host writes there."""
        path, now = self.real(path), self.clock()
        if self.host(path) is not None:
            raise PermissionError(f"{path} is bind-mounted")
        files, inner = self._place(path)
        files.add(inner, replace(node, ctime=now, inode=next(_inodes)), now=now)

    def remove(self, path: str) -> None:
        path = self.real(path)
        if self.host(path) is not None:
            raise PermissionError(f"{path} is bind-mounted")
        files, inner = self._place(path)
        files.drop(inner, now=self.clock())

    def host(self, path: str) -> str | None:
        """The host's path behind a bind."""
        mount = self._mount(path)
        if mount not in self.binds:
            return None
        return posixpath.normpath(posixpath.join(self.binds[mount], path[len(mount) :].lstrip("/")))

    def _mount(self, path: str) -> str:
        over = (each for each in (*self.volumes, *self.binds) if f"{path}/".startswith(f"{each}/"))
        return max(over, key=len, default="")

    def _place(self, path: str) -> tuple[Files, str]:
        mount = self._mount(path)
        if mount not in self.volumes:
            return self.own, path
        return self.volumes[mount], path[len(mount) :] or "/"


def walk_host(top: str) -> Iterator[str]:
    """Everything below a directory of this machine, relative to it, parents first."""
    for above, names, others in os.walk(top):
        names.sort()
        for name in sorted((*names, *others)):
            yield os.path.normpath(os.path.join(os.path.relpath(above, top), name))
