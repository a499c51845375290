"""Content of paths by the engine's archives: what no tool of the container has a say in.

Full container id and absolute paths in; path -> Entry, or None for a missing path, out. The
archive does not see tmpfs mounts; callers keep those paths away from here.
"""

import posixpath
import tarfile
from collections.abc import Collection, Iterator
from hashlib import sha256
from typing import IO

from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container.archive_roots import Root, below_link, plan, split
from freshd.model.errors import EngineFailed, HostPathGone, TargetGone
from freshd.model.files import Entry, Kind
from freshd.model.paths import ancestors

_CHUNK = 1024 * 1024
# What is asked for may lie beside gigabytes that are not (packages, data): a directory of more is
# taken apart, and those of its own that hold nothing of it are never fetched.
_MOST_AT_ONCE = 64 * 1024 * 1024
# The engine leaves out what it cannot put into a tar (a socket): absence is asked for again, for
# as many paths as this.
_CONFIRMED = 64


def read(engine: Engine, container_id: str, paths: Collection[str]) -> dict[str, Entry | None]:
    """Every path answered: its entry, UNREADABLE with the engine's words, or None for missing.

    Raises TargetGone when the container is gone, EngineUnavailable when the engine is, and
    HostPathGone where the engine must not be asked.
    """
    entries: dict[str, Entry | None] = {}
    pending = plan(paths)
    while pending:
        root = pending.pop()
        try:
            if root.whole:
                pending += _directory(engine, container_id, root, entries)
            else:
                entries[root.path] = _single(engine, container_id, root.path)
        except HostPathGone:
            raise  # there is no smaller part of it that may be asked for
        except (EngineFailed, tarfile.TarError) as error:
            smaller = split(root)
            if not smaller:
                entries[root.path] = Entry(Kind.UNREADABLE, reason=str(error))
            pending += smaller
    return entries


def has_name(path: str) -> bool:
    """Whether the engine can be asked for it: it takes only names that are UTF-8."""
    return not any("\udc80" <= character <= "\udcff" for character in path)


def members_below(
    engine: Engine, container_id: str, directory: str, *, limit: int | None = None
) -> Iterator[tuple[str, tarfile.TarInfo, IO[bytes] | None]]:
    """(absolute path, member, reader) of everything below a directory, itself excluded.

    A directory that is a link is followed; one that does not exist has nothing below it. Names are
    given below ``directory`` as it was asked for. EngineFailed for more than ``limit`` bytes of it.
    """
    actual = _resolved(engine, container_id, directory)
    if actual is None:
        return
    try:
        for member, reader in archive.get(engine, container_id, actual, limit=limit):
            path = _rebased(member.name, actual, directory)
            if path != directory:
                member.linkname = (
                    _rebased(member.linkname, actual, directory)
                    if member.islnk()
                    else member.linkname
                )
                yield path, member, reader
    except TargetGone:
        if _stat(engine, container_id, actual) is not None:
            raise


def _resolved(engine: Engine, container_id: str, directory: str) -> str | None:
    """The directory's real path in the container; None where it is no directory."""
    if directory == "/":
        return directory
    known = _stat(engine, container_id, directory)
    if known is not None and known.kind is Kind.LINK and known.link_target:
        directory = known.link_target
        known = _stat(engine, container_id, directory)
    return directory if known is not None and known.kind is Kind.DIR else None


def _rebased(name: str, actual: str, directory: str) -> str:
    """A member's name, which starts with the last component of what was fetched, made absolute."""
    if actual != "/":
        name = name.strip("/").partition("/")[2]
    return posixpath.normpath(posixpath.join(directory, name.lstrip("/") or "."))


def _directory(
    engine: Engine, container_id: str, root: Root, entries: dict[str, Entry | None]
) -> list[Root]:
    """Fill ``entries`` from one archive; what it could not answer comes back as further roots."""
    wanted = set(root.wanted)
    above = {parent for path in wanted for parent in ancestors(path)}
    links: set[str] = set()
    alone: set[str] = set()
    members: dict[str, Entry | None] = {}
    for path, member, reader in members_below(engine, container_id, root.path, limit=_MOST_AT_ONCE):
        if member.issym() and path in above:
            links.add(path)
        if path not in wanted:
            continue
        if not member.islnk():
            members[path] = _entry(member, reader)
        elif same := members.get(member.linkname):
            members[path] = same
        else:
            alone.add(path)
    entries |= members
    return [*_leftover(engine, container_id, wanted - members.keys() - alone, links, entries)] + [
        Root(path, (path,), whole=False) for path in alone
    ]


def _leftover(
    engine: Engine,
    container_id: str,
    absent: set[str],
    links: set[str],
    entries: dict[str, Entry | None],
) -> Iterator[Root]:
    """Paths that an archive did not have: behind a link inside it, or missing."""
    missing = set(absent)
    for link in links:
        root = below_link(link, absent)
        missing.difference_update(root.wanted)
        yield root
    entries |= dict.fromkeys(missing)
    if len(missing) > _CONFIRMED:
        return
    for path in missing:
        if _stat(engine, container_id, path) is not None:
            yield Root(path, (path,), whole=False)


def _stat(engine: Engine, container_id: str, path: str) -> archive.PathStat | None:
    """What a path is; None also where a parent is a file, which the engine calls a failure."""
    try:
        return archive.stat(engine, container_id, path)
    except EngineFailed:
        for parent in ancestors(path):
            try:
                known = archive.stat(engine, container_id, parent)
            except EngineFailed:
                continue
            if known is not None and known.kind in (Kind.FILE, Kind.OTHER):
                return None
            raise
        raise


def _single(engine: Engine, container_id: str, path: str) -> Entry | None:
    known = _stat(engine, container_id, path)
    if known is None:
        return None
    if known.kind not in (Kind.FILE, Kind.LINK):
        return Entry(known.kind, size=known.size, mode=known.mode)
    try:
        for member, reader in archive.get(engine, container_id, path):
            return _entry(member, reader)
    except TargetGone:
        if _stat(engine, container_id, path) is not None:
            raise
        return None
    raise EngineFailed(f"the engine's archive of {path} is empty")


def _entry(member: tarfile.TarInfo, reader: IO[bytes] | None) -> Entry:
    mode = member.mode & 0o7777
    if member.issym():
        text = member.linkname.encode("utf-8", "surrogateescape")
        return Entry(Kind.LINK, sha256(text).hexdigest(), len(text), mode)
    if member.isdir():
        return Entry(Kind.DIR, mode=mode)
    if reader is None:
        return Entry(Kind.OTHER, mode=mode)
    digest = sha256()
    while chunk := reader.read(_CHUNK):
        digest.update(chunk)
    return Entry(Kind.FILE, digest.hexdigest(), member.size, mode)
