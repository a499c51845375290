"""Patrols go round, the weekly moment is met or caught up once, and lost time is told."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers.base import STATE_STOPPED
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.model.policy import Weekly
from freshd.store import memory_store
from freshd.triggers.schedule import Clocks, Scheduler, previous, trigger

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY = Weekly(day=6, hour=3, minute=30)


class Hands:
    """Clocks that stand where the test puts them."""

    def __init__(self, wall: float) -> None:
        self.wall, self.monotonic, self.boot = wall, 100.0, 500.0

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.wall, lambda: self.monotonic, lambda: self.boot)

    def pass_time(self, seconds: float, *, asleep: bool = False) -> None:
        self.wall += seconds
        self.boot += seconds
        if not asleep:
            self.monotonic += seconds


class Bench:
    """A scheduler, its memory, and what it told."""

    def __init__(self, at: datetime) -> None:
        self.hands = Hands(at.timestamp())
        self.store = memory_store()
        self.memory = self.store.last_runs
        self.gaps: list[str] = []
        self.errors: list[tuple[str, Exception]] = []
        self.runs: list[str] = []
        self.schedulers: list[Scheduler] = []

    def scheduler(self) -> Scheduler:
        made = Scheduler(
            self.memory,
            on_gap=self.gaps.append,
            on_error=lambda name, error: self.errors.append((name, error)),
            zone=BERLIN,
            clocks=self.hands.clocks(),
        )
        self.schedulers.append(made)
        return made

    def job(self, name: str = "run") -> Callable[[], None]:
        return lambda: self.runs.append(name)

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 8
        while not condition():
            assert time.monotonic() < end, (self.runs, self.gaps, self.errors)
            threading.Event().wait(0.005)


def next_run(scheduler: Scheduler, job: str) -> float | None:
    """When the job is due, in unix seconds."""
    due = getattr(scheduler._scheduler.get_job(job), "next_run_time", None)
    return None if due is None else float(due.timestamp())


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(datetime.now(BERLIN))
    yield made
    for scheduler in made.schedulers:
        scheduler.stop()
    made.store.close()


@pytest.mark.parametrize(
    ("when", "now", "expected"),
    [
        (SUNDAY, "2026-11-22T03:29", "2026-11-15T03:30"),
        (SUNDAY, "2026-11-22T03:30", "2026-11-22T03:30"),
        (SUNDAY, "2026-11-25T12:00", "2026-11-22T03:30"),
        (Weekly(0, 0, 0), "2026-11-23T00:00", "2026-11-23T00:00"),
        (Weekly(2, 23, 59), "2026-11-23T00:00", "2026-11-18T23:59"),
        (SUNDAY, "2026-03-29T04:00", "2026-03-29T03:30"),
    ],
)
def test_the_moment_before_now(when: Weekly, now: str, expected: str) -> None:
    found = previous(when, datetime.fromisoformat(now).replace(tzinfo=BERLIN))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=BERLIN)


@settings(deadline=None)
@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - zone below
    when=st.builds(Weekly, st.integers(0, 6), st.integers(4, 23), st.integers(0, 59)),
)
def test_the_trigger_fires_next_exactly_a_week_after_the_previous_moment(
    now: datetime, when: Weekly
) -> None:
    """apscheduler and our own arithmetic agree on every day of the week."""
    aware = now.replace(tzinfo=BERLIN)
    last = previous(when, aware)
    assert timedelta(0) <= aware - last
    following = trigger(when, BERLIN).get_next_fire_time(last, last + timedelta(seconds=1))
    assert following.replace(tzinfo=None) == last.replace(tzinfo=None) + timedelta(days=7)
    assert following > aware


def test_a_patrol_runs_again_and_again_and_an_error_does_not_end_it(bench: Bench) -> None:
    def patrol() -> None:
        bench.runs.append("patrol")
        if len(bench.runs) == 1:
            raise ValueError("first round")

    scheduler = bench.scheduler()
    scheduler.patrol("shop", 0.05, patrol)
    scheduler.start()
    bench.wait(lambda: len(bench.runs) >= 3)
    assert [(name, str(error)) for name, error in bench.errors] == [("patrol:shop", "first round")]
    assert scheduler.alive()
    scheduler.patrol("shop", 0, patrol)
    assert next_run(scheduler, "patrol:shop") is None


def test_the_first_week_begins_when_the_project_is_first_known(bench: Bench) -> None:
    scheduler = bench.scheduler()
    scheduler.weekly("shop", SUNDAY, bench.job())
    scheduler.patrol("shop", 0.02, bench.job("patrol"))
    scheduler.start()
    bench.wait(lambda: bench.runs.count("patrol") >= 2)
    assert "run" not in bench.runs
    due = next_run(scheduler, "validate:shop")
    assert due is not None
    moment = datetime.fromtimestamp(due, BERLIN)
    assert (moment.weekday(), moment.hour, moment.minute) == (6, 3, 30)


def test_a_moment_missed_while_switched_off_is_caught_up_once(bench: Bench) -> None:
    now = bench.hands.wall
    bench.memory.set("validate:since", "shop", now - 40 * 86400)
    bench.memory.set("validate", "shop", now - 30 * 86400)
    for _ in range(2):
        scheduler = bench.scheduler()
        scheduler.weekly("shop", SUNDAY, bench.job())
        scheduler.patrol("shop", 0.02, bench.job("patrol"))
        scheduler.start()
        bench.runs.append("started")
        bench.wait(lambda: bench.runs[-1] == "patrol" and "run" in bench.runs)
        scheduler.stop()
    assert bench.runs.count("run") == 1
    assert bench.memory.last_run("validate", "shop") == now


def test_a_job_that_ran_within_the_week_is_not_caught_up(bench: Bench) -> None:
    now = datetime.fromtimestamp(bench.hands.wall, BERLIN)
    bench.memory.set("validate:since", "shop", 0.0)
    bench.memory.set("validate", "shop", previous(SUNDAY, now).timestamp() + 1)
    scheduler = bench.scheduler()
    scheduler.weekly("shop", SUNDAY, bench.job())
    scheduler.patrol("shop", 0.02, bench.job("patrol"))
    scheduler.start()
    bench.wait(lambda: bench.runs.count("patrol") >= 2)
    assert "run" not in bench.runs


def test_the_same_moment_twice_in_an_autumn_night_runs_once(bench: Bench) -> None:
    scheduler = bench.scheduler()
    scheduler.weekly("shop", Weekly(6, 2, 30), bench.job())
    (entry,) = scheduler._weekly.values()
    scheduler._run_weekly(entry)
    bench.hands.pass_time(3600)
    scheduler._run_weekly(entry)
    assert bench.runs == ["run"]
    bench.hands.pass_time(7 * 86400)
    scheduler._run_weekly(entry)
    assert bench.runs == ["run", "run"]


def test_no_moment_means_no_job(bench: Bench) -> None:
    scheduler = bench.scheduler()
    scheduler.weekly("shop", SUNDAY, bench.job())
    scheduler.weekly("shop", None, bench.job())
    scheduler.start()
    assert next_run(scheduler, "validate:shop") is None


def test_ordinary_beats_tell_nothing(bench: Bench) -> None:
    scheduler = bench.scheduler()
    scheduler.start()
    for _ in range(100):
        bench.hands.pass_time(30.2)
        scheduler.beat()
    assert bench.gaps == []


def test_a_suspend_is_told_with_its_length(bench: Bench) -> None:
    scheduler = bench.scheduler()
    scheduler.start()
    bench.hands.pass_time(28_800, asleep=True)
    scheduler.beat()
    scheduler.beat()
    assert bench.gaps == ["asleep for 28800 s"]


@pytest.mark.parametrize("seconds", [31_536_000.0, -31_536_000.0, 3_600.0])
def test_a_set_clock_is_told_and_due_times_are_computed_anew(bench: Bench, seconds: float) -> None:
    scheduler = bench.scheduler()
    scheduler.weekly("shop", SUNDAY, bench.job())
    scheduler.patrol("shop", 3_600, bench.job("patrol"))
    scheduler.start()
    job = scheduler._scheduler.get_job("patrol:shop")
    bench.hands.wall += seconds
    scheduler.beat()
    assert len(bench.gaps) == 1
    assert "clock was set" in bench.gaps[0]
    again = scheduler._scheduler.get_job("patrol:shop")
    assert again.next_run_time > job.next_run_time, "armed anew, by the clock as it is now"
    assert bench.runs == []


def test_stop_ends_both_threads(bench: Bench) -> None:
    scheduler = bench.scheduler()
    scheduler.patrol("shop", 0.05, bench.job())
    scheduler.start()
    scheduler.stop()
    scheduler.stop()
    assert not scheduler.alive()


def test_a_stop_while_a_job_comes_to_its_end_waits_for_that(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler's thread dies of a job it cannot find; here that would be a warning."""
    bench.memory.set("validate:since", "shop", bench.hands.wall - 30 * 86400)
    scheduler = bench.scheduler()
    inner = scheduler._scheduler
    real, ending = inner.remove_job, threading.Event()

    def remove(identifier: str, jobstore: str | None = None) -> None:
        ending.set()
        end = time.monotonic() + 0.5
        while inner.state != STATE_STOPPED and time.monotonic() < end:
            threading.Event().wait(0.005)
        real(identifier, jobstore)

    monkeypatch.setattr(inner, "remove_job", remove)
    scheduler.weekly("shop", SUNDAY, bench.job())
    scheduler.start()
    assert ending.wait(8)
    scheduler.stop()
    assert not scheduler.alive()
