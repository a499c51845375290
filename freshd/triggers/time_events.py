"""Time as a trigger of one project: its patrol, its weekly validation, and time that was lost."""

from collections.abc import Callable

from freshd.config.project import Project
from freshd.store.markers import LastRuns
from freshd.triggers.schedule import Scheduler
from freshd.triggers.trigger import Marks, Trigger


class TimeEvents(Trigger):
    """``validate`` runs at the policy's weekly moment. ``on_gap`` is called when the machine slept
    or its clock was set, before everything is marked. ``on_error`` takes a job's name and error.
    """

    died = "the schedule has died"

    def __init__(
        self,
        project: Project,
        marks: Marks,
        last_runs: LastRuns,
        *,
        validate: Callable[[], None],
        on_gap: Callable[[], None],
        on_error: Callable[[str, Exception], None],
    ) -> None:
        self._project = project
        self._marks = marks
        self._validate = validate
        self._on_gap = on_gap
        self._scheduler = Scheduler(last_runs, on_gap=self._after_gap, on_error=on_error)

    def start(self) -> None:
        self.refresh()
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.stop()

    def alive(self) -> bool:
        return self._scheduler.alive()

    def refresh(self) -> None:
        name, schedule = self._project.name, self._project.policy.schedule
        self._scheduler.patrol(name, schedule.patrol, lambda: self._marks.mark_all("patrol"))
        self._scheduler.weekly(name, schedule.validate, self._validate)

    def _after_gap(self, reason: str) -> None:
        self._on_gap()
        self._marks.mark_all(reason)
