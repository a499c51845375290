"""What a pass means for a service's incident: opened, closed, or left to Compose's own watch.

Whole passes come in; one notice goes out when a service stays stale after the policy had its say,
and one when that is over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from freshd.config.project import Project
from freshd.daemon.work.requeue import Requeue
from freshd.decide.text import step_text
from freshd.model.plan import Plan, StepStatus
from freshd.model.report import Verdict
from freshd.notify import IncidentNotices
from freshd.reconcile.context import Context
from freshd.reconcile.reconcile import Passed

_MARGIN: Final = 0.1
_TURN_OF_COMPOSE: Final = 15.0
"""Seconds that ``docker compose watch`` is given to put right what is stale."""


@dataclass(slots=True)
class IncidentReporter:
    """One project's. Safe to use from several threads, as one service has one pass at a time."""

    project: Project
    notices: IncidentNotices
    requeue: Requeue
    clock: Callable[[], float]
    _stale_since: dict[str, float] = field(init=False, default_factory=dict)

    def report(self, context: Context, service: str, passed: Passed) -> None:
        """Called after each whole pass; a pass over a few files opens and closes nothing."""
        now = self.clock()
        for reason in passed.stopped:
            self.notices.stopped(self.project.name, service, reason, at=now)
        if self._is_pause(service, passed.plans[-1:], now):
            return
        if self._is_turn_of_compose(context, service, passed.report.verdict, now):
            return
        failed = [o for o in passed.outcomes if o.status is not StepStatus.DONE]
        if failed and passed.report.verdict is not Verdict.STALE:
            text = f"{step_text(failed[0].step)}: {failed[0].detail}"
            self.notices.opened(self.project.name, service, text=text, at=now)
            return
        todo = failed[0].detail if failed else _reason_left(passed.plans[-1:])
        self.notices.report(self.project.name, passed.report, at=now, todo=todo)

    def _is_pause(self, service: str, plans: Sequence[Plan], now: float) -> bool:
        """Whether it is just seen if something changes by itself: that takes no notice."""
        ruled = [one for plan in plans for one in plan.recurrences.values() if one is not None]
        left = max((one.probed_until - now for one in ruled if one.probed), default=0.0)
        if left > 0:
            self.requeue.later(service, left + _MARGIN, "whether it changes by itself")
        return left > 0

    def _is_turn_of_compose(
        self, context: Context, service: str, verdict: Verdict, now: float
    ) -> bool:
        """Whether Compose's own watch has had no time yet to put right what is stale."""
        if verdict is not Verdict.STALE or context.watches.keeping(self.project, service) is None:
            self._stale_since.pop(service, None)
            return False
        left = self._stale_since.setdefault(service, now) + _TURN_OF_COMPOSE - now
        if left > 0:
            self.requeue.later(service, left, "docker compose watch had its turn")
        return left > 0


def _reason_left(plans: Sequence[Plan]) -> str:
    """Why nothing is done about the first thing that is left, for the notice."""
    return next((reason for plan in plans for _, reason in plan.notices), "")
