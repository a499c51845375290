"""Few notices, none forgotten: limits per key and in all, quiet hours, one word for many."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.notify.outbox import (
    KEY_INTERVAL,
    MOST_IN_WINDOW,
    WINDOW,
    Notice,
    Outbox,
    quiet_hours,
)


def stale(key: str = "shop/web") -> Notice:
    return Notice(key, f"{key} runs old code", "main.py")


def fresh(key: str = "shop/web") -> Notice:
    return Notice(key, f"{key} is fresh again")


def test_a_notice_goes_out_at_once() -> None:
    box = Outbox()
    box.add(stale(), 0.0)
    assert box.take(0.0) == (stale(),)
    assert box.take(1_000.0) == ()
    assert box.waiting == 0


def test_a_second_notice_of_a_key_waits_a_minute() -> None:
    box = Outbox()
    box.add(stale(), 0.0)
    box.take(0.0)
    box.add(fresh(), 10.0)
    assert box.take(10.0) == ()
    assert box.take(KEY_INTERVAL - 0.1) == ()
    assert box.take(KEY_INTERVAL) == (fresh(),)


def test_a_flapping_service_that_ends_as_it_was_told_says_nothing_more() -> None:
    box = Outbox()
    box.add(stale(), 0.0)
    box.take(0.0)
    for at in (5.0, 10.0, 15.0):
        box.add(fresh(), at)
        box.add(stale(), at + 1)
    assert box.take(KEY_INTERVAL + 1) == ()


def test_the_same_notice_a_day_later_is_news() -> None:
    box = Outbox()
    for at in (0.0, 86_400.0):
        box.add(stale(), at)
        assert box.take(at) == (stale(),)


def test_up_to_three_at_once_are_told_apart_and_more_as_one() -> None:
    box = Outbox()
    for key in "abc":
        box.add(stale(key), 0.0)
    assert box.take(0.0) == (stale("a"), stale("b"), stale("c"))
    box = Outbox()
    for key in "abcde":
        box.add(stale(key), 0.0)
    (told,) = box.take(0.0)
    assert told.title == "freshd: 5 notices"
    assert told.body.splitlines() == [
        "a runs old code",
        "b runs old code",
        "c runs old code",
        "and 2 more: freshd status",
    ]


def test_ten_thousand_failures_are_ten_notices_and_then_a_summary() -> None:
    box = Outbox()
    told: list[Notice] = []
    for number in range(10_000):
        now = number * 0.01
        box.add(stale(f"k{number}"), now)
        told += box.take(now)
    assert len(told) == MOST_IN_WINDOW
    assert box.waiting == 10_000 - MOST_IN_WINDOW
    (last,) = box.take(WINDOW + 1)
    assert last.title == f"freshd: {10_000 - MOST_IN_WINDOW} notices"
    assert box.waiting == 0


def test_what_could_not_be_shown_waits_and_does_not_count() -> None:
    box = Outbox()
    for number in range(50):
        box.add(stale(), float(number))
        (notice,) = box.take(float(number))
        box.put_back(notice)
    assert box.take(50.0) == (stale(),)


def test_a_newer_notice_replaces_one_that_could_not_be_shown() -> None:
    box = Outbox()
    box.add(stale(), 0.0)
    (notice,) = box.take(0.0)
    box.add(fresh(), 1.0)
    box.put_back(notice)
    assert box.take(2.0) == (fresh(),)


def test_quiet_hours_hold_notices_until_they_end() -> None:
    box = Outbox(is_quiet=lambda now: now < 100.0)
    box.add(stale(), 0.0)
    assert box.take(50.0) == ()
    assert box.take(100.0) == (stale(),)


@pytest.mark.parametrize(
    ("hours", "minute", "expected"),
    [
        ((22 * 60, 7 * 60), 23 * 60, True),
        ((22 * 60, 7 * 60), 6 * 60 + 59, True),
        ((22 * 60, 7 * 60), 7 * 60, False),
        ((22 * 60, 7 * 60), 12 * 60, False),
        ((12 * 60, 13 * 60), 12 * 60, True),
        ((12 * 60, 13 * 60), 13 * 60, False),
        ((12 * 60, 13 * 60), 11 * 60 + 59, False),
        ((60, 60), 60, False),
        (None, 0, False),
    ],
)
def test_quiet_hours_may_span_midnight(
    hours: tuple[int, int] | None, minute: int, expected: bool
) -> None:
    assert quiet_hours(hours, lambda _now: minute)(0.0) is expected


@settings(deadline=None)
@given(
    events=st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 90), st.booleans(), st.booleans()),
        max_size=80,
    )
)
def test_limits_hold_and_the_last_word_of_every_key_is_told(
    events: list[tuple[str, int, bool, bool]],
) -> None:
    """Whatever comes and fails: never over the limits, and in the end everything was told."""
    box = Outbox()
    now = 0.0
    shown: list[tuple[float, Notice]] = []

    def flush(*, works: bool) -> None:
        for notice in box.take(now):
            if works:
                shown.append((now, notice))
            else:
                box.put_back(notice)

    for key, pause, is_stale, works in events:
        now += pause
        box.add(stale(key) if is_stale else fresh(key), now)
        flush(works=works)
    while box.waiting:
        now += KEY_INTERVAL
        flush(works=True)
    for at, notice in shown:
        window = [when for when, _ in shown if at - WINDOW < when <= at]
        assert len(window) <= MOST_IN_WINDOW
        same = [w for w, n in shown if n.key == notice.key and at - KEY_INTERVAL < w <= at]
        assert len(same) == 1 or notice.key == "freshd:summary"
    if not any(notice.key == "freshd:summary" for _, notice in shown):
        for key in {event[0] for event in events}:
            last = next(event for event in reversed(events) if event[0] == key)
            told = [notice for _, notice in shown if notice.key == key]
            assert told[-1] == (stale(key) if last[2] else fresh(key))
