"""Engine events mark, gaps mark everything, and the trigger never gives up nor outlives its end."""

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from freshd.engine.events import EngineEvent
from freshd.engine.images import PROBE_LABEL
from freshd.model.errors import EngineUnavailable
from freshd.triggers.engine_events import EngineEvents, EngineState, matters


def event(kind: str = "container", action: str = "start", **attributes: str) -> EngineEvent:
    return EngineEvent(kind, action, "c" * 64, attributes, 1.0)


class Stream:
    """Gives what the test puts; None ends it as a lost connection does."""

    def __init__(self) -> None:
        self.events: queue.Queue[EngineEvent | None] = queue.Queue()

    def __iter__(self) -> Iterator[EngineEvent]:
        while (found := self.events.get()) is not None:
            yield found

    def close(self) -> None:
        self.events.put(None)


class EventConnection:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.closed = False

    def events(self, since: float | None) -> Stream:
        assert since is None
        return self.stream

    def close(self) -> None:
        self.closed = True


class Log:
    """What the trigger told, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.connections: list[EventConnection] = []
        self.errors: list[Exception] = []

    def connect(self) -> EventConnection:
        if self.errors:
            raise self.errors.pop(0)
        self.connections.append(EventConnection(Stream()))
        return self.connections[-1]

    def trigger(self, **more: Callable[..., object]) -> EngineEvents:
        callbacks: dict[str, Callable[..., object]] = {
            "on_event": self.told.append,
            "on_connect": lambda: self.told.append("everything"),
            "on_state": self.told.append,
        }
        return EngineEvents(self.connect, first_pause=0.01, **(callbacks | more))  # type: ignore[arg-type]

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 8
        while not condition():
            assert time.monotonic() < end, self.told
            threading.Event().wait(0.005)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (event(action="start"), True),
        (event(action="die"), True),
        (event(action="create"), True),
        (event(action="destroy"), True),
        (event(action="unpause"), True),
        (event(action="exec_start: sh -c true"), False),
        (event(action="archive-path"), False),
        (event(action="create", **{PROBE_LABEL: "1"}), False),
        (event("image", "tag"), True),
        (event("image", "load"), True),
        (event("image", "save"), False),
        (event("volume", "create"), False),
        (event("builder", "prune"), False),
    ],
)
def test_only_events_that_can_part_links_matter(found: EngineEvent, expected: bool) -> None:
    assert matters(found) is expected


def test_everything_is_looked_at_after_connecting_and_then_each_event() -> None:
    log = Log()
    trigger = log.trigger()
    trigger.start()
    log.wait(lambda: bool(log.connections))
    started, noise = event(), event(action="exec_start: ls")
    log.connections[0].stream.events.put(noise)
    log.connections[0].stream.events.put(started)
    log.wait(lambda: started in log.told)
    assert log.told == [EngineState(up=True), "everything", started]
    assert str(trigger.engine) == "up"
    assert trigger.state() == ""
    trigger.stop()
    assert log.connections[0].closed
    assert not trigger.alive()


def test_a_lost_stream_is_told_connected_again_and_everything_looked_at() -> None:
    log = Log()
    trigger = log.trigger()
    trigger.start()
    log.wait(lambda: "everything" in log.told)
    log.connections[0].stream.close()
    log.wait(lambda: log.told.count("everything") == 2)
    down = [each for each in log.told if isinstance(each, EngineState) and not each.up]
    assert [state.reason for state in down] == ["the event stream ended"]
    trigger.stop()


def test_an_absent_engine_is_tried_until_it_answers_and_told_once() -> None:
    log = Log()
    log.errors = [EngineUnavailable("no such socket") for _ in range(4)]
    trigger = log.trigger()
    assert str(trigger.engine) == "down: not connected yet"
    trigger.start()
    log.wait(lambda: "everything" in log.told)
    assert log.errors == []
    assert log.told[0] == EngineState(up=True)
    trigger.stop()


def test_the_reason_of_the_last_failure_is_the_state() -> None:
    log = Log()
    log.errors = [EngineUnavailable("permission denied")] * 1_000
    trigger = log.trigger()
    trigger.start()
    log.wait(lambda: "permission" in str(trigger.engine))
    assert not trigger.engine.up
    assert trigger.state() == "permission denied"
    trigger.stop()


def test_an_error_in_a_callback_reconnects_and_does_not_end_the_trigger() -> None:
    log = Log()
    bad = iter([True])

    def on_event(found: EngineEvent) -> None:
        if next(bad, False):
            raise ValueError("a bug")
        log.told.append(found)

    trigger = log.trigger(on_event=on_event)
    trigger.start()
    log.wait(lambda: len(log.connections) == 1)
    log.connections[0].stream.events.put(event())
    log.wait(lambda: len(log.connections) == 2)
    log.connections[1].stream.events.put(event())
    log.wait(lambda: event() in log.told)
    trigger.stop()


def test_reconnect_drops_a_stream_that_may_be_dead() -> None:
    log = Log()
    trigger = log.trigger()
    trigger.reconnect()
    trigger.start()
    log.wait(lambda: "everything" in log.told)
    trigger.reconnect()
    log.wait(lambda: log.told.count("everything") == 2)
    trigger.stop()


def test_stop_does_not_wait_for_a_pause_to_end() -> None:
    log = Log()
    log.errors = [EngineUnavailable("absent")] * 1_000
    trigger = EngineEvents(
        log.connect, on_event=log.told.append, on_connect=lambda: None, first_pause=1_000.0
    )
    trigger.start()
    log.wait(lambda: "absent" in str(trigger.engine))
    trigger.stop()
    assert not trigger.alive()


def test_flapping_connections_are_paced_and_never_spin() -> None:
    """A stream that ends at once counts as a failure: the pauses grow."""
    log = Log()
    pauses: list[float] = []
    trigger = log.trigger()
    began = time.monotonic()
    trigger.start()
    for number in range(5):
        log.wait(lambda number=number: len(log.connections) > number)  # type: ignore[misc]
        pauses.append(time.monotonic() - began)
        began = time.monotonic()
        log.connections[number].stream.close()
    trigger.stop()
    assert sum(pauses[3:]) > sum(pauses[1:3])
