"""Read what paths in a container are right now. Links are never followed.

In: exact paths. Out: before a write facts (type, mode, owner, mtime) and digests, by the shell,
and by archive what it cannot see; after a write entries, by archive: no tool of the container has
a say in whether a write came through.
"""

import hashlib
import tarfile
from collections.abc import Collection, Mapping, Sequence
from stat import S_IFDIR, S_IFLNK, S_IFREG
from typing import IO

from freshd.engine.client import Engine
from freshd.engine.container import archive, contents
from freshd.engine.container.shell_output import FileFacts
from freshd.engine.container.shell_session import ShellSession
from freshd.model.errors import EngineFailed
from freshd.model.files import Entry, Kind

_CHUNK = 1024 * 1024


def read_facts(
    engine: Engine, container_id: str, paths: Sequence[str], shell: ShellSession | None
) -> dict[str, FileFacts]:
    """What exists of ``paths``. What the shell does not see may be hidden from it: then the engine
    is asked, which sees all.
    """
    facts: dict[str, FileFacts] = {}
    unseen: Collection[str] = paths
    if shell is not None and "stat" in shell.tools:
        facts = shell.stat(paths)
        absent = [path for path in paths if path not in facts]
        unseen = shell.look(absent)[1] if absent else ()
    for path in unseen:
        known = _by_header(engine, container_id, path)
        if known is not None:
            facts[path] = known
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
    digests: dict[str, str] = {}
    if shell is not None:
        digests = shell.hash(files, size=sum(present[path].size for path in files))
        for path in links if "readlink" in shell.tools else ():
            text = shell.read_link(path)
            if text is not None:
                digests[path] = hashlib.sha256(text).hexdigest()
    unseen = [path for path in (*files, *links) if path not in digests]
    return digests | _by_archive(engine, container_id, unseen)


def read_entries(
    engine: Engine, container_id: str, paths: Sequence[str], shell: ShellSession | None
) -> dict[str, Entry | None]:
    """What the engine says of ``paths``; the shell where it cannot be asked by such a name."""
    named = [path for path in paths if contents.has_name(path)]
    entries = contents.read(engine, container_id, named)
    others = [path for path in paths if path not in entries]
    if others and shell is not None:
        present = read_facts(engine, container_id, others, shell)
        digests = read_digests(engine, container_id, present, shell)
        for path, fact in present.items():
            entries[path] = Entry(fact.kind, digests.get(path, ""), fact.size, fact.mode)
    return entries


def _by_header(engine: Engine, container_id: str, path: str) -> FileFacts | None:
    stat = archive.stat(engine, container_id, path)
    if stat is None:
        return None
    if stat.kind is Kind.OTHER:
        return FileFacts(stat.mode, 0, 0, stat.size, 0)
    try:
        member = archive.head(engine, container_id, path)
    except EngineFailed:
        return None  # it vanished between two calls
    return None if member is None else _facts_of(member)


def _facts_of(member: tarfile.TarInfo) -> FileFacts:
    kinds = ((member.issym(), S_IFLNK), (member.isreg(), S_IFREG), (member.isdir(), S_IFDIR))
    kind = next((bits for is_kind, bits in kinds if is_kind), 0)
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
