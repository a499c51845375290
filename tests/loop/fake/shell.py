"""Commands in a container of the fake: what freshd's constant scripts print, on a socket.

A script is known by its text, so it is never half understood: another one is a command that the
image does not have, and freshd then asks by archive.
"""

import hashlib
import itertools
import os
import posixpath
import re
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from freshd.act import purge
from freshd.engine.container import shell_script
from freshd.model.files import Kind
from freshd.observe.container import exec_scan as inside
from freshd.observe.container import names, overlay
from freshd.observe.process import landing
from tests.loop.fake.engine import Container, FakeEngine
from tests.loop.fake.files import Node, View
from tests.loop.fake.keptshell import KeptShell

_STDOUT, _STDERR = 1, 2
_NO_SUCH_COMMAND = 'OCI runtime exec failed: exec failed: "{}": executable file not found in $PATH'
_OVERLAY = b"N\noverlay / overlay rw,relatime,lowerdir=/l,upperdir=/u,workdir=/w 0 0\n"
_ids = itertools.count(1)


class Process:
    """One exec. ``write`` is where its output goes, once somebody is attached."""

    def __init__(
        self, engine: FakeEngine, container: Container, argv: tuple[str, ...], *, stdin: bool
    ) -> None:
        self.id = hashlib.sha256(f"exec {next(_ids)}".encode()).hexdigest()
        self.container, self.argv = container, argv
        self.exit_code: int | None = None
        self.engine = engine
        self._input = b""
        self._has_input = stdin
        self._kept: KeptShell | None = None
        self.write: Callable[[int, bytes], None] = lambda _stream, _data: None

    @property
    def running(self) -> bool:
        return self.exit_code is None

    def begin(self) -> None:
        """Somebody is attached; what waits for no input is done at once."""
        if self.argv[:3] == ("/bin/sh", "-c", shell_script.LOOP) and has_shell(self.container):
            self._kept = KeptShell(self.container.view, nonce=self.argv[-1])
            self.write(_STDOUT, self._kept.greeting)
        elif not self._has_input or not has_shell(self.container):
            self.end_of_input()

    def feed(self, data: bytes) -> None:
        if self._kept is None:
            self._input += data
        elif self.running:
            word = data.split(b" ", 1)[0].decode().replace("keep", "mv")  # two ways to rename
            with self.engine.call(f"helper {word}", self.container.id):
                self.engine.tick()
                self.write(_STDOUT, self._kept.answer(data))

    def end_of_input(self) -> None:
        if not self.running:
            return
        if self._kept is not None:
            self.exit_code = 0
            return
        code, out, err = self._run()
        self.write(_STDOUT, out)
        self.write(_STDERR, err)
        self.exit_code = code

    def _run(self) -> tuple[int, bytes, bytes]:
        own = self.engine.commands.get(self.argv)
        if own is not None:
            code, text = own(self.container)
            return code, text.encode(), b""
        scripted = _SCRIPTS.get(self.argv) or _SCRIPTS.get(self.argv[:3])
        if scripted is None or not has_shell(self.container):
            return 127, _NO_SUCH_COMMAND.format(self.argv[0]).encode(), b""
        asked = [os.fsdecode(name) for name in self._input.split(b"\0") if name]
        return scripted(self.container.view, self.argv, asked)


class Attached:
    """The connection to a started exec, as far as ``engine.transport.stream`` uses a socket."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._near, self._far = socket.socketpair()
        self._far.setblocking(False)
        process.write = self._write
        process.engine.closing.append(self.close)
        process.container.attached.append(self._killed)
        process.begin()
        self._close_if_ended()

    def fileno(self) -> int:
        return self._near.fileno()

    def settimeout(self, seconds: float) -> None:
        self._near.settimeout(seconds)

    def send(self, data: memoryview) -> int:
        self._process.feed(bytes(data))
        self._close_if_ended()
        return len(data)

    def recv(self, size: int, flags: int = 0) -> bytes:
        return self._near.recv(size, flags)

    def shutdown(self, _how: int) -> None:
        self._process.end_of_input()
        self._close_if_ended()

    def close(self) -> None:
        self.shutdown(socket.SHUT_RDWR)
        self._near.close()

    def _write(self, stream: int, data: bytes) -> None:
        if data and self._far.fileno() >= 0:
            self._far.sendall(struct.pack(">BxxxL", stream, len(data)) + data)

    def _killed(self) -> None:
        if self._process.running:
            self._process.exit_code = 137
        self._close_if_ended()

    def _close_if_ended(self) -> None:
        if not self._process.running:
            self._far.close()


def has_shell(one: Container) -> bool:
    node = one.view.follow("/bin/sh")
    return node is not None and node.kind is Kind.FILE


# ---- the scripts: a view, argv and the names on standard input in; code, output, errors out

_Result = tuple[int, bytes, bytes]
_Script = Callable[[View, Sequence[str], Sequence[str]], _Result]


def _stat(view: View, _argv: Sequence[str], asked: Sequence[str]) -> _Result:
    records, problems = _records(view, asked)
    return (1 if problems else 0), _clock(view) + records, problems


def _hash_and_stat(view: View, _argv: Sequence[str], asked: Sequence[str]) -> _Result:
    records, problems = _records(view, asked)
    lines = b"".join(f"{digest}  ".encode() + n + b"\n" for n, digest in _digests(view, asked))
    return (1 if problems else 0), _clock(view) + lines + b"\0" + records + b"\0", problems


def _hash(view: View, _argv: Sequence[str], asked: Sequence[str]) -> _Result:
    lines = b"".join(f"{digest}  ".encode() + n + b"\n" for n, digest in _digests(view, asked))
    return 0, lines, b""


def _read_links(view: View, _argv: Sequence[str], asked: Sequence[str]) -> _Result:
    nodes = map(view.get, asked)
    texts = (n.content if n is not None and n.kind is Kind.LINK else b"" for n in nodes)
    return 0, b"".join(text + b"\0" for text in texts), b""


def _ages(view: View, _argv: Sequence[str], asked: Sequence[str]) -> _Result:
    found = [(name, node) for name in asked if (node := view.get(name)) is not None]
    lines = (f"{int(n.mtime)} {int(n.ctime)} {name}//\n" for name, n in found)
    return 0, "".join(lines).encode(), b""


def _find(view: View, argv: Sequence[str], _asked: Sequence[str]) -> _Result:
    tops = argv[1 : argv.index("-xdev")]
    files, _ = _found(view, tops, _pruned(argv))
    missing = any(view.get(top) is None for top in tops)
    return (1 if missing else 0), _named(files), b""


def _names_and_stamps(view: View, argv: Sequence[str], asked: Sequence[str]) -> _Result:
    files, folders = _found(view, argv[4 : argv.index("-xdev")], _pruned(argv))
    nodes = [view.get(path) for path in (*folders, *asked)]
    if None in nodes:
        return 1, b"", b"stat: No such file or directory\n"
    stamps = "".join(f"{n.mtime:.9f} {n.ctime:.9f}\n" for n in nodes if n is not None)
    return 0, _named(files) + b"//\0" + stamps.encode(), b""


def _files_below(view: View, argv: Sequence[str], _asked: Sequence[str]) -> _Result:
    files, _ = _found(view, argv[4:], frozenset())
    return 0, _named([p for p in files if _is(view, p, Kind.FILE)]), b""


def _mounts(_view: View, _argv: Sequence[str], _asked: Sequence[str]) -> _Result:
    return 0, _OVERLAY, b""


_SCRIPTS: Final[Mapping[tuple[str, ...], _Script]] = {
    inside._STAT: _stat,
    inside._HASH_AND_STAT: _hash_and_stat,
    inside._HASH: _hash,
    inside._READ_LINKS: _read_links,
    landing._STAT: _ages,
    ("sh", "-c", names._NAMES_AND_STAMPS): _names_and_stamps,
    ("/bin/sh", "-c", purge._FIND): _files_below,
    overlay._ASK: _mounts,
}


def _records(view: View, asked: Sequence[str]) -> tuple[bytes, bytes]:
    """Records of ``output.STAT_FORMAT``, and what `stat` says of the others."""
    found, problems = b"", b""
    for name in asked:
        node = view.get(name)
        raw = os.fsencode(name)
        if node is None:
            problems += b"stat: can't stat '" + raw + b"': No such file or directory\n"
            continue
        times = f"{node.mtime:.9f} {node.ctime:.9f}"
        fields = f"{node.st_mode:x} {node.size} {times} {node.inode} {node.device} "
        found += fields.encode() + raw + b"//\n"
    return found, problems


def _digests(view: View, asked: Sequence[str]) -> list[tuple[bytes, str]]:
    nodes: list[tuple[str, Node | None]] = [(name, view.follow(name)) for name in asked]
    return [
        (os.fsencode(name), hashlib.sha256(node.content).hexdigest())
        for name, node in nodes
        if node is not None and node.kind is Kind.FILE
    ]


def _clock(view: View) -> bytes:
    """And the boot id, where the engine is on this machine."""
    return f"{int(view.clock())} {view.kernel}\n".encode()


def _pruned(argv: Sequence[str]) -> frozenset[str]:
    return frozenset(argv[at + 1] for at, word in enumerate(argv) if word == "-name")


def _found(view: View, tops: Sequence[str], pruned: frozenset[str]) -> tuple[list[str], list[str]]:
    """What is no directory, and the directories, below ``tops``."""
    files: list[str] = []
    folders: list[str] = []
    for top in tops:
        for path in (top, *view.below(top)):
            if not pruned.isdisjoint(re.split("/", path[len(posixpath.dirname(top)) :])):
                continue
            (folders if _is(view, path, Kind.DIR) else files).append(path)
    return [path for path in files if view.get(path) is not None], folders


def _is(view: View, path: str, kind: Kind) -> bool:
    node = view.get(path)
    return node is not None and node.kind is kind


def _named(paths: Sequence[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
