"""The engine's event stream as a trigger: events go out, and "anything may differ" after each gap.

A thread connects, follows, and connects again with growing pauses (0.5 s to 30 s, with jitter).
Events are lost while there is no connection, so every connection begins with ``on_connect``.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from freshd.engine.events import EngineEvent
from freshd.engine.images import PROBE_LABEL
from freshd.model.errors import FreshdError
from freshd.triggers.trigger import Trigger

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
STEADY: Final = 5.0  # seconds of connection after which a loss is a new one, not the same again

_CONTAINER: Final = frozenset(
    ["create", "start", "restart", "die", "destroy", "pause", "unpause", "rename", "update"]
)
_IMAGE: Final = frozenset(["tag", "untag", "load", "import", "pull", "delete"])


class Stream(Protocol):
    def __iter__(self) -> Iterator[EngineEvent]: ...
    def close(self) -> None: ...


class EventConnection(Protocol):
    """What is needed of an Engine; one of its own, closed with the trigger."""

    def events(self, since: float | None) -> Stream: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EngineState:
    """``reason`` is the last error while the engine is not ``up``."""

    up: bool
    reason: str = ""

    def __str__(self) -> str:
        return "up" if self.up else f"down: {self.reason}"


def matters(event: EngineEvent) -> bool:
    """Whether the event can part links; execs, freshd's own probes and builders cannot."""
    if event.kind == "container":
        return event.action in _CONTAINER and PROBE_LABEL not in event.attributes
    return event.kind == "image" and event.action in _IMAGE


class EngineEvents(Trigger):
    """``connect`` makes a client for each attempt, which is closed after it.

    All callbacks run in the trigger's thread and must be quick. ``on_state`` hears of changes
    between up and down, not of every attempt.
    """

    died = "the engine's events are not listened to any more"
    status_field = "engine"

    def __init__(
        self,
        connect: Callable[[], EventConnection],
        *,
        on_event: Callable[[EngineEvent], None],
        on_connect: Callable[[], None],
        on_state: Callable[[EngineState], None] = lambda _state: None,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._connect = connect
        self._on_event = on_event
        self._on_connect = on_connect
        self._on_state = on_state
        self._first_pause = first_pause
        self._state = EngineState(up=False, reason="not connected yet")
        self._lock = threading.Lock()
        self._stream: Stream | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="freshd-engine-events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def engine(self) -> EngineState:
        """As the last connection or attempt left it."""
        return self._state

    def state(self) -> str:
        """Why the engine is not listened to now, "" while it is."""
        return "" if self._state.up else self._state.reason

    def alive(self) -> bool:
        return self._thread.is_alive()

    def reconnect(self) -> None:
        """Drop the connection, for one that may be dead without a sign, as after a suspend."""
        with self._lock:
            if self._stream is not None:
                self._stream.close()

    def stop(self) -> None:
        """At once, whether following or pausing."""
        self._stopping.set()
        self.reconnect()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        from tenacity import RetryError, Retrying
        from tenacity.nap import sleep_using_event
        from tenacity.retry import retry_if_exception_type
        from tenacity.stop import stop_when_event_set
        from tenacity.wait import wait_exponential, wait_random

        retrying = Retrying(
            retry=retry_if_exception_type(_Down),
            wait=wait_exponential(multiplier=self._first_pause, max=LONGEST_PAUSE)
            + wait_random(0, self._first_pause),
            sleep=sleep_using_event(self._stopping),
            stop=stop_when_event_set(self._stopping),
        )
        while not self._stopping.is_set():
            try:
                retrying(self._follow)
            except RetryError:
                return

    def _follow(self) -> None:
        """One connection, to its end. Raises _Down unless it lived long enough to be steady."""
        began = time.monotonic()
        reason = "the event stream ended"
        try:
            connection = self._connect()
            try:
                self._read(connection)
            finally:
                connection.close()
        except FreshdError as error:
            reason = error.message
        except Exception as error:  # noqa: BLE001 - a callback's bug must not end the trigger
            reason = repr(error)
        self._report(EngineState(up=False, reason=reason))
        if time.monotonic() - began < STEADY:
            raise _Down(reason)

    def _read(self, connection: EventConnection) -> None:
        stream = connection.events(None)
        with self._lock:
            self._stream = stream
        try:
            if self._stopping.is_set():
                return
            self._report(EngineState(up=True))
            self._on_connect()  # after connecting: what happens from here on is an event
            for event in stream:
                if matters(event):
                    self._on_event(event)
        finally:
            with self._lock:
                self._stream = None
            stream.close()

    def _report(self, state: EngineState) -> None:
        was, self._state = self._state, state
        if was.up != state.up and not self._stopping.is_set():
            self._on_state(state)


class _Down(Exception):
    """The connection failed or did not last."""
