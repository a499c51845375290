"""What the tree says now: path -> Entry, hashed once and remembered by stat.

In: a root and a cache of earlier hashes. Out: entries, read without following a link.
A remembered hash is believed only while its stat is the same and was not racy when it was taken:
an edit in the very tick of the clock in which the file was hashed leaves the same stat behind.
"""

import errno
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from typing import Final, Protocol, TypeAlias

from freshd.model import Entry, Kind, Signature
from freshd.tree.hashing import ABSENT, BLOCK, failure, hash_in, racy, without_content
from freshd.tree.walk import RootGone, Skip, Stat, open_directory, stat_of, walk, walk_everything

_BATCH: Final = 4096

Known: TypeAlias = Mapping[str, tuple[Signature, Entry]]


class StatCache(Protocol):
    """Where hashes are kept between runs; ``root`` is an absolute directory."""

    def get_many(self, root: str, paths: Collection[str] | None) -> Known: ...

    def put_many(self, root: str, rows: Known) -> None: ...

    def forget(self, root: str, paths: Iterable[str] | None = None) -> None: ...


class MemoryStatCache:
    """A StatCache that lasts as long as the process."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, tuple[Signature, Entry]]] = {}

    def get_many(self, root: str, paths: Collection[str] | None) -> Known:
        rows = self._rows.get(root, {})
        if paths is None:
            return dict(rows)
        return {path: rows[path] for path in paths if path in rows}

    def put_many(self, root: str, rows: Known) -> None:
        self._rows.setdefault(root, {}).update(rows)

    def forget(self, root: str, paths: Iterable[str] | None = None) -> None:
        if paths is None:
            self._rows.pop(root, None)
            return
        for path in paths:
            self._rows.get(root, {}).pop(path, None)


class TreeManifest:
    """The entries of one tree. Paths are relative to ``root``; '../x' climbs out of it by name.

    Not for several threads at once. ``clock_ns`` is the wall clock, which file systems stamp with.
    """

    def __init__(
        self, root: str, cache: StatCache, *, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.root = os.path.abspath(root)
        self._cache = cache
        self._clock_ns = clock_ns

    def entries(
        self, paths: Iterable[str] | None, *, skip: Skip = walk_everything, fresh: bool = False
    ) -> dict[str, Entry]:
        """Entries of ``paths``, or with None of the whole tree but for what ``skip`` leaves out.

        What does not exist is absent; what exists and cannot be read is UNREADABLE with a reason.
        ``fresh`` believes no earlier hash. Raises RootGone when the root cannot be listed.
        """
        stats = (
            walk(self.root, skip=skip)
            if paths is None
            else self._stats(sorted(set(paths), key=_by_directory))
        )
        found: dict[str, Entry] = {}
        for batch in _batches(stats):
            found.update(self._entries_of(batch, fresh=fresh))
        return found

    def read(self, path: str) -> tuple[Entry, bytes]:
        """One path's entry and the very bytes that entry was made of (a link's text for links).

        Anything else has no bytes. Raises FileNotFoundError when there is no such path.
        """
        content: list[bytes] = []
        status = next(self._stats([path]), None)
        if status is None:
            raise FileNotFoundError(errno.ENOENT, "not in the tree", path)
        hashed = self._hash(status, keep=content)
        if hashed is None:
            raise FileNotFoundError(errno.ENOENT, "not in the tree", path)
        entry = hashed[1]
        return entry, b"".join(content) if entry.kind in (Kind.FILE, Kind.LINK) else b""

    def _stats(self, paths: list[str]) -> Iterator[Stat]:
        """Stat given paths, one opened directory at a time, so that no link on the way counts."""
        if not os.path.isdir(self.root):
            raise RootGone(f"cannot read the directory {self.root}: no such directory")
        for parent, group in groupby(paths, key=_parent):
            try:
                directory = open_directory(self.root, parent)
            except OSError as error:
                if error.errno not in ABSENT:
                    yield from (_unreadable_stat(path, error) for path in group)
                continue
            try:
                yield from _stats_in(directory, group)
            finally:
                os.close(directory)

    def _entries_of(self, batch: list[Stat], *, fresh: bool) -> dict[str, Entry]:
        files = [found.path for found in batch if found.kind is Kind.FILE]
        known: Known = {} if fresh or not files else self._cache.get_many(self.root, files)
        entries: dict[str, Entry] = {}
        changed: list[Stat] = []
        for found in batch:
            entry = without_content(found) or _believed(found, known.get(found.path))
            if entry is not None:
                entries[found.path] = entry
            else:
                changed.append(found)
        hashed = self._hash_all(changed)
        entries.update((path, entry) for path, (_, entry) in hashed.items())
        self._remember(hashed)
        return entries

    def _remember(self, hashed: Mapping[str, tuple[Signature | None, Entry]]) -> None:
        rows = {
            path: (signature, entry)
            for path, (signature, entry) in hashed.items()
            if signature is not None and entry.kind is Kind.FILE and not racy(signature)
        }
        if rows:
            self._cache.put_many(self.root, rows)

    def _hash_all(self, changed: list[Stat]) -> dict[str, tuple[Signature | None, Entry]]:
        big = [found for found in changed if _is_big(found)]
        hashed: dict[str, tuple[Signature | None, Entry]] = {}
        if len(big) > 1:
            # a task for each small file costs more than hashing it: only big ones go in parallel
            with ThreadPoolExecutor(2) as pool:
                for found, result in zip(big, pool.map(self._hash, big), strict=True):
                    if result is not None:
                        hashed[found.path] = result
        rest = changed if len(big) <= 1 else [found for found in changed if not _is_big(found)]
        for parent, group in groupby(rest, key=lambda found: _parent(found.path)):
            hashed.update(self._hash_directory(parent, group))
        return hashed

    def _hash_directory(
        self, parent: str, group: Iterable[Stat]
    ) -> dict[str, tuple[Signature | None, Entry]]:
        try:
            directory = open_directory(self.root, parent)
        except OSError as error:
            return {found.path: failed for found in group if (failed := failure(error))}
        hashed: dict[str, tuple[Signature | None, Entry]] = {}
        try:
            for found in group:
                result = hash_in(directory, found, clock_ns=self._clock_ns)
                if result is not None:
                    hashed[found.path] = result
        finally:
            os.close(directory)
        return hashed

    def _hash(
        self, found: Stat, *, keep: list[bytes] | None = None
    ) -> tuple[Signature | None, Entry] | None:
        known = without_content(found)
        if known is not None:
            return None, known
        try:
            directory = open_directory(self.root, _parent(found.path))
        except OSError as error:
            return failure(error)
        try:
            return hash_in(directory, found, clock_ns=self._clock_ns, keep=keep)
        finally:
            os.close(directory)


def _believed(found: Stat, known: tuple[Signature, Entry] | None) -> Entry | None:
    """The remembered entry, if the stat is the one it was hashed with and that was not racy."""
    if known is None or found.kind is not Kind.FILE:
        return None
    was, entry = known
    same = (
        was.mtime_ns == found.mtime_ns
        and was.ctime_ns == found.ctime_ns
        and was.size == found.size
        and was.inode == found.inode
        and was.device == found.device
    )
    return entry if same and not racy(was) else None


def _stats_in(directory: int, paths: Iterable[str]) -> Iterator[Stat]:
    for path in paths:
        name = path.rpartition("/")[2]
        try:
            yield stat_of(path, os.stat(name or ".", dir_fd=directory, follow_symlinks=False))
        except OSError as error:
            if error.errno not in ABSENT:
                yield _unreadable_stat(path, error)


def _unreadable_stat(path: str, error: OSError) -> Stat:
    reason = error.strerror or str(error)
    return Stat(path, Kind.UNREADABLE, 0, 0, 0, 0, 0, 0, reason)


def _is_big(found: Stat) -> bool:
    return found.kind is Kind.FILE and found.size > BLOCK


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _by_directory(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition("/")
    return parent, name


def _batches(stats: Iterator[Stat]) -> Iterator[list[Stat]]:
    while batch := list(islice(stats, _BATCH)):
        yield batch
