"""What the tree holds now: path -> Entry, hashed once and remembered by stat.

In: a root and a cache of earlier hashes. Out: entries, read without following a link.
A remembered hash counts only while its stat is the same and was not racy when it was taken: an edit
in the same clock tick in which the file was hashed leaves the stat unchanged.
"""

import errno
import io
import os
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Final, Protocol, TypeAlias

from freshd.model.files import Entry, Kind, Signature
from freshd.tree.hashing import (
    BLOCK,
    describe_failure,
    describe_unhashed,
    hash_file,
    is_racy,
)
from freshd.tree.places import find_obstacle
from freshd.tree.walk import (
    FileStat,
    RootGone,
    Skip,
    climb,
    make_stat,
    open_directory,
    walk,
    walk_everything,
)

_BATCH: Final = 4096

Known: TypeAlias = Mapping[str, tuple[Signature, Entry]]
_Batch: TypeAlias = list[tuple[str, list[str]]]


class HashCache(Protocol):
    """Where hashes are kept between runs; ``root`` is an absolute directory."""

    def get_many(self, root: str, paths: Collection[str] | None) -> Known: ...

    def iterate(self, root: str) -> Iterable[tuple[str, tuple[Signature, Entry]]]: ...

    def put_many(self, root: str, rows: Known) -> None: ...

    def forget(self, root: str, paths: Iterable[str] | None = None) -> None: ...


class TreeManifest:
    """The entries of one tree. Paths are relative to ``root``; '../x' climbs out of it by name.

    Not for several threads at once. ``clock_ns`` is the wall clock, which file systems stamp with.
    """

    def __init__(
        self, root: str, cache: HashCache, *, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.root = os.path.abspath(root)
        self._cache = cache
        self._clock_ns = clock_ns

    def entries(
        self, paths: Iterable[str] | None, *, skip: Skip = walk_everything, fresh: bool = False
    ) -> dict[str, Entry]:
        """Entries of ``paths``, or with None of the whole tree but for what ``skip`` leaves out.

        What does not exist is absent; what cannot be read, or is behind a link, is UNREADABLE with
        a reason. ``fresh`` uses no earlier hash. Raises RootGone when the root cannot be listed.
        """
        entries: dict[str, Entry] = {}
        if paths is None:
            paths = []
            for status in walk(self.root, skip=skip):
                if status.kind is Kind.UNREADABLE:
                    entries[status.path] = Entry(status.kind, reason=status.reason)
                else:
                    paths.append(status.path)
        self._check_root()
        for batch in _batches(paths):
            entries.update(self._entries_of(batch, fresh=fresh))
        self._check_root()  # without it everything was absent
        return entries

    def doubt_absence(self, path: str, *, below: str) -> str:
        """Why it is not proved that the directory ``below`` is there and lacks the file ``path``.

        "" where it is proved. A directory in the file's place is another thing.
        """
        try:
            os.close(open_directory(self.root, "" if below == "." else below))
            here = self.entries([path]).get(path)
        except OSError as error:
            return self._obstacle(below, error) or f"{below} is not there"
        except RootGone as error:
            return error.message
        if here is None or here.kind is Kind.DIR:
            return ""
        return here.reason or "the tree has it"

    def read(self, path: str) -> tuple[Entry, bytes]:
        """One path's entry and the very bytes that entry was made of (a link's text for links).

        Anything else has no bytes. Raises FileNotFoundError when there is no such path.
        """
        content = io.BytesIO()
        entry = self.copy(path, content)
        return entry, content.getvalue()

    def copy(self, path: str, sink: IO[bytes]) -> Entry:
        """As ``read``: the bytes go to ``sink``, which may be at any place of it."""
        self._check_root()
        start = sink.tell()
        try:
            directory = open_directory(self.root, _parent(path))
        except OSError as error:
            reason = self._obstacle(_parent(path), error)
            if not reason:
                raise _not_there(path) from error
            return Entry(Kind.UNREADABLE, reason=reason)
        try:
            status = next(_stats_in(directory, [path]), None)
            entry = None if status is None else self._read_entry(directory, status, sink)
        finally:
            os.close(directory)
        if entry is None:
            raise _not_there(path)
        if entry.kind not in (Kind.FILE, Kind.LINK):
            sink.seek(start)
            sink.truncate()
        return entry

    def forget_gone(self) -> None:
        """Forget the hashes of files that are no more; nothing where the tree itself is away."""
        if not os.path.isdir(self.root):
            return
        known = self._cache.iterate(self.root)
        gone = [path for path, _ in known if not os.path.lexists(os.path.join(self.root, path))]
        if gone:
            self._cache.forget(self.root, gone)

    def _check_root(self) -> None:
        if not os.path.isdir(self.root):
            raise RootGone(self.root, "no such directory")

    def _read_entry(self, directory: int, status: FileStat, keep: IO[bytes]) -> Entry | None:
        entry = describe_unhashed(status)
        if entry is not None:
            return entry
        hashed = hash_file(directory, status, clock_ns=self._clock_ns, keep=keep)
        return None if hashed is None else hashed[1]

    def _entries_of(self, batch: _Batch, *, fresh: bool) -> dict[str, Entry]:
        """Read paths one opened directory at a time, so that no link on the way is followed."""
        every = [path for _, paths in batch for path in paths]
        known: Known = {} if fresh else self._cache.get_many(self.root, every)
        read = _BatchRead(known, self._clock_ns)
        for parent, group in batch:
            try:
                directory = open_directory(self.root, parent)
            except OSError as error:
                reason = self._obstacle(parent, error)
                if reason:
                    hidden = Entry(Kind.UNREADABLE, reason=reason)
                    read.entries.update(dict.fromkeys(group, hidden))
                continue
            try:
                read.add(directory, group)
            finally:
                os.close(directory)
        self._hash_big(read)
        self._remember(read.hashed)
        return read.entries

    def _obstacle(self, directory: str, error: OSError) -> str:
        """Why a directory of the tree was not opened; "" where it is not there."""
        try:
            root, directory = climb(self.root, directory)
        except OSError:
            return error.strerror or str(error)
        return find_obstacle(root, directory, error)

    def _remember(self, hashed: Mapping[str, tuple[Signature | None, Entry]]) -> None:
        rows = {
            path: (signature, entry)
            for path, (signature, entry) in hashed.items()
            if signature is not None and entry.kind is Kind.FILE and not is_racy(signature)
        }
        if rows:
            self._cache.put_many(self.root, rows)

    def _hash_big(self, read: "_BatchRead") -> None:
        """A task for each small file costs more than hashing it: only big ones go in parallel."""
        if not read.big:
            return
        with ThreadPoolExecutor(min(2, len(read.big))) as pool:
            for status, result in zip(read.big, pool.map(self._hash, read.big), strict=True):
                read.keep(status.path, result)

    def _hash(self, status: FileStat) -> tuple[Signature | None, Entry] | None:
        try:
            directory = open_directory(self.root, _parent(status.path))
        except OSError as error:
            return describe_failure(error)
        try:
            return hash_file(directory, status, clock_ns=self._clock_ns)
        finally:
            os.close(directory)


class _BatchRead:
    """One batch being read: entries, what was hashed for them, and what is too big for now."""

    def __init__(self, known: Known, clock_ns: Callable[[], int]) -> None:
        self.entries: dict[str, Entry] = {}
        self.hashed: dict[str, tuple[Signature | None, Entry]] = {}
        self.big: list[FileStat] = []
        self._known = known
        self._clock_ns = clock_ns

    def add(self, directory: int, paths: Iterable[str]) -> None:
        """Read ``paths``, all in the open ``directory``."""
        changed = []
        for path in paths:
            known = self._known.get(path)
            if known is not None and _is_unchanged(directory, path.rpartition("/")[2], known[0]):
                self.entries[path] = known[1]
            else:
                changed.append(path)
        for status in _stats_in(directory, changed):
            entry = describe_unhashed(status)
            if entry is not None:
                self.entries[status.path] = entry
            elif _is_big(status):
                self.big.append(status)
            else:
                self.keep(status.path, hash_file(directory, status, clock_ns=self._clock_ns))

    def keep(self, path: str, result: tuple[Signature | None, Entry] | None) -> None:
        """Take what hashing gave; None: it is gone."""
        if result is not None:
            self.hashed[path] = result
            self.entries[path] = result[1]


def _is_unchanged(directory: int, name: str, was: Signature) -> bool:
    """Whether the stat is still the one that was hashed, and that was not racy."""
    try:
        now = os.stat(name or ".", dir_fd=directory, follow_symlinks=False)
    except OSError:
        return False  # the stat that follows says why
    return (
        was.ctime_ns == now.st_ctime_ns
        and was.mtime_ns == now.st_mtime_ns
        and was.size == now.st_size
        and was.inode == now.st_ino
        and was.device == now.st_dev
        and stat.S_ISREG(now.st_mode)
        and not is_racy(was)
    )


def _stats_in(directory: int, paths: Iterable[str]) -> Iterator[FileStat]:
    for path in paths:
        name = path.rpartition("/")[2]
        try:
            yield make_stat(path, os.stat(name or ".", dir_fd=directory, follow_symlinks=False))
        except OSError as error:
            if error.errno != errno.ENOENT:
                yield _unreadable_stat(path, error)


def _unreadable_stat(path: str, error: OSError) -> FileStat:
    reason = error.strerror or str(error)
    return FileStat(path, Kind.UNREADABLE, 0, 0, 0, 0, 0, 0, reason)


def _is_big(status: FileStat) -> bool:
    return status.kind is Kind.FILE and status.size > BLOCK


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _not_there(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "not in the tree", path)


def _batches(paths: Iterable[str]) -> Iterator[_Batch]:
    """Each path once, with those of its directory; a few thousand at a time, in order."""
    below: dict[str, list[str]] = {}
    for path in set(paths):
        below.setdefault(path.rpartition("/")[0], []).append(path)
    batch: _Batch = []
    count = 0
    for parent in sorted(below):
        batch.append((parent, sorted(below[parent])))
        count += len(below[parent])
        if count >= _BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch
