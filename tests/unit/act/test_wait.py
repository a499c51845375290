"""All replicas count, whatever the first one of them came to."""

from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from freshd.act.ports import Timeouts
from freshd.act.wait import wait_until_all_up, wait_until_up
from freshd.model.observed.container import Replica

LIMITS = Timeouts(patience=0.05, settle=0.0, poll=0.001)
UP = Replica("u", "up", "web")
JOB = Replica("j", "job", "web", state="exited", exit_code=0)
DEAD = Replica("d", "dead", "web", state="exited", exit_code=3)
LOOPING = Replica("l", "looping", "web", state="restarting", exit_code=4)
NOT_YET = Replica("n", "not-yet", "web", state="created")
SICK = Replica("s", "sick", "web", health="unhealthy")


@pytest.mark.parametrize(
    ("others", "verdict"),
    [
        ((JOB,), ""),
        ((DEAD,), "dead exited with 3"),
        ((LOOPING,), "looping exits with 4"),
        ((NOT_YET,), "not up after"),
        ((SICK,), "sick is unhealthy"),
    ],
)
@pytest.mark.parametrize("first", [UP, JOB])
def test_one_replica_that_is_well_does_not_speak_for_the_others(
    first: Replica, others: tuple[Replica, ...], verdict: str
) -> None:
    def said(*replicas: Replica) -> str:
        return wait_until_all_up(lambda: replicas, count=2, gone=frozenset(), timeouts=LIMITS)

    for words in (said(first, *others), said(*others, first)):
        assert words.startswith(verdict)
        assert bool(words) is bool(verdict)


def test_as_many_as_before_are_to_run_and_none_of_the_old_ones() -> None:
    """Rule 9: one replica of two is not a service that is up."""

    def said(*replicas: Replica, gone: frozenset[str] = frozenset()) -> str:
        return wait_until_all_up(lambda: replicas, count=2, gone=gone, timeouts=LIMITS)

    other = replace(UP, id="o", name="other")
    assert said(UP, other) == ""
    for few_or_many in ((), (UP,), (UP, other, replace(UP, id="x", name="x"))):
        assert said(*few_or_many).startswith("not up after")
    assert said(UP, other, gone=frozenset({"o"})).startswith("not up after")


def test_a_container_that_runs_at_every_look_but_starts_anew_is_not_up() -> None:
    starts = count(2.0)
    engine: Any = SimpleNamespace(replica=lambda _: replace(UP, started_at=next(starts)))
    limits = Timeouts(patience=5.0, settle=5.0, poll=0.001)
    said = wait_until_up(engine, "u", started_after=1.0, timeouts=limits)
    assert said == "up starts again and again"
