"""The engine's event stream over a connection of its own: ``EngineEvent`` values come out.

An event is only a hint to look: the engine keeps 256 and forgets them when it restarts, so a
stream that ends (StopIteration) means "reconnect and observe everything".
"""

import json
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from freshd.engine.transport import http as wire
from freshd.engine.transport import sdk_errors
from freshd.engine.transport.endpoint import Endpoint

_KINDS = ("container", "image", "builder", "volume")


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """``kind`` is container, image, builder or volume; ``time`` is unix seconds."""

    kind: str
    action: str
    id: str
    attributes: Mapping[str, str]
    time: float


class EventStream:
    """Iterate it in one thread; ``close`` it from any other: the iteration then ends."""

    def __init__(
        self, endpoint: Endpoint, api_version: str, since: float | None, *, timeout: float
    ) -> None:
        """Connects; raises EngineUnavailable within ``timeout`` seconds."""
        self._endpoint = endpoint
        self._closed = False
        self._reading = False
        parameters = {"filters": json.dumps({"type": list(_KINDS)})}
        if since is not None:
            parameters["since"] = f"{since:.9f}"
        target = f"/v{api_version}/events?{wire.query(**parameters)}"
        try:
            sock, response = wire.stream(endpoint, target, deadline=time.monotonic() + timeout)
        except OSError as error:
            raise sdk_errors.unavailable(endpoint, error) from error
        self._socket, self._response = sock, response
        if response.status != 200:
            try:
                with sdk_errors.translated(endpoint, "events"):
                    text = response.read().decode("utf-8", "replace")
            finally:
                self.close()
            raise sdk_errors.of_status(response.status, text, "events", endpoint)
        sock.settimeout(None)

    def __iter__(self) -> Iterator[EngineEvent]:
        """Ends when the engine goes away or the stream is closed; never raises for either."""
        self._reading = True
        try:
            while not self._closed and (line := self._line()):
                event = _event(line)
                if event is not None:
                    yield event
        finally:
            self._response.close()

    def _line(self) -> bytes:
        import http.client

        try:
            return self._response.readline()
        except (OSError, ValueError, http.client.HTTPException):
            return b""  # closed from another thread, or cut in the middle of a chunk

    def close(self) -> None:
        self._closed = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the engine was faster
        self._socket.close()
        if not self._reading:
            self._response.close()  # else its reader does: two threads in it at once go wrong

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _event(line: bytes) -> EngineEvent | None:
    try:
        return event_of(json.loads(line))
    except ValueError:
        return None  # the last line of a stream that was cut


def event_of(data: Mapping[str, Any]) -> EngineEvent | None:
    """One event as the engine writes it; None for what is none."""
    try:
        actor = data["Actor"]
        return EngineEvent(
            kind=str(data["Type"]),
            action=str(data["Action"]),
            id=str(actor["ID"]),
            attributes=actor.get("Attributes") or {},
            time=int(data.get("timeNano") or 0) / 1e9 or float(data.get("time") or 0.0),
        )
    except (ValueError, KeyError, TypeError):
        return None
