"""Plain HTTP to the fake: archives, images, and execs on a socket of their own."""

import base64
import io
import json
import posixpath
from typing import IO, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from freshd.engine.transport import http as wire
from freshd.model.files import Kind
from tests.loop.fake import saving, tars
from tests.loop.fake.engine import FakeEngine, Refused
from tests.loop.fake.shell import Attached, Process

_GO_DIR, _GO_LINK = 1 << 31, 1 << 27


class FakeHttp:
    """The functions of ``freshd.engine.transport.http``."""

    def __init__(self, engine: FakeEngine, processes: dict[str, Process]) -> None:
        self._engine = engine
        self._processes = processes

    def connect(self, _endpoint: object, _deadline: float) -> "_Socket":
        if self._engine.away:
            raise ConnectionRefusedError("the engine is away")
        return _Socket()

    def request(
        self,
        _endpoint: object,
        method: str,
        target: str,
        *,
        deadline: float,
        body: IO[bytes] | None = None,
        length: int = 0,
        content_type: str = "",
    ) -> wire.HttpAnswer:
        container_id, path = _asked(target)
        try:
            if method == "PUT":
                return self._put(container_id, path, b"" if body is None else body.read(length))
            return self._head(container_id, path)
        except Refused as error:
            return _refusal(error)

    def stream(
        self, _endpoint: object, target: str, *, deadline: float
    ) -> tuple["_Socket", "_Response"]:
        parts = urlsplit(target).path.split("/")
        try:
            if parts[2] == "images":
                with self._engine.call("save", unquote(parts[3])):
                    image = self._engine.image(unquote(parts[3]))
                    return _Socket(), _Response(200, saving.saved(image))
            container_id, path = _asked(target)
            with self._engine.call("get", container_id):
                return _Socket(), _Response(200, self._taken(container_id, path))
        except Refused as error:
            answer = _refusal(error)
            return _Socket(), _Response(answer.status, answer.body)

    def hijack(self, _endpoint: object, target: str, *, body: bytes, deadline: float) -> Any:
        process = self._processes[urlsplit(target).path.split("/")[3]]
        try:
            with self._engine.call("start exec", process.container.id):
                return _attached(process), b""
        except Refused as error:
            return _refusal(error)

    def _taken(self, container_id: str, path: str) -> bytes:
        tar = tars.taken(self._engine.container(container_id).view, path)
        if tar is None:
            raise Refused(404, f"Could not find the file {path}")
        return tar

    def _put(self, container_id: str, path: str, tar: bytes) -> wire.HttpAnswer:
        with self._engine.call("put", container_id):
            one = self._engine.container(container_id)
            there = one.view.get(path)
            if there is None or there.kind is not Kind.DIR:
                raise Refused(404, f"Could not find the directory {path}")
            self._engine.tick()
            problem = tars.given(one.view, path, tar)
            if problem:
                raise Refused(400, problem)
            return wire.HttpAnswer(200, {}, b"")

    def _head(self, container_id: str, path: str) -> wire.HttpAnswer:
        with self._engine.call("head", container_id):
            node = self._engine.container(container_id).view.get(path)
            if node is None:
                raise Refused(404, f"Could not find the file {path}")
            bits = {Kind.DIR: _GO_DIR, Kind.LINK: _GO_LINK}.get(node.kind, 0)
            text = node.content.decode() if node.kind is Kind.LINK else ""
            told = {
                "name": posixpath.basename(path),
                "size": node.size,
                "mode": node.mode | bits,
                "linkTarget": posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
                if text
                else "",
            }
            encoded = base64.b64encode(json.dumps(told).encode()).decode()
            return wire.HttpAnswer(200, {"x-docker-container-path-stat": encoded}, b"")


class _Socket:
    """Nothing travels on it."""

    def settimeout(self, _seconds: float) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


class _Response(io.BytesIO):
    length = None  # it comes in chunks

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(body)
        self.status = status


def _attached(process: Process) -> Attached:
    if not process.container.running:
        raise Refused(409, f"container is {process.container.state}")
    return Attached(process)


def _asked(target: str) -> tuple[str, str]:
    """The container and the path in the URL of an archive."""
    parts = urlsplit(target)
    asked = parse_qs(parts.query, errors="surrogateescape")
    return unquote(parts.path.split("/")[3]), asked["path"][0]


def _refusal(error: Refused) -> wire.HttpAnswer:
    return wire.HttpAnswer(error.status, {}, json.dumps({"message": str(error)}).encode())
