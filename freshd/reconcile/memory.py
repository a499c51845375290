"""What a pass remembers: failures, pending steps, halts, and findings that came back.

In: a service and its replicas. Out: ``PassMemory``, read once before anything is decided. In: what
was ruled, and what came of steps. Out: rows of the store, so that a loop that was stopped stays
stopped when freshd is started again.
"""

import os
from collections.abc import Collection, Sequence

from freshd.config.project import Project
from freshd.decide.brakes.loops import STOPPED, remedied
from freshd.decide.memory import PassMemory
from freshd.model.observed.container import Replica
from freshd.model.paths import is_below
from freshd.model.plan import Outcome, Plan, StepStatus
from freshd.model.report import ServiceReport
from freshd.reconcile import consent
from freshd.reconcile.context import Context
from freshd.reconcile.pending import pending_steps


def recall(context: Context, service: str, replicas: Sequence[Replica]) -> PassMemory:
    """What the store and the processes of this machine say now. Raises StateError."""
    store, project = context.store, context.project
    limits = project.policy.limits
    since = context.clock() - 2 * max(limits.rebuild_window, limits.window)
    return PassMemory(
        failures=store.failures.get(project.name, service),
        recent=store.journal.automatic_starts(project.name, service, since=since),
        recurrences={} if context.asked else store.recurrences.get(project.name, service),
        writable=WritablePaths(project),
        pending=pending_steps(store, project.name, service, replicas),
        consent_problem=consent.find_problem(context),
        halted=store.halts.reason(project.name, service),
        watcher=context.watches.keeping(project, service),
    )


class WritablePaths:
    """Which tree paths (project-relative) a container of the project can write."""

    def __init__(self, project: Project) -> None:
        self._dir = project.dir
        self._sources = tuple(
            os.path.normpath(mount.source)
            for service in project.services.values()
            for mount in service.mounts
            if mount.kind == "bind" and not mount.read_only
        )

    def __call__(self, path: str) -> bool:
        full = os.path.normpath(os.path.join(self._dir, path))
        return any(is_below(full, source) for source in self._sources)


def keep_ruled(context: Context, plan: Plan) -> Collection[str]:
    """Remember what ``plan`` ruled; why something was stopped by that, in words."""
    rows, project, service = context.store.recurrences, context.project.name, plan.service
    known = rows.get(project, service) if plan.recurrences else {}
    stopped = False
    for remedy, ruled in plan.recurrences.items():
        before = known.get(remedy)
        if ruled is None:
            rows.clear(project, service, remedy)
        elif ruled != before:
            rows.record(project, service, ruled)
            stopped |= bool(ruled.stopped_at and not (before and before.stopped_at))
    return {why for _, why in plan.notices if why.startswith(STOPPED)} if stopped else ()


def keep_remedied(context: Context, before: ServiceReport, outcomes: Sequence[Outcome]) -> None:
    """Remember what the steps that were done were for; not what a person typed."""
    if context.asked:
        return
    rows, project = context.store.recurrences, context.project.name
    known, writable = rows.get(project, before.name), WritablePaths(context.project)
    for outcome in outcomes:
        step = outcome.step
        if outcome.status is not StepStatus.DONE:
            continue
        row = remedied(step, before, known.get(step.remedy), context.clock(), writable=writable)
        if row is not None:
            rows.record(project, before.name, row)
