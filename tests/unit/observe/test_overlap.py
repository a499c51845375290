"""What is computed while a container works: when that begins, and that it is waited for."""

import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Observation, Replica
from freshd.observe.overlap import Overlap

PATIENCE = 10.0
ONE, TWO = Entry(Kind.FILE, "1" * 64), Entry(Kind.FILE, "2" * 64)


def nothing() -> None:
    """What an engine's client does at work that nobody waits for."""


@pytest.fixture
def engine() -> Any:
    return SimpleNamespace(at_work=nothing)


def test_it_begins_when_a_container_has_something_to_do(engine: Any) -> None:
    began = threading.Event()
    with Overlap(engine) as beside:
        result = beside.submit(began.set)
        assert not began.wait(0.05)
        engine.at_work()
        result.result(PATIENCE)
        assert began.is_set()
    assert engine.at_work is nothing


def test_it_begins_and_ends_where_no_container_was_asked(engine: Any) -> None:
    with Overlap(engine) as beside:
        results = [beside.submit(partial(int, number)) for number in range(5)]
    assert [one.result(0) for one in results] == [*range(5)]


def test_what_goes_wrong_meanwhile_waits_for_who_asks(engine: Any) -> None:
    def fail() -> None:
        raise LookupError("told later")

    with Overlap(engine) as beside:
        failed, fine = beside.submit(fail), beside.submit(lambda: 1)
        beside.go()
        assert fine.result(PATIENCE) == 1
    with pytest.raises(LookupError):
        failed.result(0)


def test_a_look_that_fails_does_not_leave_it_behind(engine: Any) -> None:
    done: list[int] = []

    def look() -> None:
        with Overlap(engine) as beside:
            beside.submit(partial(done.append, 1))
            raise LookupError

    with pytest.raises(LookupError):
        look()
    assert done == [1]
    assert engine.at_work is nothing


@pytest.mark.parametrize("first", ["", "gone"])
@pytest.mark.parametrize("then", ["", "slow"])
def test_two_looks_at_one_replica_are_one(first: str, then: str) -> None:
    replica = Replica("1" * 64, "shop-web-1", "web")
    one = Observation(replica, frozenset({"/a", "/b"}), {"/a": ONE}, first)
    more = Observation(replica, frozenset({"/c"}), {"/c": TWO}, then)
    seen = one.joined(more)
    assert seen.asked == {"/a", "/b", "/c"}
    assert seen.files == {"/a": ONE, "/c": TWO}
    assert seen.problem == (first or then)
