"""A validation of the whole stack: it is done when every service has had a pass that read it all.

Services and their passes come in; one result goes out. What a service owes is kept until a pass of
it has come through, so an engine that is away puts the result off and does not lose it.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Final

from freshd.compare.verdict import worst
from freshd.model.report import Level, ServiceReport
from freshd.store.store import Store
from freshd.store.validations import MOST_KEPT, Validation

WEEKLY: Final = "validate"  # as the schedule's memory knows it
_AGAIN: Final = "validate:again"


def result(
    reports: Iterable[ServiceReport],
    *,
    began_at: float,
    finished_at: float,
    steps: int = 0,
    by_hand: bool = False,
) -> Validation:
    """What looking at these services came to."""
    every = sorted(reports, key=lambda report: report.name)
    findings = [finding for report in every for finding in report.findings]
    causes = {finding.cause for finding in findings if finding.level is not Level.NOTE}
    return Validation(
        began_at=began_at,
        finished_at=finished_at,
        verdict=worst(report.verdict for report in every),
        services={report.name: report.verdict for report in every},
        causes=tuple(sorted(causes)),
        compared=sum(
            max((container.compared for container in report.containers), default=0)
            for report in every
        ),
        steps=steps,
        by_hand=by_hand,
    )


def take_up(store: Store, project: str, *, now: float) -> bool:
    """Whether the last weekly validation came to no result, as freshd ended before; noted, so that
    it is taken up once and no crash repeats it.
    """
    began = store.last_runs.last_run(WEEKLY, project)
    if began is None:
        return False
    again = store.last_runs.last_run(_AGAIN, project)
    if again is not None and again >= began:
        return False
    known = store.validations.history(project, limit=MOST_KEPT)
    if any(run.began_at >= began and not run.by_hand for run in known):
        return False
    store.last_runs.set(_AGAIN, project, now)
    return True


class Validating:
    """Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._owed: set[str] = set()
        self._began_at: float | None = None
        self._reports: dict[str, ServiceReport] = {}
        self._steps = 0

    def begin(self, services: Collection[str]) -> Validation | None:
        """From now on every one of ``services`` owes a pass; of none the result is there at once.

        One that is under way begins anew.
        """
        with self._lock:
            self._began_at = self._clock()
            self._owed = set(services)
            self._reports.clear()
            self._steps = 0
            return self._finished()

    def owes(self, service: str) -> bool:
        """Whether the next pass of ``service`` has to believe nothing that is remembered."""
        with self._lock:
            return service in self._owed

    def came_through(self, report: ServiceReport, *, steps: int) -> Validation | None:
        """A pass over all of a service that owed one; the result when it was the last."""
        with self._lock:
            if report.name not in self._owed:
                return None
            self._owed.discard(report.name)
            self._reports[report.name] = report
            self._steps += steps
            return self._finished()

    def keep(self, services: Collection[str]) -> Validation | None:
        """The model has these services now: what is gone owes nothing and is no part of it."""
        with self._lock:
            self._owed &= set(services)
            for gone in set(self._reports) - set(services):
                del self._reports[gone]
            return self._finished()

    def _finished(self) -> Validation | None:
        if self._owed or self._began_at is None:
            return None
        done = result(
            self._reports.values(),
            began_at=self._began_at,
            finished_at=self._clock(),
            steps=self._steps,
        )
        self._began_at = None
        return done
