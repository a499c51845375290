"""When jobs run, on apscheduler: patrols, the weekly validation, and the heartbeat.

A job that was missed, asleep or switched off, runs once when time goes on; several missed runs are
one. The heartbeat does not run on apscheduler: that waits by a clock that stops in suspend and by
wall time that can be set back, and hears of both from here.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from freshd.model.policy import Weekly
from freshd.store.markers import LastRuns

HEARTBEAT: Final = 30.0
GAP: Final = 5.0  # seconds the clocks may drift apart before it was a suspend or a set clock
LEAST_BETWEEN: Final = 20 * 3600.0  # a weekly moment can come twice when clocks go back
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _boot_clock() -> float:
    """Seconds that go on in suspend: CLOCK_BOOTTIME where there is one, else wall time."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time()


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds of each clock; only ``boot`` and ``wall`` go on in suspend, only ``wall`` is set."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    boot: Callable[[], float] = _boot_clock


@dataclass(frozen=True, slots=True)
class _Weekly:
    name: str
    project: str
    when: Weekly
    job: Callable[[], None]


class Scheduler:
    """Jobs run in threads of the scheduler; what one raises goes to ``on_error``, and it goes on.

    ``on_gap`` is called with a reason, in words, when time was lost.
    """

    def __init__(
        self,
        last_runs: LastRuns,
        *,
        on_gap: Callable[[str], None],
        on_error: Callable[[str, Exception], None],
        zone: tzinfo | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self._last_runs = last_runs
        self._on_gap = on_gap
        self._on_error = on_error
        self._clocks = clocks or Clocks()
        options: dict[str, Any] = {} if zone is None else {"timezone": zone}
        self._scheduler = BackgroundScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            **options,
        )
        self._weekly: dict[str, _Weekly] = {}
        self._patrols: dict[str, tuple[float, Callable[[], None]]] = {}
        self._offsets = self._read_offsets()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="freshd-heartbeat", daemon=True)

    def patrol(self, project: str, seconds: float, job: Callable[[], None]) -> None:
        """Run ``job`` every ``seconds`` from now on (0: never); replaces the project's patrol."""
        identifier = f"patrol:{project}"
        self._remove(identifier)
        self._patrols.pop(project, None)
        if seconds > 0:
            self._patrols[project] = (seconds, job)
            self._arm(
                identifier,
                self._guarded(identifier, job),
                IntervalTrigger(seconds=seconds, timezone=self.zone),
            )

    def weekly(
        self, project: str, when: Weekly | None, job: Callable[[], None], *, name: str = "validate"
    ) -> None:
        """Run ``job`` at a moment of each week (None: never); replaces the one of that name.

        A moment that passed since the last run is caught up at once; with no run on record the
        week begins now.
        """
        identifier = f"{name}:{project}"
        self._remove(identifier)
        self._weekly.pop(identifier, None)
        if when is None:
            return
        entry = self._weekly[identifier] = _Weekly(name, project, when, job)
        self._arm(identifier, lambda: self._run_weekly(entry), trigger(when, self.zone))
        if self._missed(entry):
            self._arm(f"missed:{identifier}", lambda: self._run_weekly(entry), None)

    @property
    def zone(self) -> tzinfo:
        zone: tzinfo = self._scheduler.timezone
        return zone

    def start(self) -> None:
        self._scheduler.start()
        self._thread.start()

    def alive(self) -> bool:
        return self._thread.is_alive() and bool(self._scheduler.running)

    def stop(self) -> None:
        """No job starts after the return; one that runs is not waited for."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        if self._scheduler.running:
            # A round that ends a job while its scheduler shuts down does not find it: no round
            # begins any more, and this waits for the one that is at it.
            self._scheduler.pause()
            self._scheduler.get_jobs()
            self._scheduler.shutdown(wait=False)

    def beat(self) -> None:
        """One heartbeat: a suspend or a set clock is reported, and what is overdue runs."""
        (slept, was_set), self._offsets = self._offsets, self._read_offsets()
        slept, was_set = self._offsets[0] - slept, self._offsets[1] - was_set
        if abs(was_set) > GAP:
            self._rearm()
        if slept > GAP:
            self._on_gap(f"asleep for {slept:.0f} s")
        elif abs(was_set) > GAP:
            self._on_gap(f"the clock was set by {was_set:+.0f} s")
        self._scheduler.wakeup()

    def _read_offsets(self) -> tuple[float, float]:
        """How far boot time is before monotonic time (grows in suspend), and wall before boot."""
        boot = self._clocks.boot()
        return boot - self._clocks.monotonic(), self._clocks.wall() - boot

    def _beat_on(self) -> None:
        while not self._stopped.wait(HEARTBEAT):
            try:
                self.beat()
            except Exception as error:  # noqa: BLE001 - the heart goes on; the error is reported
                self._on_error("heartbeat", error)

    def _rearm(self) -> None:
        """Due times were computed by a clock that is wrong now."""
        for project, (seconds, job) in list(self._patrols.items()):
            self.patrol(project, seconds, job)
        for entry in list(self._weekly.values()):
            self.weekly(entry.project, entry.when, entry.job, name=entry.name)

    def _missed(self, entry: _Weekly) -> bool:
        """Whether a moment passed since the last run, or since the entry was first known."""
        now = self._clocks.wall()
        first_known = f"{entry.name}:since"
        since = self._last_runs.last_run(first_known, entry.project)
        if since is None or since > now:
            self._last_runs.set(first_known, entry.project, now)
            return False
        last = self._last_runs.last_run(entry.name, entry.project) or since
        moment = previous(entry.when, datetime.fromtimestamp(now, self.zone)).timestamp()
        return min(last, now) < moment and since < moment

    def _run_weekly(self, entry: _Weekly) -> None:
        now = self._clocks.wall()
        last = self._last_runs.last_run(entry.name, entry.project)
        if last is not None and 0 <= now - last < LEAST_BETWEEN:
            return
        self._last_runs.set(entry.name, entry.project, now)  # first: a crash must not run it again
        self._guarded(entry.name, entry.job)()

    def _guarded(self, name: str, job: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - the next run comes anyway
                self._on_error(name, error)

        return run

    def _arm(self, identifier: str, job: Callable[[], None], when: Any) -> None:
        self._scheduler.add_job(job, when, id=identifier, replace_existing=True)

    def _remove(self, identifier: str) -> None:
        if self._scheduler.get_job(identifier) is not None:
            self._scheduler.remove_job(identifier)


def trigger(when: Weekly, zone: tzinfo) -> CronTrigger:
    """apscheduler's trigger, by the day's name: its numbers are not cron's."""
    return CronTrigger(
        day_of_week=_DAYS[when.day], hour=when.hour, minute=when.minute, timezone=zone
    )


def previous(when: Weekly, now: datetime) -> datetime:
    """The last such moment at or before ``now``, in its zone."""
    moment = now.replace(hour=when.hour, minute=when.minute, second=0, microsecond=0)
    moment -= timedelta(days=(now.weekday() - when.day) % 7)
    return moment if moment <= now else moment - timedelta(days=7)
