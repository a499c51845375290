"""The tar of an injection, and the staging directory it is unpacked into: rules 3, 4 and 6.

Files are unpacked at the top of the same mount (never beside the target, where a reloader would
see them), then renamed. The directory's name is freshd's own, so that what a killed run left can
be recognised and removed: ``/.freshd-<16 hex digits>/<n>/<name>``, with one ``<n>`` for each
directory that files go to.
"""

import os
import posixpath
import re
import secrets
import tarfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from freshd.act.write import rules
from freshd.act.write.job import Directory, Job
from freshd.act.write.writers import Writers
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container.spool import Spool, Spooled
from freshd.model.errors import EngineFailed, FreshdError
from freshd.model.files import Kind
from freshd.model.paths import ancestors

Member: TypeAlias = tuple[tarfile.TarInfo, Spooled | None]

_OURS = re.compile(re.escape(rules.STAGING_PREFIX) + r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class StagingArea:
    """``directory`` is absolute; ``places`` is final path -> staged path, in order, and
    ``destinations`` final path -> the directory of the container that it is moved to. That exists:
    what is missing below is staged, directories and all. ``numbers`` is destination -> directory
    in here. ``tar`` is to be closed by whoever sends it.
    """

    directory: str
    places: dict[str, str]
    destinations: dict[str, str]
    numbers: dict[str, str]
    tar: Spool

    def moves(self, jobs: Iterable[Job]) -> dict[str, list[str]]:
        """Destination -> the staged paths that go there, each a file or a whole directory."""
        moves: dict[str, dict[str, None]] = {}
        for job in jobs:
            to = self.destinations[job.path]
            first = self.places[job.path].removeprefix(self.numbers[to] + "/").partition("/")[0]
            moves.setdefault(to, {})[posixpath.join(self.numbers[to], first)] = None
        return {to: list(paths) for to, paths in moves.items()}

    @property
    def subdirectories(self) -> list[str]:
        return list(self.numbers.values())


def stage_files(
    top: str, jobs: Sequence[Job], missing: Sequence[Directory], movers: Mapping[str, int]
) -> StagingArea:
    """The archive for ``top`` that leaves every file in a staging directory.

    ``movers`` are the users other than root who move what goes to a destination: its directory in
    here is given to them, once all is in it, so that nobody is in the way while it is unpacked.
    """
    directory = posixpath.join(top, rules.STAGING_PREFIX + secrets.token_hex(8))
    absent = {each.path for each in missing}
    destinations = {job.path: destination_of(job.path, absent) for job in jobs}
    ordered = dict.fromkeys(destinations.values())
    numbers = {to: f"{directory}/{number}" for number, to in enumerate(ordered)}

    def place(path: str, to: str) -> str:
        return numbers[to] + path[len(to.rstrip("/")) :]

    places = {path: place(path, to) for path, to in destinations.items()}
    members = [_member(_private_directory(0o711 if movers else 0o700), directory, top)]
    members += [_member(_private_directory(), number, top) for number in numbers.values()]
    for each in missing:
        to = destination_of(each.path, absent)
        if to in numbers:
            members.append(_member(_directory_info(each), place(each.path, to), top))
    for job in jobs:
        if job.want.kind is Kind.FILE:
            members.append(_member(_file_info(job), places[job.path], top, job.content))
    for to, uid in movers.items():
        # root is of group 0, whatever capabilities it was left
        members.append(_member(_private_directory(0o770, uid), numbers[to], top))
    return StagingArea(directory, places, destinations, numbers, _tar(members))


def destination_of(path: str, absent: Collection[str]) -> str:
    """The nearest directory above that is not ``absent``."""
    return next((above for above in ancestors(path) if above not in absent), "/")


def pack_in_place(top: str, jobs: Sequence[Job], missing: Sequence[Directory]) -> Spool:
    """The archive for ``top`` with every file at its own place; to be closed. No directory is in it
    that exists: its owner, mode and time would become those of the archive.
    """
    members = [_member(_directory_info(directory), directory.path, top) for directory in missing]
    members += [_member(_file_info(job), job.path, top, job.content) for job in jobs]
    return _tar(members)


def clean(engine: Engine, container_id: str, writers: Writers, stage: StagingArea) -> None:
    """Remove the staging directory; what was not renamed goes with it."""
    if writers.root.remove_directories([*stage.subdirectories, stage.directory]):
        remove(engine, container_id, writers, stage.directory)


def clean_after_failure(
    engine: Engine, container_id: str, writers: Writers, stage: StagingArea
) -> None:
    """As `clean`, while another error is being raised: the next shell sweeps what stays."""
    try:
        remove(engine, container_id, writers, stage.directory)
    except FreshdError:
        engine.drop_shell(container_id)


def sweep(engine: Engine, container_id: str, writers: Writers, tops: Iterable[str]) -> int:
    """Remove what killed runs left at the tops of mounts; returns how many directories.

    Once per shell: whatever leaves a staging directory behind has lost its shell too.
    """
    removed, shell = 0, writers.root
    for top in tops:
        if top in shell.swept:
            continue
        for name in shell.list(top):
            if _OURS.fullmatch(name):
                remove(engine, container_id, writers, posixpath.join(top, name))
                removed += 1
        shell.swept.add(top)
    return removed


def remove(engine: Engine, container_id: str, writers: Writers, directory: str) -> None:
    """Remove one staging directory by the exact names in it. EngineFailed if something stays."""
    if not _OURS.fullmatch(posixpath.basename(directory)):
        raise EngineFailed(f"{directory} is no staging directory of freshd")
    problem = ""
    # With capabilities dropped root may not empty what it gave to the other, who may not remove it.
    for shell in filter(None, (writers.root, writers.own, writers.root)):
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
    info.mtime = directory.mtime
    return info


def _private_directory(mode: int = 0o700, uid: int = 0) -> tarfile.TarInfo:
    return _directory_info(Directory("", uid, 0, mode))


def _file_info(job: Job) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.uid, info.gid, info.mode = job.uid, job.gid, job.mode
    info.mtime, info.size = job.mtime, job.content.size
    return info


def _member(info: tarfile.TarInfo, path: str, top: str, content: Spooled | None = None) -> Member:
    info.name = path.removeprefix(top).lstrip("/")
    return info, content


def _tar(members: Iterable[Member]) -> Spool:
    spool = Spool()
    try:
        _fill(spool, members)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool


def _fill(spool: Spool, members: Iterable[Member]) -> None:
    with tarfile.open(
        fileobj=spool,
        mode="w",
        format=tarfile.PAX_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
    ) as tar:
        for info, content in members:
            # Rule 3 once more, at the last moment: plain files and directories, no odd bits.
            usual = 0o2777 if info.isdir() else 0o777  # what is made in a setgid directory is one
            plain = info.type in (tarfile.REGTYPE, tarfile.DIRTYPE) and not info.mode & ~usual
            if not plain or ".." in info.name.split("/") or info.name.startswith("/"):
                raise ValueError(f"not a safe archive member: {os.fsencode(info.name)!r}")
            tar.addfile(info, None if content is None else content.reader())
