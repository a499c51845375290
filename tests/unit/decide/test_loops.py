"""A loop is told from somebody who edits: by what changed, and whether it changes by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from freshd.decide.brakes.loops import PAUSE, RIGHT_AFTER, judge, remedied
from freshd.model.files import Entry, Kind
from freshd.model.plan import Recurrence, Step
from freshd.model.remedy import Remedy
from freshd.model.report import Finding
from tests.unit.decide.findings import finding, report

STEP = Step(Remedy.INJECT, "web", ("content-differs",), "web-1", "1" * 64)


def differs(path: str, tree: str, seen: str = "old") -> Finding:
    found = finding("content-differs", path)
    return replace(
        found, container_id=None, want=Entry(Kind.FILE, tree), seen=Entry(Kind.FILE, seen)
    )


@dataclass
class Service:
    """What freshd does about one service, pass by pass, a few seconds apart."""

    writable: Callable[[str], bool] = lambda _path: True
    known: Recurrence | None = None
    now: float = 1000.0
    done: int = 0
    reasons: list[str] = field(default_factory=list)

    def looks(self, *findings: Finding, after: float = 2.0) -> bool:
        """Whether the remedy is done."""
        self.now += after
        seen = report(*findings)
        ruling = judge(STEP, seen, self.known, self.now, writable=self.writable)
        self.known = ruling.known
        if ruling.reason is None:
            self.done += 1
            self.known = remedied(STEP, seen, self.known, self.now, writable=self.writable)
        else:
            self.reasons.append(ruling.reason)
        return ruling.reason is None

    def edits(self, path: str, count: int, after: float = 2.0) -> None:
        for number in range(count):
            while not self.looks(differs(path, f"{path} {number}"), after=after):
                assert len(self.reasons) < 100, self.reasons


def contents() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield str(number)


def test_thirty_quick_saves_of_code_are_no_loop() -> None:
    one = Service()
    one.edits("app/main.py", 30, after=0.5)
    assert (one.done, one.reasons) == (30, [])


def test_thirty_quick_saves_of_what_no_container_writes_are_no_loop() -> None:
    one = Service(writable=lambda _path: False)
    one.edits("page.html", 30, after=0.1)
    assert (one.done, one.reasons) == (30, [])


def test_thirty_saves_of_what_a_container_could_write_are_no_loop_either() -> None:
    """Somebody waits for each to land: nothing changes while nothing is done."""
    one = Service()
    one.edits("page.html", 30)
    assert one.done == 30
    assert not any("stopped" in reason for reason in one.reasons)


def test_what_a_program_writes_without_end_is_stopped_once() -> None:
    one, content = Service(), contents()
    for _ in range(30):
        one.looks(differs("data/rows", next(content)))
    assert one.done == 3
    assert "until 00:16:" in one.reasons[0]
    assert len(set(one.reasons[1:])) == 1
    assert "stopped at 00:16:" in one.reasons[1]
    assert "`freshd resume`" in one.reasons[1]


def test_a_container_that_overwrites_what_was_brought_is_a_loop_at_once() -> None:
    """The tree has not changed: nobody edits."""
    one, content = Service(writable=lambda _path: False), contents()
    for _ in range(10):
        one.looks(differs("app/main.py", "same", seen=next(content)))
    assert one.done == 3
    assert all("stopped" in reason for reason in one.reasons)


def test_a_change_of_another_file_ends_it() -> None:
    one, content = Service(), contents()
    for _ in range(10):
        one.looks(differs("data/rows", next(content)))
    assert one.known is not None
    assert one.known.stopped_at
    assert one.looks(differs("data/rows", next(content)), differs("app/main.py", "two"))


def test_what_comes_back_later_is_no_loop() -> None:
    one, content = Service(), contents()
    for _ in range(20):
        assert one.looks(differs("data/rows", next(content)), after=RIGHT_AFTER + 1)


def test_a_pause_ends_where_nothing_changed_in_it() -> None:
    one = Service()
    for number in range(3):
        assert one.looks(differs("data/rows", str(number)))
    assert not one.looks(differs("data/rows", "last"))
    assert not one.looks(differs("data/rows", "last"), after=PAUSE / 2)
    assert one.looks(differs("data/rows", "last"), after=PAUSE)


@pytest.mark.parametrize("cause", ["content-differs"])
def test_findings_that_name_no_file_are_no_loop(cause: str) -> None:
    one = Service()
    for _ in range(30):
        assert one.looks(replace(finding(cause), container_id=None))
