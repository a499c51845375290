"""When a service is looked at again although nothing told of it."""

from dataclasses import dataclass, field

import pytest

from freshd.daemon.work.requeue import Requeue

WHOLE = "the whole service after a change"


@dataclass
class Clocked:
    """A requeue on a clock that stands still, and what they marked."""

    now: float = 1000.0
    marked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.requeue = Requeue(lambda *key: self.marked.append(key), clock=lambda: self.now)

    def after(self, seconds: float) -> list[tuple[str, str]]:
        """What the main thread marks so much later."""
        self.now += seconds
        self.marked.clear()
        self.requeue.mark_due()
        return list(self.marked)


def test_a_look_comes_when_it_is_due_and_once() -> None:
    one = Clocked()
    one.requeue.later("web", 5.0, "tried again")
    one.requeue.later("db", 7.0, "tried again")
    assert one.after(4.9) == []
    assert one.after(0.1) == [("web", "tried again")]
    assert one.after(1.9) == []
    assert one.after(5.0) == [("db", "tried again")]
    assert one.after(1000.0) == []


def test_the_same_reason_puts_it_off_and_another_does_not() -> None:
    one = Clocked()
    one.requeue.later("web", 5.0, "tried again")
    one.requeue.later("web", 6.0, "the engine did not answer")
    one.now += 4.0
    one.requeue.later("web", 5.0, "tried again")
    assert one.after(2.0) == [("web", "the engine did not answer")]
    assert one.after(3.0) == [("web", "tried again")]


def test_what_is_due_now_waits_for_no_tick() -> None:
    one = Clocked()
    one.requeue.later("web", 3.0, "gone")
    one.requeue.later("web", 0.0, "gone")
    assert one.marked == [("web", "gone")]
    assert one.after(10.0) == [], "that was it"


@pytest.mark.parametrize(
    ("took", "wait"),
    [(0.01, 1.0), (0.5, 1.0), (2.0, 4.0), (5.0, 10.0), (60.0, 10.0)],
)
def test_the_longer_a_look_takes_the_longer_it_stays_out_of_the_way(
    took: float, wait: float
) -> None:
    one = Clocked()
    one.requeue.made("web", took)
    one.requeue.after_a_save("web")
    assert one.after(wait - 0.01) == []
    assert one.after(0.02) == [("web", WHOLE)]


@pytest.mark.parametrize(("looked", "longest"), [(False, 5.0), (True, 150.0)])
def test_saves_without_end_do_not_put_it_off_for_ever(*, looked: bool, longest: float) -> None:
    one = Clocked()
    if looked:
        one.requeue.made("web", 0.2)
    begun = one.now
    while not one.marked:
        one.requeue.after_a_save("web")
        assert one.now - begun <= longest
        one.after(0.5)
    assert longest - 1.0 <= one.now - begun <= longest + 0.5
    one.requeue.made("web", 0.2)
    assert one.requeue.may_wait("web") == 150.0, "counted anew from the next time it is asked for"


def test_what_is_written_on_and_on_is_seen_and_puts_nothing_off() -> None:
    one = Clocked()
    seen = []
    for tenth in range(1300):
        one.requeue.after_data("web", known=tenth > 0)
        seen += [(tenth, reason) for _, reason in one.after(0.1)]
    assert [tenth // 10 for tenth, _ in seen] == [0, 61, 121]


def test_what_a_program_writes_for_the_first_time_in_a_while_is_seen_soon() -> None:
    one = Clocked()
    one.requeue.after_data("web", known=False)
    assert one.after(1.0)
    one.requeue.after_data("web", known=True)
    assert one.after(10.0) == []
    one.requeue.after_data("web", known=False)
    assert one.after(1.0)
    assert one.after(100.0) == [], "that was both"
