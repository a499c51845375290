"""Archives in and out of a container, and what one path is. The only PUT of the program is here.

In: a full container id, an absolute path, a plain tar. Out: tar members, ``PathStat``.
A container's ``/tmp`` and the engine's lock are shared with others, so every call is bounded.
"""

import base64
import json
import os
import posixpath
import socket
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from freshd.engine import inspect
from freshd.engine.client import Engine
from freshd.engine.container.host_paths import spare_the_host
from freshd.engine.container.spool import Spool
from freshd.engine.transport import http as wire
from freshd.engine.transport import sdk_errors
from freshd.model.errors import EngineFailed, FreshdError, NoRoom, OutcomeUnknown, TargetGone
from freshd.model.files import Kind

if TYPE_CHECKING:
    import http.client

_MIB = 1024 * 1024
_PUT_BASE_SECONDS = 5.0
_PUT_BYTES_PER_SECOND = 10 * 1000 * 1000
_GET_SECONDS = 300.0

# Go's os.FileMode bits, as the engine reports them.
_GO_DIR = 1 << 31
_GO_SYMLINK = 1 << 27
_GO_SPECIAL = (1 << 26) | (1 << 25) | (1 << 24) | (1 << 21) | (1 << 19)
_GO_SETUID, _GO_SETGID, _GO_STICKY = 1 << 23, 1 << 22, 1 << 20


@dataclass(frozen=True, slots=True)
class PathStat:
    """What one path is, links not followed; size in bytes, ``mode`` the bits 0o7777.

    ``modified`` is in unix seconds.
    """

    kind: Kind
    size: int
    mode: int
    link_target: str = ""
    modified: float = 0.0


def put(engine: Engine, container_id: str, *, path: str, tar: IO[bytes]) -> None:
    """Unpacks a complete, uncompressed tar below ``path``, an existing directory.

    The engine's 200 proves nothing (safety rule 5): read back what was written. Raises TargetGone,
    EngineFailed, and OutcomeUnknown when no answer came within 5 s and 1 s per 10 MB.
    """
    what = f"writing to {path} in {container_id[:12]}"
    spare_the_host(engine, container_id, what)
    size = tar.seek(0, os.SEEK_END)
    if not _is_whole(tar, size):
        raise EngineFailed(f"{what}: the archive is not a complete plain tar")
    parameters = wire.query(path=path, noOverwriteDirNonDir="true")
    target = f"/v{engine.api_version}/containers/{wire.segment(container_id)}/archive?{parameters}"
    with engine.mutating(container_id, what):
        deadline = time.monotonic() + _PUT_BASE_SECONDS + size / _PUT_BYTES_PER_SECOND
        try:
            answer = wire.request(
                engine.endpoint,
                "PUT",
                target,
                deadline=deadline,
                body=tar,
                length=size,
                content_type="application/x-tar",
            )
        except wire.EarlyAnswerError as error:
            if error.answer.status < 400:
                raise OutcomeUnknown(f"{what}: the engine stopped reading") from error
            answer = error.answer
    if answer.status != 200:
        raise _refusal(engine, container_id, what, answer.status, answer.body)


def _is_whole(tar: IO[bytes], size: int) -> bool:
    """Whether it ends as a tar does, which is not compressed. It stands at its beginning then."""
    end = 2 * tarfile.BLOCKSIZE
    if size < end or size % tarfile.BLOCKSIZE:
        return False
    tar.seek(size - end)
    empty = not any(tar.read(end))
    tar.seek(0)
    return empty


def get(
    engine: Engine, container_id: str, path: str, *, limit: int | None = None
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """The members of ``path``: each with a reader for regular files, else None.

    Names start with the last component of ``path``. The whole archive is drained before the first
    member is handed out, because an open one holds the engine's lock on the container. Raises
    TargetGone for a container, EngineFailed for a path that is not there and for an archive of more
    than ``limit`` bytes.
    """
    with Spool() as spool:
        try:
            _drain(engine, container_id, path, spool, limit)
            spool.seek(0)
        except NoRoom as error:
            what = f"reading {path} in {container_id[:12]}"
            raise EngineFailed(f"{what}: {error.message}", hint=error.hint) from error
        try:
            with tarfile.open(
                fileobj=spool, mode="r:", encoding="utf-8", errors="surrogateescape"
            ) as tar:
                for member in tar:
                    yield member, tar.extractfile(member) if member.isreg() else None
        except tarfile.TarError as error:
            raise EngineFailed(
                f"reading {path} in {container_id[:12]}: the engine's archive is broken: {error}"
            ) from error


def head(engine: Engine, container_id: str, path: str) -> tarfile.TarInfo | None:
    """What the archive of ``path`` says of it: kind, owner, mode, time; its own link is not
    followed. None: nothing that fits into an archive.

    Only the beginning is read, however much lies below. Raises TargetGone for a container,
    EngineFailed for a path that is not there.
    """
    with _answered(engine, container_id, path) as (_, response):
        try:
            with tarfile.open(
                fileobj=response, mode="r|", encoding="utf-8", errors="surrogateescape"
            ) as tar:
                return tar.next()
        except tarfile.TarError:
            _check_whole(response)
            return None


def stat(engine: Engine, container_id: str, path: str) -> PathStat | None:
    """What ``path`` is; its parents' links are followed, its own is not. None: no such path.

    Raises TargetGone when the container does not exist.
    """
    what = f"looking at {path} in {container_id[:12]}"
    spare_the_host(engine, container_id, what)
    target = _archive_url(engine, container_id, path)
    with sdk_errors.translated(engine.endpoint, what):
        answer = wire.request(
            engine.endpoint, "HEAD", target, deadline=time.monotonic() + engine.timeout
        )
        encoded = answer.headers.get("x-docker-container-path-stat")
        if answer.status == 200 and encoded:
            return _path_stat(json.loads(base64.b64decode(encoded)))
    if answer.status == 404:
        engine.replica(container_id)  # TargetGone, when it is not only the path that is missing
        return None
    raise _refusal(engine, container_id, what, answer.status, answer.body)


def _drain(
    engine: Engine, container_id: str, path: str, spool: IO[bytes], limit: int | None
) -> None:
    deadline = time.monotonic() + _GET_SECONDS
    with _answered(engine, container_id, path) as (sock, response):
        engine.at_work()
        while True:
            sock.settimeout(min(wire.left(deadline), engine.timeout))
            chunk = response.read(_MIB)
            if not chunk:
                break
            spool.write(chunk)
            if limit is not None and spool.tell() > limit:
                raise EngineFailed(f"reading {path} in {container_id[:12]}: over {limit} bytes")
        _check_whole(response)


def _check_whole(response: "http.client.HTTPResponse") -> None:
    """A short read at the end of the connection is no error to the library."""
    if response.length:
        raise ConnectionResetError("the engine's answer broke off")


@contextmanager
def _answered(
    engine: Engine, container_id: str, path: str
) -> Iterator[tuple[socket.socket, "http.client.HTTPResponse"]]:
    """The engine's archive of ``path``, on its way."""
    what = f"reading {path} in {container_id[:12]}"
    spare_the_host(engine, container_id, what)
    with sdk_errors.translated(engine.endpoint, what):
        sock, response = wire.stream(
            engine.endpoint,
            _archive_url(engine, container_id, path),
            deadline=time.monotonic() + engine.timeout,
        )
        with sock, response:
            if response.status != 200:
                body = response.read(64 * 1024)
                raise _refusal(engine, container_id, what, response.status, body)
            yield sock, response


def _refusal(engine: Engine, container_id: str, what: str, status: int, body: bytes) -> FreshdError:
    """The engine says 404 for a container and for a path alike; inspection tells them apart."""
    if status != 404:
        return sdk_errors.of_status(status, _message(body), what, engine.endpoint)
    try:
        engine.replica(container_id)
    except TargetGone as gone:
        return gone
    return EngineFailed(f"{what}: not found")


def _archive_url(engine: Engine, container_id: str, path: str) -> str:
    container = wire.segment(container_id)
    parameters = wire.query(path=posixpath.normpath(path))
    return f"/v{engine.api_version}/containers/{container}/archive?{parameters}"


def _path_stat(data: dict[str, object]) -> PathStat:
    mode = int(str(data["mode"]))
    if mode & _GO_SYMLINK:
        kind = Kind.LINK
    elif mode & _GO_DIR:
        kind = Kind.DIR
    elif mode & _GO_SPECIAL:
        kind = Kind.OTHER
    else:
        kind = Kind.FILE
    bits = mode & 0o777
    for flag, bit in ((_GO_SETUID, 0o4000), (_GO_SETGID, 0o2000), (_GO_STICKY, 0o1000)):
        bits |= bit if mode & flag else 0
    modified = inspect.seconds(str(data.get("mtime") or ""))
    link = str(data.get("linkTarget") or "")
    return PathStat(kind, int(str(data["size"])), bits, link, modified)


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace")
