"""Hash one file or link of an open directory, whatever happens to it in the meantime.

In: a directory descriptor and a ``FileStat``. Out: an ``Entry``, with its ``Signature``.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from typing import IO, Final

from freshd.model.files import Entry, Kind, Signature
from freshd.tree.walk import FileStat, make_stat, open_file

BLOCK: Final = 1 << 20
_ATTEMPTS: Final = 3
# what a clock tick can be: whole seconds on old file systems, a timer tick of the kernel on others
_COARSE_NS: Final = 2_000_000_000
_FINE_NS: Final = 100_000_000


def is_racy(signature: Signature) -> bool:
    """Whether the file could have changed after it was hashed without its stat showing it."""
    return moved_lately(signature.mtime_ns, signature.ctime_ns, signature.hashed_at_ns)


def moved_lately(mtime_ns: int, ctime_ns: int, now_ns: int) -> bool:
    """Whether another change at ``now_ns`` might get the very same times: git calls it racy."""
    tick = _COARSE_NS if ctime_ns % 1_000_000_000 == 0 else _FINE_NS
    return max(mtime_ns, ctime_ns) >= now_ns - tick


def hash_file(
    directory: int,
    status: FileStat,
    *,
    clock_ns: Callable[[], int],
    keep: IO[bytes] | None = None,
) -> tuple[Signature | None, Entry] | None:
    """Hash the file or link of ``status`` in an open directory; None when it is gone.

    A file that changes while it is read is read again, then UNREADABLE "being written". ``keep``
    receives the bytes that were hashed, from where it stands.
    """
    start = 0 if keep is None else keep.tell()
    name = status.path.rpartition("/")[2]
    try:
        if status.kind is Kind.LINK:
            return None, _link(directory, name, keep)
        for attempt in range(_ATTEMPTS):
            if attempt and not _is_file(directory, name):
                return _became(directory, name)
            if attempt and keep is not None:
                keep.seek(start)
                keep.truncate()
            hashed = _file(directory, name, clock_ns, keep)
            if hashed is not None:
                return hashed
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ELOOP):
            return _became(directory, name)
        return describe_failure(error)
    return None, Entry(Kind.UNREADABLE, reason="being written")


def _link(directory: int, name: str, keep: IO[bytes] | None) -> Entry:
    text = os.fsencode(os.readlink(name, dir_fd=directory))
    if keep is not None:
        keep.write(text)
    return Entry(Kind.LINK, hashlib.sha256(text).hexdigest(), len(text), 0o777)


def _file(
    directory: int, name: str, clock_ns: Callable[[], int], keep: IO[bytes] | None
) -> tuple[Signature, Entry] | None:
    """One attempt; None when the file changed while it was read."""
    now = clock_ns()
    fd, before = open_file(name, directory)
    try:
        digest = hashlib.sha256()
        length, size = 0, before.st_size
        # one byte more is asked for than there should be, so a short answer is the end
        while block := os.read(fd, asked := min(BLOCK, size - length + 1)):
            digest.update(block)
            length += len(block)
            if keep is not None:
                keep.write(block)
            if length > size:
                return None
            if len(block) < asked and length == size:
                break
        after = os.fstat(fd)
    finally:
        os.close(fd)
    if length != size or not _same(before, after):
        return None
    entry = Entry(Kind.FILE, digest.hexdigest(), length, before.st_mode & 0o7777)
    return _signature(before, now), entry


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (
        before.st_mtime_ns == after.st_mtime_ns
        and before.st_ctime_ns == after.st_ctime_ns
        and before.st_size == after.st_size
    )


def _is_file(directory: int, name: str) -> bool:
    return stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)


def _became(directory: int, name: str) -> tuple[None, Entry] | None:
    """What is now where a file was: a link, a fifo, a directory, or nothing."""
    try:
        now = make_stat(name, os.stat(name, dir_fd=directory, follow_symlinks=False))
        entry = describe_unhashed(now)
        if entry is None and now.kind is Kind.LINK:
            entry = _link(directory, name, None)
    except OSError as error:
        return describe_failure(error)
    return None, entry or Entry(Kind.UNREADABLE, reason="being written")


def _signature(status: os.stat_result, now: int) -> Signature:
    return Signature(
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_ino,
        status.st_dev,
        now,
    )


def describe_unhashed(status: FileStat) -> Entry | None:
    if status.kind in (Kind.FILE, Kind.LINK):
        return None
    if status.kind is Kind.UNREADABLE:
        return Entry(Kind.UNREADABLE, mode=status.mode, reason=status.reason)
    return Entry(status.kind, mode=status.mode)


def describe_failure(error: OSError) -> tuple[None, Entry] | None:
    """None for what is not there: of anything else it is not known whether it is."""
    if error.errno == errno.ENOENT:
        return None
    return None, Entry(Kind.UNREADABLE, reason=error.strerror or str(error))
