"""The kept exec: one constant ``sh`` loop in a container, commands on standard input.

A new exec costs 60 ms, a command to a running one 3 ms. The loop ends with its standard input, so
it cannot outlive freshd. Names travel one a line and are never part of the script.

What renames or removes enters the directory first and asks the kernel where it is: by no link that
was put there meanwhile is anything changed elsewhere.

In: exact paths (any bytes but NUL). Out: hashes, ``FileFacts``, failures by path.
"""

import os
import posixpath
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice

from freshd.engine.connection import Connection
from freshd.engine.container import shell_output
from freshd.engine.container.shell_output import FileFacts
from freshd.engine.container.shell_script import LOOP
from freshd.engine.transport.stream import ExecStream
from freshd.model.errors import EngineFailed, OutcomeUnknown

_TOOLS = ("mv", "rm", "sha256sum")
_BATCH = 1024
_ODD_BATCH = 128
_BATCH_BYTES = 64 * 1024
_START_SECONDS = 10.0
_HASHED_PER_SECOND = 20_000_000
_SECONDS_PER_MOVE = 0.05
_SEEN = frozenset({b"link", b"there", b"none", b"hidden"})
_ELSEWHERE = 3  # what the script ends a command with whose directory is not where it should be


class ShellSession:
    """Commands to one running container. Not shared between threads.

    ``available`` is False where the image has no usable ``sh``; ``why`` then says so. ``tools``
    are the commands it has, ``identity`` whom the kernel takes it for, ``token`` tells its exec
    from others. Any method raises OutcomeUnknown when the loop dies or does not answer in time
    (container killed, paused, hung): the shell is then dead, start another.
    """

    def __init__(
        self,
        connection: Connection,
        container_id: str,
        *,
        user: str = "0",
        timeout: float = 10.0,
    ) -> None:
        """Starts the loop as ``user``. Raises TargetGone, EngineFailed (paused or not running)."""
        self.container_id = container_id
        self._timeout = timeout
        self.token = nonce = secrets.token_hex(8)
        self._mark = nonce.encode() + b" "
        self._dead = False
        self.swept: set[str] = set()  # tops that the user of this shell has tidied
        deadline = time.monotonic() + max(timeout, _START_SECONDS)
        argv = ("/bin/sh", "-c", LOOP, "freshd-helper", nonce)
        self._stream = ExecStream(
            connection, container_id, argv, stdin=True, user=user, deadline=deadline
        )
        self.identity = shell_output.Identity()
        try:
            self.tools, self.why = self._begin(deadline)
        except BaseException:
            self.close()
            raise
        if self.why:
            self.close()

    def _begin(self, deadline: float) -> tuple[frozenset[str], str]:
        received = bytearray()
        if self._complete(b"", received, deadline):
            # The mark and the status behind it are words too; no tool is called so.
            tools = frozenset(received.decode("ascii", "replace").split())
            self.identity = shell_output.identity(tools)
            missing = sorted(set(_TOOLS) - tools)
            return tools, f"the image has no {', '.join(missing)}" if missing else ""
        text = received.decode("utf-8", "replace").strip()
        if self._stream.exit_code(deadline=deadline) in (126, 127):
            return frozenset(), f"the image has no usable /bin/sh: {text}"
        raise self._stream.unknown(f"it ended: {text}")

    @property
    def available(self) -> bool:
        """Whether it can rename, delete and hash."""
        return not self.why

    def alive(self) -> bool:
        """Whether the next command has somebody to go to; a loop that ended is found out here."""
        if not self._dead and not self._stream.quiet():
            self.close()
        return not self._dead or bool(self.why)

    def rename(
        self, moves: Mapping[str, Sequence[str]], *, keep_times: bool = False
    ) -> tuple[bool, str]:
        """Moves paths: destination directory -> paths that keep their names. "" or what failed.

        Each file is replaced atomically when both are on one mount; a directory is never replaced.
        With ``keep_times`` the destinations have the times of before afterwards, where the shell
        may set them: for moves that only replace. The first value is False where a destination was
        not at its place, but behind a link.
        """
        base, staged = _from_common_directory([each for paths in moves.values() for each in paths])
        left = iter(staged)
        names: list[str] = []
        for directory, paths in moves.items():
            for batch in _batches(islice(left, len(paths))):
                names += [directory, *batch, ""]
        seconds = len(names) * _SECONDS_PER_MOVE
        status, text = self._command(
            "keep" if keep_times else "mv", names, base=base, seconds=seconds
        )
        return status < _ELSEWHERE, _failure("mv", status, text)

    def hash(self, paths: Sequence[str], *, size: int = 0) -> dict[str, str]:
        """sha256 of each path that can be read, links followed; the others are left out.

        ``size`` is their expected bytes in all: the deadline grows with it.
        """
        found: dict[str, str] = {}
        base, names = _from_common_directory(paths)
        seconds = size / _HASHED_PER_SECOND
        for batch in _batches(names):
            status, text = self._command("hash", batch, base=base, seconds=seconds)
            lines = shell_output.lines_of(text)
            if status == 0 and len(lines) == len(batch):
                digests = dict(zip(batch, map(shell_output.digest, lines), strict=True))
            elif status == 0 and len(batch) == 1:
                digests = {
                    batch[0]: shell_output.digest(text)
                }  # a newline in it makes several lines
            elif len(batch) > 1:
                # Some are missing: plain names are told by name, the others asked one by one.
                digests = shell_output.digests_by_name(lines, batch)
                for name in filter(shell_output.odd, batch):
                    found.update(self.hash([_path(base, name)], size=size))
            else:
                digests = {}
            found.update((_path(base, name), digest) for name, digest in digests.items())
        return found

    def stat(self, paths: Sequence[str]) -> dict[str, FileFacts]:
        """What each existing path is, links not followed. EngineFailed without ``stat``."""
        found: dict[str, FileFacts] = {}
        if "stat" not in self.tools:
            raise EngineFailed(f"no stat command in {self.container_id[:12]}")
        base, names = _from_common_directory(paths)
        for batch in _batches(names):
            status, text = self._command("stat", batch, base=base)
            facts = shell_output.facts_by_name(shell_output.lines_of(text), batch)
            if status == 0 and len(batch) == 1 and not facts.get(batch[0]):
                facts[batch[0]] = shell_output.facts(text)
            elif len(batch) > 1:
                for name in filter(shell_output.odd, batch):
                    found.update(self.stat([_path(base, name)]))
            found.update((_path(base, name), fact) for name, fact in facts.items())
        return found

    def read_link(self, path: str) -> bytes | None:
        """The text of a symbolic link; None where there is none. EngineFailed without readlink."""
        if "readlink" not in self.tools:
            raise EngineFailed(f"no readlink command in {self.container_id[:12]}")
        status, text = self._command("text", [path])
        return text if status == 0 else None

    def list(self, directory: str) -> tuple[str, ...]:
        """The names in a directory, () where there is none; one with a newline comes in pieces."""
        status, text = self._command("list", [directory])
        return tuple(os.fsdecode(line) for line in text.split(b"\n") if line) if not status else ()

    def links(self, paths: Sequence[str]) -> frozenset[str]:
        """Those of the paths that are symbolic links."""
        return self.look(paths)[0]

    def look(self, paths: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Those of the paths that are symbolic links, and those that nobody knows of: a directory
        above that this user may not enter. What is in neither is surely no link.
        """
        seen = self._look(paths)
        links = frozenset(path for path, word in seen.items() if word == b"link")
        return links, frozenset(path for path, word in seen.items() if word == b"hidden")

    def _look(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Path -> link, there (something else), none or hidden."""
        seen: dict[str, bytes] = {}
        for batch in _batches(paths):
            _, text = self._command("look", batch)
            words = text.split()
            if len(words) != len(batch) or not _SEEN.issuperset(words):
                raise EngineFailed(f"the helper in {self.container_id[:12]} misbehaves: {text!r}")
            seen |= zip(batch, words, strict=True)
        return seen

    def look_for(self, paths: Sequence[str]) -> set[str]:
        """Those of the paths that this user sees something at."""
        return {path for path, word in self._look(paths).items() if word in (b"link", b"there")}

    def delete(self, paths: Sequence[str]) -> str:
        """Removes files and links by exact path, never directories. "" or what failed."""
        return self._each("rm", paths)

    def remove_directories(self, paths: Sequence[str]) -> str:
        """Removes directories that are empty, in this order. "" or what failed."""
        return self._each("rmdir", paths)

    def link(self, text: str, path: str) -> str:
        """Creates one symbolic link, where nothing is yet. "" or what failed."""
        return _failure("ln", *self._command("ln", [text, path]))

    def close(self) -> None:
        """Ends the loop."""
        self._dead = True
        self._stream.close()

    def _each(self, op: str, paths: Sequence[str]) -> str:
        """Directory by directory, as each is entered: what lies in one that is elsewhere stays."""
        failures = [
            _failure(op, *self._command(op, batch, base=directory))
            for directory, group in groupby(paths, posixpath.dirname)
            for batch in _batches(map(posixpath.basename, group))
        ]
        return "\n".join(filter(None, failures))

    def _command(
        self, op: str, names: Collection[str], *, base: str = "", seconds: float = 0.0
    ) -> tuple[int, bytes]:
        """``names`` count from ``base``; where that is gone, none of them is there."""
        if not self.alive() or self._dead:
            raise OutcomeUnknown(f"the helper in {self.container_id[:12]} has ended")
        raw = [os.fsencode(name) for name in (base or ".", *names)]
        plain = all(b"\n" not in name for name in raw)
        lines = raw if plain else [shell_output.octal(name) for name in raw]
        request = b"%b %d %d\n" % (op.encode(), len(names), 0 if plain else 1)
        request += b"".join(line + b"\n" for line in lines)
        try:
            return self._answer(request, time.monotonic() + self._timeout + seconds)
        except OutcomeUnknown:
            self.close()
            raise

    def _answer(self, request: bytes, deadline: float) -> tuple[int, bytes]:
        received = bytearray()
        if not self._complete(request, received, deadline):
            reason = received.decode("utf-8", "replace").strip()
            raise self._stream.unknown(f"it ended{': ' + reason if reason else ''}")
        text, _, status = bytes(received).rpartition(self._mark)
        return int(status), text

    def _complete(self, request: bytes, received: bytearray, deadline: float) -> bool:
        """Whether a whole answer came; False when the loop ended instead."""

        def complete(_: int, piece: bytes) -> bool:
            received.extend(piece)
            return received.endswith(b"\n") and self._mark in received[-len(self._mark) - 8 :]

        return self._stream.converse(request, complete, deadline=deadline)


def _failure(op: str, status: int, text: bytes) -> str:
    """What a command that ended with ``status`` said is wrong; "" where nothing is."""
    return text.decode("utf-8", "replace").strip() or f"{op} failed" if status else ""


def _from_common_directory(paths: Sequence[str]) -> tuple[str, list[str]]:
    """The deepest directory that all are below, ending in '/', and the names they have there.

    "" where there is none: names without a directory count from where the loop was started.
    """
    first, last = min(paths, default=""), max(paths, default="")
    base, end = "", 0
    while (end := first.find("/", end) + 1) and last.startswith(first[:end]):
        base = first[:end]
    return base, [path.removeprefix(base) or path for path in paths]


def _path(base: str, name: str) -> str:
    return name if name.startswith("/") else base + name


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    """Parts that one command can be given, in order. A name with a newline makes its whole part
    travel encoded, where each name costs a process: so those go by themselves.
    """
    batch: list[str] = []
    size = 0
    for name in names:
        odd = "\n" in name
        most = _ODD_BATCH if odd else _BATCH
        full = len(batch) >= most or size >= _BATCH_BYTES
        if batch and (full or ("\n" in batch[-1]) is not odd):
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += len(name)
    if batch:
        yield batch
