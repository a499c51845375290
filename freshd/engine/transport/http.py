"""Plain HTTP to the engine with a deadline of our own, for the calls the SDK cannot bound.

In: an ``Endpoint``, a request, a deadline in ``time.monotonic`` seconds. Out: an answer, or a
hijacked socket. Errors are OSError (TimeoutError past the deadline); callers say what they mean.
"""

import http.client
import io
import os
import socket
import ssl
import time
from dataclasses import dataclass
from typing import IO
from urllib.parse import quote, urlencode

from freshd.engine.transport import ssh
from freshd.engine.transport.endpoint import Endpoint

_HEAD_LIMIT = 64 * 1024
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete small answer; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class _WholeLines(io.BufferedReader):
    """``http.client`` takes a head that ends with the connection for a whole one: here it is not.

    Only heads and the sizes of chunks are read by lines.
    """

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the engine's answer broke off")
        return line


class _Response(http.client.HTTPResponse):
    """An answer of which every line was read to its end."""

    def __init__(self, sock: socket.socket, method: str) -> None:
        super().__init__(sock, method=method)
        self.fp.close()
        self.fp = _WholeLines(sock.makefile("rb", buffering=0))


class EarlyAnswerError(OSError):
    """The engine answered before it had read the whole body; ``answer`` says why."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(f"HTTP {answer.status} before the upload ended")
        self.answer = answer


def query(**parameters: str) -> str:
    """Parameters as a query string; lone surrogates become the bytes they stand for."""
    return urlencode({key: os.fsencode(value) for key, value in parameters.items()})


def segment(text: str) -> str:
    """One path segment, quoted."""
    return quote(os.fsencode(text), safe="")


def left(deadline: float) -> float:
    """Seconds until the deadline; TimeoutError when there are none."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("the deadline passed")
    return remaining


def connect(endpoint: Endpoint, deadline: float) -> socket.socket:
    """A new connection to the engine."""
    if endpoint.scheme in ("unix", "ssh"):
        address = endpoint.address if endpoint.scheme == "unix" else ssh.socket_path(endpoint)
        raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            raw.settimeout(left(deadline))
            raw.connect(address)
        except BaseException:
            raw.close()
            raise
        return raw
    host, _, port = endpoint.address.rstrip("/").rpartition(":")
    if not host:
        host, port = port, "2376" if endpoint.cert_path else "2375"
    tcp = socket.create_connection((host.strip("[]"), int(port)), timeout=left(deadline))
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if endpoint.cert_path is None and endpoint.scheme != "https":
        return tcp
    return _tls(endpoint).wrap_socket(tcp, server_hostname=host.strip("[]"))


def request(
    endpoint: Endpoint,
    method: str,
    target: str,
    *,
    deadline: float,
    body: IO[bytes] | None = None,
    length: int = 0,
    content_type: str = "application/json",
) -> HttpAnswer:
    """One request, its whole body sent with its ``length``, its whole answer read.

    Raises EarlyAnswerError when the engine refused while the body was still on its way.
    """
    with connect(endpoint, deadline) as sock:
        head = _head(method, target, None if body is None else length, content_type)
        sent_all = _send(sock, head, body or io.BytesIO(), deadline)
        answer = _answer(sock, method, deadline)
    if not sent_all:
        raise EarlyAnswerError(answer)
    return answer


def stream(
    endpoint: Endpoint, target: str, *, deadline: float
) -> tuple[socket.socket, http.client.HTTPResponse]:
    """A GET whose body the caller reads; the caller closes both."""
    sock = connect(endpoint, deadline)
    try:
        _send(sock, _head("GET", target, None, ""), io.BytesIO(), deadline)
        sock.settimeout(left(deadline))
        response = _Response(sock, "GET")
        response.begin()
    except (http.client.HTTPException, ValueError) as error:
        sock.close()
        raise ConnectionResetError(f"no complete answer: {error!r}") from error
    except BaseException:
        sock.close()
        raise
    return sock, response


def hijack(
    endpoint: Endpoint, target: str, *, body: bytes, deadline: float
) -> tuple[socket.socket, bytes] | HttpAnswer:
    """A POST that turns the connection into a raw stream; the first bytes may have come already.

    An ``HttpAnswer`` is returned when the engine refused.
    """
    sock = connect(endpoint, deadline)
    try:
        sock.settimeout(left(deadline))
        head = _head("POST", target, len(body), "application/json", upgrade=True)
        sock.sendall(head + body)
        answer, rest = _read_head(sock, deadline)
        status, headers = _parsed(answer)
        if status in (101, 200):
            return sock, rest
        length = headers.get("content-length", "0")
        wanted = int(length) if length.isascii() and length.isdigit() else _HEAD_LIMIT
        while len(rest) < min(wanted, _HEAD_LIMIT):
            sock.settimeout(left(deadline))
            if not (chunk := sock.recv(65536)):
                break
            rest += chunk
    except BaseException:
        sock.close()
        raise
    sock.close()
    return HttpAnswer(status, headers, rest)


def _read_head(sock: socket.socket, deadline: float) -> tuple[bytes, bytes]:
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        sock.settimeout(left(deadline))
        chunk = sock.recv(65536)
        if not chunk or len(received) > _HEAD_LIMIT:
            raise ConnectionResetError("the engine closed the connection")
        received += chunk
    return bytes(received[:end]), bytes(received[end + 4 :])


def _head(
    method: str, target: str, length: int | None, content_type: str, *, upgrade: bool = False
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: docker", "User-Agent: freshd"]
    lines.append("Connection: Upgrade\r\nUpgrade: tcp" if upgrade else "Connection: close")
    if length is not None:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _send(sock: socket.socket, head: bytes, body: IO[bytes], deadline: float) -> bool:
    """Whether everything was taken; False when the engine hung up while we were sending."""
    piece = head + body.read(_CHUNK)
    try:
        while piece:
            # sendall's timeout covers the whole call, so a stalled engine cannot outlast it.
            sock.settimeout(left(deadline))
            sock.sendall(piece)
            piece = body.read(_CHUNK)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _answer(sock: socket.socket, method: str, deadline: float) -> HttpAnswer:
    sock.settimeout(left(deadline))
    response = _Response(sock, method)
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ValueError) as error:
        raise ConnectionResetError(f"no complete answer: {error!r}") from error
    finally:
        response.close()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return HttpAnswer(response.status, headers, body)


def _parsed(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines)
    parts = first.split(" ", 2)
    if len(parts) < 2 or not parts[1].isdigit():
        raise ConnectionResetError(f"not an HTTP answer: {first[:80]!r}")
    return int(parts[1]), {name.strip().lower(): value.strip() for name, _, value in fields}


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    directory = endpoint.cert_path or ""
    ca = os.path.join(directory, "ca.pem")
    context = ssl.create_default_context(cafile=ca if os.path.exists(ca) else None)
    if not endpoint.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if directory:
        pair = [os.path.join(directory, name) for name in ("cert.pem", "key.pem")]
        context.load_cert_chain(*pair)
    return context
