"""The tar of an injection, and the staging directory it is unpacked into: rules 3, 4 and 6.

Files are unpacked at the top of the same mount (never beside the target, where a reloader would
see them), then renamed. The directory's name is freshd's own, so that what a killed run left can
be recognised and removed: ``/.freshd-<16 hex digits>/<n>/<name>``.
"""

import io
import os
import posixpath
import re
import secrets
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from freshd.act.write import rules
from freshd.act.write.prepare import Directory, Job
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container.shell_session import ShellSession
from freshd.model.errors import EngineFailed, FreshdError
from freshd.model.files import Kind

Member: TypeAlias = tuple[tarfile.TarInfo, bytes]

_OURS = re.compile(re.escape(rules.STAGING_PREFIX) + r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class StagingArea:
    """``directory`` is absolute; ``places`` is final path -> staged path, in order."""

    directory: str
    places: dict[str, str]
    tar: bytes

    @property
    def moves(self) -> dict[str, list[str]]:
        """Destination directory -> the staged paths that go there."""
        moves: dict[str, list[str]] = {}
        for final, path in self.places.items():
            moves.setdefault(posixpath.dirname(final), []).append(path)
        return moves

    @property
    def subdirectories(self) -> list[str]:
        return [posixpath.join(self.directory, str(n)) for n in range(len(self.moves))]


def stage_files(top: str, jobs: Sequence[Job], missing: Sequence[Directory]) -> StagingArea:
    """The archive for ``top`` that leaves every file in a staging directory."""
    directory = posixpath.join(top, rules.STAGING_PREFIX + secrets.token_hex(8))
    places_of: dict[str, str] = {}
    numbers: dict[str, str] = {}
    members = [_member(_directory_info(absent), absent.path, top) for absent in missing]
    members.append(_member(_private_directory(), directory, top))
    for job in jobs:
        parent, name = posixpath.split(job.path)
        if parent not in numbers:
            numbers[parent] = f"{directory}/{len(numbers)}"
            members.append(_member(_private_directory(), numbers[parent], top))
        places_of[job.path] = f"{numbers[parent]}/{name}"
        if job.want.kind is Kind.FILE:
            members.append(_member(_file_info(job), places_of[job.path], top, job.content))
    return StagingArea(directory, places_of, _tar(members))


def pack_in_place(top: str, jobs: Sequence[Job], missing: Sequence[Directory]) -> bytes:
    """The archive for ``top`` with every file at its own place."""
    members = [_member(_directory_info(directory), directory.path, top) for directory in missing]
    members += [_member(_file_info(job), job.path, top, job.content) for job in jobs]
    return _tar(members)


def clean(engine: Engine, container_id: str, shell: ShellSession, stage: StagingArea) -> None:
    """Remove the staging directory; what was not renamed goes with it."""
    if shell.remove_directories([*stage.subdirectories, stage.directory]):
        remove(engine, container_id, shell, stage.directory)


def clean_after_failure(
    engine: Engine, container_id: str, shell: ShellSession, stage: StagingArea
) -> None:
    """As `clean`, while another error is being raised: the next shell sweeps what stays."""
    try:
        remove(engine, container_id, shell, stage.directory)
    except FreshdError:
        engine.drop_shell(container_id)


def sweep(engine: Engine, container_id: str, shell: ShellSession, tops: Iterable[str]) -> int:
    """Remove what killed runs left at the tops of mounts; returns how many directories.

    Once per shell: whatever leaves a staging directory behind has lost its shell too.
    """
    removed = 0
    for top in tops:
        if top in shell.swept:
            continue
        for name in shell.list(top):
            if _OURS.fullmatch(name):
                remove(engine, container_id, shell, posixpath.join(top, name))
                removed += 1
        shell.swept.add(top)
    return removed


def remove(engine: Engine, container_id: str, shell: ShellSession, directory: str) -> None:
    """Remove one staging directory by the exact names in it. EngineFailed if something stays."""
    if not _OURS.fullmatch(posixpath.basename(directory)):
        raise EngineFailed(f"{directory} is no staging directory of freshd")
    if archive.stat(engine, container_id, directory) is None:
        return
    files: list[str] = []
    directories: list[str] = []
    for member, _ in archive.get(engine, container_id, directory):
        path = posixpath.join(posixpath.dirname(directory), member.name.rstrip("/"))
        (directories if member.isdir() else files).append(path)
    problem = shell.delete(files)
    problem += shell.remove_directories(sorted(directories, reverse=True))
    if problem:
        raise EngineFailed(f"the staging directory {directory} cannot be removed: {problem}")


def _directory_info(directory: Directory) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type = tarfile.DIRTYPE
    info.uid, info.gid, info.mode = directory.uid, directory.gid, directory.mode
    return info


def _private_directory() -> tarfile.TarInfo:
    return _directory_info(Directory("", 0, 0, 0o700))


def _file_info(job: Job) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.uid, info.gid, info.mode = job.uid, job.gid, job.mode
    info.mtime, info.size = job.mtime, len(job.content)
    return info


def _member(info: tarfile.TarInfo, path: str, top: str, content: bytes = b"") -> Member:
    info.name = path.removeprefix(top).lstrip("/")
    return info, content


def _tar(members: Iterable[Member]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer,
        mode="w",
        format=tarfile.PAX_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
    ) as tar:
        for info, content in members:
            # Rule 3 once more, at the last moment: plain files and directories, no odd bits.
            plain = info.type in (tarfile.REGTYPE, tarfile.DIRTYPE) and not info.mode & ~0o777
            if not plain or ".." in info.name.split("/") or info.name.startswith("/"):
                raise ValueError(f"not a safe archive member: {os.fsencode(info.name)!r}")
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
