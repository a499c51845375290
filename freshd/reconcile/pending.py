"""What a plan has begun and must not leave half done: promised before, kept until it was done.

In: a plan and the replicas it was made for; the outcomes of its steps. Out: the steps that are
still owed, for the next plan. Without this a kill, a failure or a lost engine between an injection
and its restart would leave old code in a process whose files look fresh for ever after.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from freshd.model.observed.container import Replica
from freshd.model.plan import Outcome, Plan, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.store.pending_steps import Owed
from freshd.store.store import Store

BY_HAND = "by hand"  # the rule of a step that a person typed
_AFTER = frozenset({Remedy.PURGE, Remedy.RELOAD, Remedy.RESTART, Remedy.EXEC})
_OUTLIVES_START = frozenset({Remedy.PURGE, Remedy.EXEC})  # a new process does not do these


class Promises:
    """The promises of one project. An injection that wrote nothing takes its own back.

    A rebuild is promised too, until its end is known: a kill in its middle leaves an image that
    nobody has proved, and containers that do not run it.
    """

    def __init__(self, store: Store, project: str) -> None:
        self._store = store
        self._project = project
        self._before: tuple[Owed, ...] = ()
        self._made: dict[str, Replica] = {}
        self._service = ""

    def make(self, plan: Plan, replicas: Iterable[Replica]) -> None:
        """Promise what ``plan`` wants to do to containers after it has written into them.

        What a person typed is not promised: who kills `freshd rebuild` may have changed his mind.
        """
        self._store.owed.owe(
            self._project, [Owed(step, 0.0) for step in plan.steps if _is_promised(step)]
        )
        injected = {s.container_id for s in plan.steps if s.remedy is Remedy.INJECT}
        after = [s for s in plan.steps if s.remedy in _AFTER and s.container_id in injected]
        owing = {step.container_id for step in after}
        self._made = {replica.id: replica for replica in replicas if replica.id in owing}
        if not self._made:
            return
        self._service = plan.service
        self._before = self._store.owed.get(self._project, plan.service)
        self._store.owed.owe(
            self._project,
            [
                Owed(step, self._made[step.container_id].started_at)
                for step in after
                if step.container_id in self._made
            ],
        )

    def settle(self, outcome: Outcome) -> bool:
        """Take an outcome in; whether the next steps of its container make sense now.

        What was done is owed no more; nor is what was to follow writes that never landed. An
        injection that left out what is still being edited is followed all the same.
        """
        step, done = outcome.step, outcome.status is StepStatus.DONE
        container = step.container_id
        if container is None:
            if step.remedy is Remedy.REBUILD and outcome.status is not StepStatus.UNKNOWN:
                self._store.owed.settle(self._project, step)
            return done
        if step.remedy is Remedy.INJECT and not done:
            if outcome.status is not StepStatus.UNKNOWN and not self._landed(container, step):
                self._take_back(container)
                return False
            return outcome.status is StepStatus.SKIPPED
        if step.remedy is Remedy.EXEC and outcome.status is StepStatus.FAILED:
            # It ran to its end, or for longer than it may: running it again is the user's choice.
            self._store.owed.settle(self._project, step)
        if step.remedy in _AFTER and done:
            self._store.owed.settle(self._project, step)
            if step.remedy is Remedy.RESTART:  # it does what a signal would
                self._store.owed.settle(self._project, replace(step, remedy=Remedy.RELOAD))
        return done

    def due(self, service: str, replicas: Sequence[Replica]) -> tuple[Step, ...]:
        """What the containers of ``service`` still owe; a start since then has kept the promise."""
        known = {replica.id: replica for replica in replicas}
        due = []
        for each in self._store.owed.get(self._project, service):
            step = each.step
            if step.container_id is None:
                due.append(step)
                continue
            replica = known.get(step.container_id)
            restarted = replica is not None and replica.started_at != each.started_at
            if replica is None or (restarted and step.remedy not in _OUTLIVES_START):
                self._store.owed.settle(self._project, step)
            elif replica.running:
                due.append(step)
        return tuple(due)

    def _landed(self, container: str, step: Step) -> bool:
        """Whether any file of the step was written and read back, or deleted."""
        replica = self._made.get(container)
        written = {} if replica is None else self._store.writes.of(replica)
        return any(
            written.get(change.target) == (change.want.digest if change.want else "")
            for change in step.files
        )

    def _take_back(self, container: str) -> None:
        """Back to what was promised before this plan."""
        if container not in self._made:
            return
        for each in self._store.owed.get(self._project, self._service):
            if each.step.container_id == container:
                self._store.owed.settle(self._project, each.step)
        before = [each for each in self._before if each.step.container_id == container]
        self._store.owed.owe(self._project, before)


def _is_promised(step: Step) -> bool:
    return step.remedy is Remedy.REBUILD and step.rule != BY_HAND
