"""A person or a program: by the engine's events, and by a file's times where these are gone."""

import pytest

from freshd.engine.events import EngineEvent
from freshd.model.observed.container import Replica
from freshd.observe.container.changes.writers import Times, Visits, is_by_hand, visits

WEB = Replica("c" * 64, "web-1", "web", created_at=1000.0, started_at=1000.5)
SOON, LATE = 1100.0, 9000.0


def event(action: str, time: float, session: str = "", container: str = WEB.id) -> EngineEvent:
    return EngineEvent("container", action, container, {"execID": session}, time)


def test_visits_are_commands_and_copies_but_for_freshds_own_and_the_health_check() -> None:
    events = [
        event("create", 1000.0),
        event("exec_create: curl -f localhost", 1001.0, "h"),
        event("exec_die", 1001.1, "h"),
        event("exec_create: /bin/sh -c … freshd-helper 0a", 1002.0, "f"),
        event("exec_create: sh", 1010.0, "a"),
        event("exec_start: sh", 1010.1, "a"),
        event("exec_die", 1020.0, "a"),
        event("exec_create: vi /etc/site.conf", 1030.0, "b"),
        event("extract-to-dir", 1040.0),
        event("exec_create: sh", 1050.0, "x", container="another"),
    ]
    seen = visits(events, WEB, ["curl -f localhost"])
    assert seen.known
    assert seen.commands == ((1010.0, 1020.0), (1030.0, float("inf")))
    assert [end for _, end in seen.copies] == [1040.0]
    assert not visits(events[1:], WEB, []).known, "the beginning is forgotten"


@pytest.mark.parametrize(
    ("times", "seen", "now", "by_hand"),
    [
        pytest.param(Times(1001.0, 1001.0), Visits(known=True), SOON, False, id="its start"),
        pytest.param(Times(5000.0, 5000.2), Visits(known=True), LATE, False, id="nobody came"),
        pytest.param(
            Times(1015.0, 1015.0), Visits(((1010.0, 1020.0),), known=True), SOON, True, id="inside"
        ),
        pytest.param(
            Times(1001.0, 1001.0), Visits(((1002.0, 1003.0),), known=True), SOON, False,
            id="before anybody came",
        ),
        pytest.param(
            Times(1015.0, 5000.0), Visits(((1010.0, 1020.0),), known=True), LATE, True,
            id="its owner was changed later",
        ),
        pytest.param(
            Times(16.0, 1040.0), Visits(copies=((1035.0, 1040.0),), known=True), LATE, True,
            id="copied, with the time of its source",
        ),
        pytest.param(
            Times(16.0), Visits(copies=((1035.0, 1040.0),), known=True), LATE, True,
            id="copied into one that does not run",
        ),
        pytest.param(
            Times(16.0, 5000.0), Visits(copies=((1035.0, 1040.0),), known=True), LATE, True,
            id="copied, and its owner was changed later",
        ),
        pytest.param(Times(1001.0, 1001.0), Visits(), LATE, False, id="forgotten: its start"),
        pytest.param(Times(1001.0), Visits(), LATE, False, id="forgotten: its start, stopped"),
        pytest.param(Times(1001.0, 1001.0), Visits(), SOON, True, id="forgotten, and just started"),
        pytest.param(Times(5000.0, 5000.0), Visits(), LATE, True, id="forgotten: later"),
        pytest.param(Times(16.0, 1001.0), Visits(), LATE, True, id="forgotten: an older file"),
    ],
)  # fmt: skip
def test_in_doubt_a_person_wrote_it(
    times: Times, seen: Visits, now: float, *, by_hand: bool
) -> None:
    assert is_by_hand(times, WEB, seen, now=now) is by_hand
