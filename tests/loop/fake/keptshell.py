"""The kept shell of a container: requests of ``engine.container.shell_session`` in, answers out."""

import hashlib
import os
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from freshd.model.files import Kind
from tests.loop.fake.files import Node, View

_TOOLS = ("mv", "rm", "rmdir", "ln", "sha256sum", "stat", "readlink", "ls")
_OCTAL = re.compile(rb"\\0(\d{3})")


class KeptShell:
    """Never ends by itself. An answer is what the commands print, and "NONCE STATUS"."""

    def __init__(self, view: View, *, nonce: str) -> None:
        self._view = view
        self._nonce = nonce
        self._base = "/"
        self._received = b""
        self._ops: dict[str, Callable[[Sequence[str]], tuple[int, str]]] = {
            "mv": self._move,
            "keep": self._move,
            "hash": self._hash,
            "stat": self._stat,
            "rm": self._remove,
            "rmdir": self._remove_directories,
            "ln": self._link,
            "text": self._text,
            "list": self._list,
            "look": self._look,
        }

    @property
    def greeting(self) -> bytes:
        return "".join(f"{tool}\n" for tool in _TOOLS).encode() + self._ended(0)

    def answer(self, data: bytes) -> bytes:
        """Nothing before the request is whole."""
        self._received += data
        lines = self._received.split(b"\n")
        op, count, encoded = lines[0].decode().split(" ")
        if len(lines) < int(count) + 3:
            return b""
        self._received = b""
        base, *names = (_decoded(line, encoded) for line in lines[1 : int(count) + 2])
        self._base = base if base.startswith("/") else "/"
        status, text = self._ops[op](names)
        return os.fsencode(text) + self._ended(status)

    def _ended(self, status: int) -> bytes:
        return f"{self._nonce} {status}\n".encode()

    def _path(self, name: str) -> str:
        return posixpath.join(self._base, name)

    def _node(self, name: str) -> Node | None:
        return self._view.get(self._path(name))

    def _move(self, names: Sequence[str]) -> tuple[int, str]:
        """Groups of a directory and what goes there, each ended by an empty name."""
        group: list[str] = []
        said = ""
        for name in names:
            if name:
                group.append(name)
                continue
            target, *moved = group
            if self._view.real(target) != target:
                return 3, ""
            said += "".join(self._moved(each, target) for each in moved)
            group = []
        return (1 if said else 0), said

    def _moved(self, name: str, target: str) -> str:
        node, folder = self._node(name), self._view.get(target)
        final = posixpath.join(target, posixpath.basename(name))
        there = self._view.get(final)
        if node is None or folder is None or folder.kind is not Kind.DIR:
            return f"mv: can't rename '{name}': No such file or directory\n"
        if there is not None and there.kind is Kind.DIR:
            return f"mv: cannot overwrite directory '{final}' with non-directory\n"
        start = self._path(name)
        for path in (start, *self._view.below(start)):
            moved = self._view.get(path)
            assert moved is not None
            self._view.write(final + path[len(start) :], moved)
        self._view.remove(start)
        return ""

    def _hash(self, names: Sequence[str]) -> tuple[int, str]:
        said, failed = "", 0
        for name in names:
            node = self._view.follow(self._path(name))
            if node is None or node.kind is not Kind.FILE:
                failed = 1
                continue
            said += f"{hashlib.sha256(node.content).hexdigest()}  {name}\n"
        return failed, said

    def _stat(self, names: Sequence[str]) -> tuple[int, str]:
        found = [(name, node) for name in names if (node := self._node(name)) is not None]
        lines = (
            f"{n.st_mode:x} {n.uid} {n.gid} {n.size} {int(n.mtime)} {name}\n" for name, n in found
        )
        return (0 if len(found) == len(names) else 1), "".join(lines)

    def _remove(self, names: Sequence[str]) -> tuple[int, str]:
        said = ""
        for name in names:
            node = self._node(name)
            if node is not None and node.kind is Kind.DIR:
                said += f"rm: '{name}' is a directory\n"
            elif node is not None:
                self._view.remove(self._path(name))
        return (1 if said else 0), said

    def _remove_directories(self, names: Sequence[str]) -> tuple[int, str]:
        said = ""
        for name in names:
            if self._node(name) is None or self._view.below(self._path(name)):
                said += f"rmdir: '{name}': Directory not empty\n"
            else:
                self._view.remove(self._path(name))
        return (1 if said else 0), said

    def _link(self, names: Sequence[str]) -> tuple[int, str]:
        text, name = names
        if self._node(name) is not None:
            return 1, f"ln: {name}: File exists\n"
        now = self._view.clock()
        node = Node(Kind.LINK, os.fsencode(text), 0o777, mtime=now)
        self._view.write(self._path(name), replace(node, ctime=now))
        return 0, ""

    def _text(self, names: Sequence[str]) -> tuple[int, str]:
        node = self._node(names[0])
        if node is None or node.kind is not Kind.LINK:
            return 1, ""
        return 0, os.fsdecode(node.content)

    def _list(self, names: Sequence[str]) -> tuple[int, str]:
        top = self._path(names[0])
        if self._view.get(top) is None:
            return 2, f"ls: {top}: No such file or directory\n"
        start = top.rstrip("/") + "/"
        own = [p[len(start) :] for p in self._view.below(top)]
        return 0, "".join(f"{name}\n" for name in own if "/" not in name)

    def _look(self, names: Sequence[str]) -> tuple[int, str]:
        nodes = [self._node(name) for name in names]
        words = ["none" if n is None else "link" if n.kind is Kind.LINK else "there" for n in nodes]
        return 0, "".join(f"{word}\n" for word in words)


def _decoded(line: bytes, encoded: str) -> str:
    if encoded == "1":
        line = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), line)
    return os.fsdecode(line)
