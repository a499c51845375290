"""Read what paths in a container are right now, by the shell or, where there is none, by archive.

In: exact paths. Out: facts (type, mode, owner, mtime) and digests. Links are never followed.
"""

import hashlib
import tarfile
from collections.abc import Mapping, Sequence
from stat import S_IFDIR, S_IFLNK, S_IFREG
from typing import IO

from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container.shell_output import FileFacts
from freshd.engine.container.shell_session import ShellSession
from freshd.model.errors import EngineFailed
from freshd.model.files import Kind

_CHUNK = 1024 * 1024


def read_facts(
    engine: Engine, container_id: str, paths: Sequence[str], shell: ShellSession | None
) -> dict[str, FileFacts]:
    """What exists of ``paths``. Without a shell root is taken for a directory's owner."""
    if shell is not None and "stat" in shell.tools:
        return shell.stat(paths)
    facts = {}
    for path in paths:
        stat = archive.stat(engine, container_id, path)
        if stat is None:
            continue
        if stat.kind in (Kind.FILE, Kind.LINK):
            member = _header(engine, container_id, path)
            if member is not None:
                facts[path] = member
        else:
            kind = S_IFDIR if stat.kind is Kind.DIR else 0
            facts[path] = FileFacts(kind | stat.mode, 0, 0, stat.size, 0)
    return facts


def read_digests(
    engine: Engine,
    container_id: str,
    present: Mapping[str, FileFacts],
    shell: ShellSession | None,
) -> dict[str, str]:
    """sha256 of the files, and of the links' texts, among what ``read_facts`` found."""
    files = [path for path, fact in present.items() if fact.kind is Kind.FILE]
    links = [path for path, fact in present.items() if fact.kind is Kind.LINK]
    if shell is None:
        return _by_archive(engine, container_id, [*files, *links])
    digests = shell.hash(files, size=sum(present[path].size for path in files))
    for path in links:
        text = shell.read_link(path)
        if text is not None:
            digests[path] = hashlib.sha256(text).hexdigest()
    return digests


def _header(engine: Engine, container_id: str, path: str) -> FileFacts | None:
    try:
        for member, _ in archive.get(engine, container_id, path):
            return _facts_of(member)
    except EngineFailed:
        return None  # it vanished between two calls
    return None


def _facts_of(member: tarfile.TarInfo) -> FileFacts:
    kind = S_IFLNK if member.issym() else S_IFREG if member.isreg() else 0
    return FileFacts(
        kind | member.mode & 0o7777, member.uid, member.gid, member.size, int(member.mtime)
    )


def _by_archive(engine: Engine, container_id: str, paths: Sequence[str]) -> dict[str, str]:
    digests = {}
    for path in paths:
        try:
            # The reader is good only while its archive is open, so it is read in the loop.
            for member, reader in archive.get(engine, container_id, path):
                if member.issym():
                    text = member.linkname.encode("utf-8", "surrogateescape")
                    digests[path] = hashlib.sha256(text).hexdigest()
                elif reader is not None:
                    digests[path] = _digest(reader)
                break
        except EngineFailed:
            continue  # missing: the caller sees that there is no digest
    return digests


def _digest(reader: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := reader.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
