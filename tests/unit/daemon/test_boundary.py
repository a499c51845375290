"""The boundary of what the main thread does: said once, tried again, more and more rarely."""

from typing import Any

from freshd.daemon.boundary import Boundary
from freshd.model.errors import StateError


class Told:
    """A log."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, event: str, **values: Any) -> None:
        self.lines.append(("info", event))

    def warning(self, event: str, **values: Any) -> None:
        self.lines.append(("warning", values["why"]))

    def exception(self, event: str, **values: Any) -> None:
        self.lines.append(("exception", values["why"]))


class Job:
    """Raises while ``error`` is set; counts how often it was called."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error


def test_what_fails_is_said_once_shown_while_it_lasts_and_tried_ever_more_rarely() -> None:
    log, job, now = Told(), Job(), [0.0]
    boundary = Boundary(log, lambda: now[0])
    job.error = StateError("full")
    for second in range(60):
        now[0] = float(second)
        assert not boundary.run("status", job)
    assert job.calls == 6, "at 0, 1, 3, 7, 15 and 31"
    assert log.lines == [("warning", "full")]
    assert list(boundary.problems) == ["status: full"]
    job.error = None
    now[0] = 100.0
    assert boundary.run("status", job)
    assert not list(boundary.problems)
    assert log.lines[1:] == [("info", "works again")]
    job.error = StateError("full")
    assert not boundary.run("status", job)
    now[0] = 101.0
    assert not boundary.run("status", job)
    assert job.calls == 9, "a new failure is a first one"


def test_a_bug_has_its_trace_in_the_log_and_another_job_goes_on() -> None:
    log, broken, good = Told(), Job(), Job()
    boundary = Boundary(log)
    broken.error = KeyError("x")
    boundary.run("one", broken)
    assert boundary.run("two", good)
    assert log.lines == [("exception", "a bug in freshd: KeyError('x')")]
