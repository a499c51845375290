"""Which files are below a directory, and a cheap way to know that this is still so.

In: a directory and what to leave out. Out: a ``Listing``: kinds, link texts, and the stamp of every
directory listed. No name can appear or vanish without its directory's stamp changing.
"""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from freshd.model.files import Kind
from freshd.tree.dockerignore import DockerIgnore
from freshd.tree.hashing import moved_lately
from freshd.tree.ignore import WatchIgnore
from freshd.tree.walk import FileStat, Skip, make_stat, open_directory, walk_everything, walk_names

Stamp: TypeAlias = tuple[int, int, int, int, int] | None
"""mtime, ctime, size, inode, and 0; None for what is not there. The last is not 0 where it changed
so lately that the next change might not show: then it never equals a stamp taken again."""


@dataclass(frozen=True, slots=True)
class Listing:
    """``files`` and ``links`` are relative to the directory; ``stamps`` are by absolute path.

    ``unreadable``: directories that exist and could not be listed -> why.
    """

    files: Mapping[str, Kind] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)


def list_context(directory: str, ignore: DockerIgnore) -> Listing:
    """What of a build context the builder is sent. Raises RootGone."""
    if not ignore.patterns:
        return list_below(directory, walk_everything)
    entered: set[str] = set()

    def skip(path: str, kind: Kind) -> bool:
        if not ignore.excludes(path):
            return False
        if kind is Kind.DIR and ignore.may_reinclude_below(path):
            entered.add(path)
            return False
        return True

    listed = list_below(directory, skip)
    if not entered:
        return listed
    # an excluded directory is sent only for what a "!" line takes back in below it
    needed = {parent for path in listed.files if path not in entered for parent in _parents(path)}
    files = {
        path: kind for path, kind in listed.files.items() if path not in entered or path in needed
    }
    return Listing(files, listed.links, listed.stamps, listed.unreadable)


def list_watched(directory: str, *, base: str, watch: WatchIgnore) -> Listing:
    """The files below a directory that is in ``base``, the root of ``watch``. Raises RootGone."""
    below = os.path.relpath(directory, base)
    prefix = "" if below == "." else f"{below}/"

    def skip(path: str, kind: Kind) -> bool:
        return watch.skip(prefix + path, kind)

    return list_below(directory, skip)


def list_below(directory: str, skip: Skip) -> Listing:
    """Everything below ``directory`` that ``skip`` does not leave out. Raises RootGone."""
    now = time.time_ns()
    files: dict[str, Kind] = {}
    links: list[str] = []
    unreadable: dict[str, str] = {}
    stamps: dict[str, Stamp] = {directory: stamp(directory, now=now)}
    top = directory.rstrip("/")
    for status, plain in walk_names(directory, skip=skip):
        if status is None:
            pass  # the directory itself
        elif status.kind is Kind.UNREADABLE:
            unreadable[status.path] = status.reason
        else:
            files[status.path] = status.kind
            if status.kind is Kind.LINK:
                links.append(status.path)
            elif status.kind is Kind.DIR:
                stamps[f"{top}/{status.path}"] = _make_stamp(status, now)
        files.update(dict.fromkeys(plain, Kind.FILE))
    return Listing(files, _link_texts(directory, links), stamps, unreadable)


def stamp(path: str, *, now: int = 0, follow: bool = False) -> Stamp:
    """The stamp of one path; ``now`` (wall clock, ns) only where the stamp is to be kept.

    ``follow``: of what a link leads to, not of the link.
    """
    try:
        return _make_stamp(make_stat(path, os.stat(path, follow_symlinks=follow)), now)
    except OSError:
        return None


def stamp_again(known: Iterable[str]) -> dict[str, Stamp]:
    """The stamps of these paths now, to be compared with those kept."""
    return {path: stamp(path) for path in known}


def _make_stamp(status: FileStat, now: int) -> Stamp:
    lately = now if now and moved_lately(status.ctime_ns, status.ctime_ns, now) else 0
    return status.mtime_ns, status.ctime_ns, status.size, status.inode, lately


def _parents(path: str) -> Iterable[str]:
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def _link_texts(directory: str, links: Iterable[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in links:
        parent, _, name = path.rpartition("/")
        try:
            fd = open_directory(directory, parent)
        except OSError:
            continue  # moved since the walk: its stamp will differ when it is listed again
        try:
            texts[path] = os.readlink(name, dir_fd=fd)
        except OSError:
            continue
        finally:
            os.close(fd)
    return texts
