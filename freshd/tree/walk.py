"""Walk a tree and open what is in it, without ever following a link.

In: a root directory. Out: ``FileStat`` values, and file descriptors of paths proved to be beneath
it. A walk opens only directories; fifos, sockets and devices are reported and never opened.
"""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from freshd.model.errors import FreshdError
from freshd.model.files import Kind

Skip: TypeAlias = Callable[[str, Kind], bool]

_PATH_ONLY: Final = getattr(os, "O_PATH", os.O_RDONLY)
_DIRECTORY: Final = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
_KINDS: Final = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.DIR, stat.S_IFLNK: Kind.LINK}


class RootGone(FreshdError):
    """The root of a tree is missing, no directory, or cannot be read: nothing is known of it."""

    def __init__(self, root: str, reason: str) -> None:
        super().__init__(f"cannot read the directory {root}: {reason}")
        self.reason = reason


class FileStat(NamedTuple):
    """One path below a root, as lstat says; ``reason`` says why a directory is UNREADABLE."""

    path: str
    kind: Kind
    size: int
    mode: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int
    reason: str = ""


def walk_everything(path: str, kind: Kind) -> bool:  # noqa: ARG001 - the shape of a Skip
    """A ``skip`` that leaves nothing out."""
    return False


def walk(root: str, *, skip: Skip = walk_everything) -> Iterator[FileStat]:
    """Yield everything below ``root`` once, in byte order of the path.

    A directory sorts as if its name ended in '/', right before what it holds. ``skip(path, kind)``
    leaves a path out, and for a directory all below it. What cannot be listed is UNREADABLE, what
    vanished meanwhile is left out. Raises RootGone when the root itself cannot be listed.
    """
    return (status for status, _ in _walk(root, skip, names=False) if status is not None)


def walk_names(
    root: str, *, skip: Skip = walk_everything
) -> Iterator[tuple[FileStat | None, Sequence[str]]]:
    """The same without a stat of regular files, which takes half the time.

    Yields the root (None) and everything below it but regular files; with a directory come the
    paths of those that lie in it, in no order.
    """
    return _walk(root, skip, names=True)


def _walk(root: str, skip: Skip, *, names: bool) -> Iterator[tuple[FileStat | None, Sequence[str]]]:
    try:
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise RootGone(root, error.strerror or str(error)) from error
    levels = [_Level(fd, "", names=names)]
    try:
        levels[0].read(skip)
    except OSError as error:
        os.close(fd)
        raise RootGone(root, error.strerror or str(error)) from error
    try:
        yield None, levels[0].files
        while levels:
            level = levels[-1]
            if not level.waiting:
                os.close(levels.pop().fd)
                continue
            status = level.waiting.pop()
            below = _enter(level, status, skip) if status.kind is Kind.DIR else None
            if isinstance(below, _Level):
                levels.append(below)
                yield status, below.files
            elif status.kind is not Kind.DIR:
                yield status, ()
            elif below is not None and not skip(below.path, below.kind):
                yield below, ()
    finally:
        for level in levels:
            os.close(level.fd)


def make_stat(path: str, status: os.stat_result) -> FileStat:
    """The FileStat of a stat result."""
    return FileStat(
        path,
        classify(status.st_mode),
        status.st_size,
        status.st_mode & 0o7777,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    )


def classify(mode: int) -> Kind:
    """What an ``st_mode`` is."""
    return _KINDS.get(mode & 0o170000, Kind.OTHER)


def open_directory(root: str, path: str) -> int:
    """Open the directory ``path`` ("" is the root) beneath ``root``, for use as a ``dir_fd``.

    Leading '..' in ``path`` climb from ``root`` by name first. Raises OSError; ELOOP or ENOTDIR
    where a component is a link.
    """
    root, path = climb(root, path)
    top = os.open(root, _PATH_ONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if not path:
        return top
    try:
        return _open_at(top, path, _PATH_ONLY | _DIRECTORY)
    finally:
        os.close(top)


def open_beneath(root: str, path: str) -> int:
    """Open the regular file ``path`` beneath ``root`` for reading; no link on the way is followed.

    Leading '..' climb from ``root`` by name first. Raises OSError: EINVAL for anything that is not
    a regular file, ELOOP for a link, ENOENT and so on as open(2) does.
    """
    parent, _, name = path.rpartition("/")
    directory = open_directory(root, parent)
    try:
        if not stat.S_ISREG(os.stat(name or ".", dir_fd=directory, follow_symlinks=False).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", name)
        return open_file(name, directory)[0]
    finally:
        os.close(directory)


def open_file(name: str, directory: int) -> tuple[int, os.stat_result]:
    """Open what was just seen to be a regular file of an open directory, and its stat.

    Never blocks, never gives a link, fifo or device: the name may have become one since.
    """
    if name in ("", ".", "..") or "/" in name:
        raise OSError(errno.EINVAL, "not a file name", name)
    fd = os.open(name, _FILE, dir_fd=directory)
    status = os.fstat(fd)
    if stat.S_ISREG(status.st_mode):
        return fd, status
    os.close(fd)
    raise OSError(errno.EINVAL, "not a regular file", name)


def climb(root: str, path: str) -> tuple[str, str]:
    """Take leading '..' off ``path`` by shortening ``root``, as Compose resolves paths by name."""
    while path == ".." or path.startswith("../"):
        root = os.path.dirname(os.path.abspath(root))
        path = path[3:]
    if ".." in path.split("/") or path.startswith("/"):
        raise OSError(errno.EINVAL, "not a path beneath the root", path)
    return root, path


class _Level:
    """One open directory of a walk: its descriptor, its paths' prefix, what is left of it.

    With ``names`` its regular files are in ``files``, else they wait with all else.
    """

    __slots__ = ("fd", "files", "names", "prefix", "waiting")

    def __init__(self, fd: int, prefix: str, *, names: bool) -> None:
        self.fd = fd
        self.prefix = prefix
        self.names = names
        self.files: list[str] = []
        self.waiting: list[FileStat] = []

    def read(self, skip: Skip) -> None:
        """List the directory, last in order first, so that the walk pops it from the end."""
        names, prefix, waiting, files = self.names, self.prefix, self.waiting, self.files
        with os.scandir(self.fd) as entries:
            for entry in entries:
                path = prefix + entry.name
                if names and _is_file(entry):
                    if skip is walk_everything or not skip(path, Kind.FILE):
                        files.append(path)
                    continue
                status = _stat_entry(entry, path)
                if status is not None and not skip(path, status.kind):
                    waiting.append(status)
        plain = all(status.path.isascii() for status in waiting)
        waiting.sort(key=_sort_key if plain else _byte_order, reverse=True)


def _stat_entry(entry: "os.DirEntry[str]", path: str) -> FileStat | None:
    try:
        return make_stat(path, entry.stat(follow_symlinks=False))
    except OSError as error:
        if error.errno in _GONE:
            return None  # vanished between the listing and the stat
        return FileStat(path, Kind.UNREADABLE, 0, 0, 0, 0, 0, 0, error.strerror or str(error))


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False  # the stat that is made then says why


def _enter(parent: _Level, status: FileStat, skip: Skip) -> "_Level | FileStat | None":
    """Open a directory; else what it is now, UNREADABLE with a reason, or None when it is gone."""
    name = status.path.rpartition("/")[2]
    try:
        fd = os.open(name, os.O_RDONLY | _DIRECTORY, dir_fd=parent.fd)
    except OSError as error:
        return _not_entered(parent.fd, status, error)
    level = _Level(fd, status.path + "/", names=parent.names)
    try:
        level.read(skip)
    except OSError as error:
        os.close(level.fd)
        return _unreadable(status, error)
    return level


def _not_entered(parent: int, status: FileStat, error: OSError) -> FileStat | None:
    if error.errno not in _GONE:
        return _unreadable(status, error)
    name = status.path.rpartition("/")[2]
    try:
        now = make_stat(status.path, os.stat(name, dir_fd=parent, follow_symlinks=False))
    except OSError as again:
        return None if again.errno == errno.ENOENT else _unreadable(status, again)
    if now.kind is Kind.DIR:
        return now._replace(kind=Kind.UNREADABLE, reason="changes while it is read")
    return now


def _unreadable(status: FileStat, error: OSError) -> FileStat:
    return status._replace(kind=Kind.UNREADABLE, reason=error.strerror or str(error))


def _sort_key(status: FileStat) -> str:
    return status.path + "/" if status.kind is Kind.DIR else status.path


def _byte_order(status: FileStat) -> bytes:
    return os.fsencode(_sort_key(status))


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


_SYS_OPENAT2: Final = 437  # the same number on every Linux architecture
_NO_LINKS_BENEATH: Final = 0x04 | 0x08  # RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _open_at(top: int, path: str, flags: int) -> int:
    if _libc is not None:
        how = _OpenHow(flags, 0, _NO_LINKS_BENEATH)
        encoded = os.fsencode(path)
        size = ctypes.sizeof(how)
        fd = int(_libc.syscall(_SYS_OPENAT2, top, encoded, ctypes.byref(how), size))
        if fd >= 0:
            return fd
        code = ctypes.get_errno()
        # an old kernel, a seccomp filter, a lost race, a very long path: go by component
        if code not in (errno.ENOSYS, errno.EPERM, errno.EAGAIN, errno.ENAMETOOLONG):
            raise OSError(code, os.strerror(code), path)
    return _open_by_component(top, path, flags)


def _open_by_component(top: int, path: str, flags: int) -> int:
    """The same by one O_NOFOLLOW open per component, for kernels without openat2."""
    fd = os.dup(top)
    names = path.split("/")
    try:
        for name in names[:-1]:
            below = os.open(name, _PATH_ONLY | _DIRECTORY, dir_fd=fd)
            os.close(fd)
            fd = below
        return os.open(names[-1], flags, dir_fd=fd)
    finally:
        os.close(fd)
