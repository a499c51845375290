"""A BuildKit behind a socket of its own, as a builder with the ``remote`` driver wants it.

In: the socket of an engine, whose BuildKit it is. Out: a socket that speaks to nothing else, and
hands no image to that engine.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_UPGRADE = (
    b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    b"Content-Length: 0\r\n\r\n"
)


@contextmanager
def buildkit(engine: str, path: str) -> Iterator[str]:
    """Listens at ``path`` while it lasts; its URL."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        threading.Thread(target=_serve, args=(listener, engine), daemon=True).start()
        try:
            yield f"unix://{path}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, engine: str) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            inner = socket.socket(socket.AF_UNIX)
            inner.connect(engine)
            inner.sendall(_UPGRADE)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += inner.recv(1)
            for pair in ((client, inner), (inner, client)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
    source.close()
