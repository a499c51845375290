"""A socket in front of an engine's that hangs up in the middle of answers, when it is told to."""

import os
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_CHUNK = 64 * 1024


class CuttingProxy:
    """A context manager; ``host`` is its DOCKER_HOST. Each connection has two threads."""

    def __init__(self, engine: str, path: Path) -> None:
        self.host = f"unix://{path}"
        self.cuts = 0
        self._engine = engine.removeprefix("unix://")
        self._guard = threading.Lock()
        self._armed: tuple[int, int] | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def cut(self, *, skip: int, after: int) -> None:
        """Hang up once ``after`` bytes of the answer on the connection after ``skip`` have gone."""
        with self._guard:
            self._armed = (skip, after)

    @property
    def is_armed(self) -> bool:
        with self._guard:
            return self._armed is not None

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def _limit(self) -> int | None:
        with self._guard:
            if self._armed is None:
                return None
            skip, after = self._armed
            self._armed = (skip - 1, after) if skip else None
            return None if skip else after

    def _connection(self, client: socket.socket) -> None:
        limit = self._limit()
        engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with client, engine:
            engine.connect(self._engine)
            asking = threading.Thread(target=_copy, args=(client, engine), daemon=True)
            asking.start()
            if _copy(engine, client, limit):
                with self._guard:
                    self.cuts += 1
            for end in (client, engine):
                _hang_up(end)
            asking.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _hang_up(self._listener)
        self._listener.close()
        self._thread.join()
        os.unlink(self.host.removeprefix("unix://"))


def _copy(source: socket.socket, sink: socket.socket, limit: int | None = None) -> bool:
    """Until an end hangs up, or ``limit`` bytes have gone; whether that was it."""
    left = limit
    try:
        while data := source.recv(_CHUNK):
            if left is not None and len(data) >= left:
                sink.sendall(data[:left])
                return True
            sink.sendall(data)
            left = None if left is None else left - len(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # an end is gone
    return False


def _hang_up(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is gone already
