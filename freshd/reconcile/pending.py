"""What a plan has begun and must not leave half done: pending from before it until it was done.

In: a plan and the replicas it was made for; the outcomes of its steps. Out: the steps that are
still pending, for the next plan. Without this a kill, a failure or a lost engine between an
injection and its restart would leave old code in a process whose files look fresh for ever after.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from freshd.model.observed.container import Replica
from freshd.model.plan import Outcome, Plan, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.store.pending_steps import PendingStep
from freshd.store.store import Store

BY_HAND = "by hand"  # the rule of a step that a person typed


def pending_steps(
    store: Store, project: str, service: str, replicas: Sequence[Replica]
) -> tuple[Step, ...]:
    """What is pending for ``service``; a start since then has done what a start does."""
    known = {replica.id: replica for replica in replicas}
    pending = []
    for begun in store.pending_steps.get(project, service):
        step = begun.step
        if step.container_id is None:
            pending.append(step)
            continue
        replica = known.get(step.container_id)
        restarted = replica is not None and replica.started_at != begun.started_at
        if replica is None or (restarted and not step.remedy.outlives_start):
            store.pending_steps.settle(project, step)
        elif replica.running:
            pending.append(step)
    return tuple(pending)


class PlanProgress:
    """What one plan has begun. An injection that wrote nothing takes back what was to follow it.

    A rebuild is pending too, until its end is known: a kill in its middle leaves an image that
    nobody has proved, and containers that do not run it.
    """

    def __init__(self, store: Store, project: str, plan: Plan, replicas: Iterable[Replica]) -> None:
        """Nothing is written before ``begin``."""
        self._store = store
        self._project = project
        self._plan = plan
        injected = {s.container_id for s in plan.steps if s.remedy is Remedy.INJECT}
        self._after = [
            s for s in plan.steps if s.remedy.follows_injection and s.container_id in injected
        ]
        followed = {step.container_id for step in self._after}
        self._replicas = {replica.id: replica for replica in replicas if replica.id in followed}
        self._before: tuple[PendingStep, ...] = ()

    def begin(self) -> None:
        """Note what the plan wants done to containers after it has written into them.

        Not what a person typed: who kills `freshd rebuild` may have changed his mind.
        """
        rebuilds = [PendingStep(step, 0.0) for step in self._plan.steps if _is_awaited(step)]
        self._store.pending_steps.add(self._project, rebuilds)
        if not self._replicas:
            return
        self._before = self._store.pending_steps.get(self._project, self._plan.service)
        self._store.pending_steps.add(
            self._project,
            [
                PendingStep(step, self._replicas[step.container_id].started_at)
                for step in self._after
                if step.container_id in self._replicas
            ],
        )

    def settle(self, outcome: Outcome) -> bool:
        """Take an outcome in; whether the next steps of its container make sense now.

        What was done is pending no more; nor is what was to follow writes that never landed. An
        injection that left out what is still being edited is followed all the same.
        """
        step, done = outcome.step, outcome.status is StepStatus.DONE
        container = step.container_id
        if container is None:
            if step.remedy is Remedy.REBUILD and outcome.status is not StepStatus.UNKNOWN:
                self._store.pending_steps.settle(self._project, step)
            return done
        if step.remedy is Remedy.INJECT and not done:
            if outcome.status is not StepStatus.UNKNOWN and not self._landed(container, step):
                self._take_back(container)
                return False
            return outcome.status is StepStatus.SKIPPED
        if step.remedy is Remedy.EXEC and outcome.status is StepStatus.FAILED:
            # It ran to its end, or for longer than it may: running it again is the user's choice.
            self._store.pending_steps.settle(self._project, step)
        if step.remedy.follows_injection and done:
            self._store.pending_steps.settle(self._project, step)
            if step.remedy is Remedy.RESTART:  # it does what a signal would
                self._store.pending_steps.settle(self._project, replace(step, remedy=Remedy.RELOAD))
        return done

    def _landed(self, container: str, step: Step) -> bool:
        """Whether any file of the step was written and read back, or deleted."""
        replica = self._replicas.get(container)
        written = {} if replica is None else self._store.injected_files.read_all(replica)
        return any(
            written.get(change.target) == (change.want.digest if change.want else "")
            for change in step.files
        )

    def _take_back(self, container: str) -> None:
        """Back to what was pending before this plan."""
        if container not in self._replicas:
            return
        for begun in self._store.pending_steps.get(self._project, self._plan.service):
            if begun.step.container_id == container:
                self._store.pending_steps.settle(self._project, begun.step)
        before = [begun for begun in self._before if begun.step.container_id == container]
        self._store.pending_steps.add(self._project, before)


def _is_awaited(step: Step) -> bool:
    return step.remedy is Remedy.REBUILD and step.rule != BY_HAND
