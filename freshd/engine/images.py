"""Images from the inside: a probe container that never runs, and the layers of `image save`."""

import gzip
import hashlib
import json
import os
import socket
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from freshd.engine.client import Engine
from freshd.engine.transport import http, sdk_errors
from freshd.model.errors import EngineFailed, FreshdError, TargetGone
from freshd.model.observed.image import HistoryEntry
from freshd.model.paths import absolute

PROBE_LABEL = "dev.freshd.probe"
_SAVE_SECONDS = 900.0
_PROBE_SECONDS = 3600.0
_CHUNK = 1024 * 1024
_CONFIG_LIMIT = 8 * _CHUNK
_ZSTD = b"\x28\xb5\x2f\xfd"


@contextmanager
def probe_container(engine: Engine, image_id: str) -> Iterator[str]:
    """A container of the image, created and never started, for reading its files by archive.

    It has no network and a label, and goes away with its anonymous volumes. Raises TargetGone
    where there is no such image.
    """
    with sdk_errors.translated(engine.endpoint, f"creating a probe of {image_id[:19]}"):
        config = engine.api.create_container_config(
            image_id,
            # Never run; but an image without CMD and ENTRYPOINT needs one to be created.
            command=["/freshd-probe-is-never-started"],
            entrypoint=[],
            labels={PROBE_LABEL: _owner()},
            network_disabled=True,
            host_config=engine.api.create_host_config(network_mode="none"),
        )
        created = engine.api.create_container_from_config(config)
    container_id = str(created["Id"])
    try:
        yield container_id
    finally:
        _remove(engine, container_id)


def remove_stale_probes(engine: Engine) -> int:
    """Removes the probes a killed freshd left; how many. Only containers that never started.

    A probe that a freshd of this machine is using stays; so does, for an hour, one of another's.
    """
    removed = 0
    filters = {"label": [PROBE_LABEL], "status": ["created"]}
    with sdk_errors.translated(engine.endpoint, "listing probes"):
        found = engine.api.containers(all=True, filters=filters)
    for item in found:
        owner = str((item.get("Labels") or {}).get(PROBE_LABEL, ""))
        if _in_use(owner, age=time.time() - float(item.get("Created") or 0)):
            continue
        _remove(engine, str(item["Id"]))
        removed += 1
    return removed


def _owner() -> str:
    """This process among all that may share the engine."""
    return f"{socket.gethostname()} {os.getpid()}"


def _in_use(owner: str, *, age: float) -> bool:
    host, _, pid = owner.rpartition(" ")
    if age > _PROBE_SECONDS:
        return False
    if host != socket.gethostname() or not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's freshd
    return True


class SavedImage:
    """Iterate it once: (diff id of the layer, member, digest) for every member of every layer.

    Members come layer by layer, the layers in whatever order the engine stores them; contents are
    not kept. ``digest`` is the sha256 of a file that was to be hashed, "" of all else; a hard link
    has that of the file it names, if that was hashed before it in the same layer. Once the
    iteration is over, ``layers`` are the image's diff ids, lowest first, and ``history`` is exact,
    oldest first: its lines that are not ``empty`` belong to them in order.
    """

    def __init__(
        self,
        engine: Engine,
        image_id: str,
        keep: Callable[[tarfile.TarInfo], bool] | None,
        hashed: Callable[[tarfile.TarInfo], bool] | None,
    ) -> None:
        self._engine = engine
        self._image_id = image_id
        self._keep = keep
        self._hashed = hashed
        self.layers: tuple[str, ...] = ()
        self.history: tuple[HistoryEntry, ...] = ()

    def __iter__(self) -> Iterator[tuple[str, tarfile.TarInfo, str]]:
        what = f"saving image {self._image_id[:19]}"
        engine = self._engine
        with sdk_errors.translated(engine.endpoint, what):
            found = engine.api.inspect_image(self._image_id)
        self.layers = tuple((found.get("RootFS") or {}).get("Layers") or ())
        deadline = time.monotonic() + _SAVE_SECONDS
        target = f"/v{engine.api_version}/images/{http.segment(self._image_id)}/get"
        try:
            sock, response = http.stream(engine.endpoint, target, deadline=deadline)
        except OSError as error:
            raise sdk_errors.unavailable(engine.endpoint, error) from error
        with sock, response:
            if response.status != 200:
                text = response.read(65536).decode("utf-8", "replace")
                raise sdk_errors.of_status(response.status, text, what, engine.endpoint)
            try:
                with tarfile.open(fileobj=response, mode="r|", bufsize=_CHUNK) as outer:
                    for member in outer:
                        blob = outer.extractfile(member) if member.isreg() else None
                        if blob is not None:
                            yield from self._blob(member, blob)
            except (OSError, *sdk_errors.UNREADABLE) as error:
                raise EngineFailed(f"{what}: the stream broke off: {error!r}") from error
        if not self.history:
            raise EngineFailed(f"{what}: no image configuration in the stream")

    def _blob(
        self, member: tarfile.TarInfo, blob: IO[bytes]
    ) -> Iterator[tuple[str, tarfile.TarInfo, str]]:
        head = blob.read(512)
        if head[:1] in (b"{", b"["):
            if member.size <= _CONFIG_LIMIT:
                self._configuration(head + blob.read())
            return
        if head[:4] == _ZSTD:
            raise EngineFailed(f"a layer of {self._image_id[:19]} is compressed with zstd")
        is_gzip = head[:2] == b"\x1f\x8b"
        is_tar = len(head) == 512 and (head[257:262] == b"ustar" or not any(head))
        if not (is_gzip or is_tar):
            return  # VERSION, oci-layout and their like
        source: Any = _Joined(head, blob)  # all that gzip and tarfile call of it is `read`
        reader = _Hashing(gzip.GzipFile(fileobj=source) if is_gzip else source)
        members = self._members(reader)
        diff_id = reader.finish()
        for info, digest in members:
            yield diff_id, info, digest

    def _members(self, reader: Any) -> list[tuple[tarfile.TarInfo, str]]:
        with tarfile.open(
            fileobj=reader, mode="r|", bufsize=_CHUNK, encoding="utf-8", errors="surrogateescape"
        ) as layer:
            members: list[tuple[tarfile.TarInfo, str]] = []
            digests: dict[str, str] = {}
            for info in layer:
                layer.members = []  # type: ignore[attr-defined]  # tarfile would keep them all
                if self._keep is not None and not self._keep(info):
                    continue
                if info.isreg() and self._hashed is not None and self._hashed(info):
                    digests[absolute(info.name)] = _hash(layer, info)
                named = info.linkname if info.islnk() else info.name
                members.append((info, digests.get(absolute(named), "")))
        return members

    def _configuration(self, text: bytes) -> None:
        """With containerd's image store there are those of attestations and other platforms too."""
        try:
            data: Any = json.loads(text)
        except ValueError:
            return
        if not isinstance(data, dict) or "rootfs" not in data or "config" not in data:
            return
        layers = tuple(data["rootfs"].get("diff_ids") or ())
        if layers == self.layers:
            self.history = tuple(
                HistoryEntry(str(line.get("created_by") or ""), bool(line.get("empty_layer")))
                for line in data.get("history") or ()
            ) or tuple(HistoryEntry("") for _ in layers)


def save(
    engine: Engine,
    image_id: str,
    *,
    keep: Callable[[tarfile.TarInfo], bool] | None = None,
    hashed: Callable[[tarfile.TarInfo], bool] | None = None,
) -> SavedImage:
    """Streams `image save`; ``keep`` says which members matter, so the others cost no memory, and
    ``hashed`` of which of these the content is wanted.

    Iterating raises TargetGone (no such image), EngineUnavailable, EngineFailed.
    """
    return SavedImage(engine, image_id, keep, hashed)


def _hash(layer: tarfile.TarFile, info: tarfile.TarInfo) -> str:
    digest = hashlib.sha256()
    content = layer.extractfile(info)
    while content is not None and (data := content.read(_CHUNK)):
        digest.update(data)
    return digest.hexdigest()


class _Joined:
    """The bytes that were looked at, then the rest."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._rest.read(size)
        if size < 0:
            taken, self._head = self._head, b""
            return taken + self._rest.read()
        taken, self._head = self._head[:size], self._head[size:]
        return taken


class _Hashing:
    """A layer's diff id is the sha256 of its uncompressed tar, so it is known at its end."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._source.read(size)
        self._digest.update(data)
        return data

    def finish(self) -> str:
        while self.read(_CHUNK):
            pass
        return f"sha256:{self._digest.hexdigest()}"


def _remove(engine: Engine, container_id: str) -> None:
    try:
        with sdk_errors.translated(engine.endpoint, f"removing the probe {container_id[:12]}"):
            engine.api.remove_container(container_id, v=True, force=True)
    except TargetGone:
        pass  # another freshd was faster
    except FreshdError:
        pass  # it has a label: `remove_stale_probes` finds it at the next start
