"""One pass for one service: observe, compare, decide, act, verify, record.

The only module that names every stage. Comes in: a service, and the paths that changed (None for
everything). Goes out: what was found, what was done about it, and what was found after that.
"""

from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import dataclass, replace

from freshd import act as actions
from freshd.act.write.writers import open_writers
from freshd.compare import compare
from freshd.decide.brakes.backoff import next_try, step_inputs, step_key
from freshd.decide.decide import decide
from freshd.decide.renewal.losses import overwrites
from freshd.engine.client import Engine
from freshd.model.errors import EngineFailed, OutcomeUnknown, TargetGone
from freshd.model.observed.container import Replica
from freshd.model.observed.snapshot import Snapshot
from freshd.model.plan import Outcome, Plan, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import ServiceReport
from freshd.observe.snapshot.collector import no_haste
from freshd.reconcile.adoption import adopt, expect_asked
from freshd.reconcile.context import Context
from freshd.reconcile.locks import locked
from freshd.reconcile.memory import keep_remedied, keep_ruled, recall
from freshd.reconcile.pending import PlanProgress
from freshd.reconcile.recovery import settle_unknown
from freshd.reconcile.renewal.losses import find_losses
from freshd.reconcile.world import make_world
from freshd.store.markers import Failure

_ROUNDS = 3

OnStep = Callable[[Step, Outcome | None], None]


def _no_step(_step: Step, _outcome: Outcome | None) -> None:
    """Nobody watches the steps."""


@dataclass(frozen=True, slots=True)
class Passed:
    """``report`` is what was seen last; ``plans`` and ``outcomes`` what led there, in order.

    ``stopped``: why a remedy will not be done any more, where that was found out in this pass.
    """

    report: ServiceReport
    plans: tuple[Plan, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    stopped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A report, and the replicas it speaks of."""

    report: ServiceReport
    replicas: tuple[Replica, ...]


def reconcile(
    context: Context,
    service: str,
    *,
    paths: Collection[str] | None = None,
    full: bool = False,
    on_step: OnStep = _no_step,
    go_on: Callable[[], None] = no_haste,
) -> Passed:
    """Make ``service`` what the tree and the policy say, and prove it.

    Goes round until nothing is left to do, as a recreated container may need again what was
    injected into the old one; a step that failed ends the pass. ``go_on`` may raise to break off
    the first snapshot, before anything is done. Raises what the engine raises.
    """
    plans: list[Plan] = []
    outcomes: list[Outcome] = []
    stopped: list[str] = []
    checked = check_service(context, service, paths=paths, full=full, go_on=go_on)
    for _ in range(_ROUNDS):
        plan = make_plan(context, checked)
        if paths is not None and _renews(plan):
            # New containers lose what somebody changed in the old ones: that has to be looked for.
            paths = None
            checked = check_service(context, service)
            plan = make_plan(context, checked)
        plans.append(plan)
        stopped += keep_ruled(context, plan)
        if not plan.steps:
            break
        expect_asked(context, checked.report)
        with locked(context, service):
            done = act(context, plan, replicas=checked.replicas, on_step=on_step)
        outcomes += done
        before, checked = checked, check_service(context, service, paths=_touched(plan, paths))
        remember(context, before.report, checked.report, done)
        keep_remedied(context, before.report, done)
        if any(outcome.status is not StepStatus.DONE for outcome in done):
            break
    if paths is None and not context.asked and context.project.policy.injects:
        _warm(context.engine, checked.replicas)
    return Passed(checked.report, tuple(plans), tuple(outcomes), tuple(stopped))


def check_service(
    context: Context,
    service: str,
    *,
    paths: Collection[str] | None = None,
    full: bool = False,
    go_on: Callable[[], None] = no_haste,
) -> Checked:
    """Observe, compare and adopt; what differs is read twice.

    So a file that is just being written is no finding. A narrowed pass does without: an injection
    reads the file again anyway.
    """
    facts = context.snapshots.collect(service, paths=paths, full=full, go_on=go_on)
    report = _compared(context, facts, whole=paths is None, full=full)
    go_on()
    doubtful = {f.path for f in report.findings if f.container_id and f.path is not None}
    if paths is None and doubtful:
        context.snapshots.doubt(service, doubtful)
        facts = context.snapshots.collect(service, full=full, go_on=go_on)
        report = _compared(context, facts, whole=True, full=full)
    return Checked(report, tuple(observation.replica for observation in facts.observations))


def _compared(context: Context, facts: Snapshot, *, whole: bool, full: bool) -> ServiceReport:
    """Only a whole pass asks how containers were made and what runs in them.

    What somebody else brought is adopted after it was compared: this report is of what was found.
    """
    runtime = context.runtime.collect(facts, full=full) if whole else None
    report = compare(facts, runtime)
    adopt(context, facts)
    return report


def make_plan(context: Context, checked: Checked) -> Plan:
    """What the policy wants done now about what was seen.

    Where that makes new containers, what they would cost is looked for, and decided with.
    """
    report, policy, now = checked.report, context.project.policy, context.clock()
    memory = recall(context, report.name, checked.replicas)
    doubtful = frozenset((f.container_id, f.target) for f in report.findings if overwrites(f))
    spared = replace(memory, by_programs=doubtful)
    plan = decide(report, policy, checked.replicas, spared, now=now)
    if not _renews(plan):
        return decide(report, policy, checked.replicas, memory, now=now) if doubtful else plan
    losses = find_losses(context, report.name)
    told = {(finding.cause, finding.container_id) for finding in report.findings}
    by_hand = {(finding.container_id, finding.target) for finding in losses}
    more = [
        loss
        for loss in losses
        if (loss.cause, loss.container_id) not in told
        and (loss.container_id, loss.target) not in doubtful
    ]
    report = replace(report, findings=(*report.findings, *more))
    memory = replace(memory, by_programs=doubtful - by_hand)
    return decide(report, policy, checked.replicas, memory, now=now)


def act(
    context: Context,
    plan: Plan,
    *,
    replicas: Sequence[Replica],
    on_step: OnStep,
    given_up: Set[str] = frozenset(),
) -> list[Outcome]:
    """Run the steps in order; after one that did not end well the rest of its container waits.

    ``given_up`` are causes that the person who typed the verb gave up with it.

    What is to follow an injection is pending from before it, so that no kill and no failure between
    them leaves old code in a running process.
    """
    world = make_world(context, plan, replicas, given_up)
    pending = PlanProgress(context.store, context.project.name, plan, replicas)
    pending.begin()
    outcomes: list[Outcome] = []
    stopped: set[str | None] = set()
    for step in plan.steps:
        if step.container_id in stopped or None in stopped:
            continue
        on_step(step, None)
        outcome = actions.run(step, world)
        on_step(step, outcome)
        outcomes.append(outcome)
        if outcome.status is StepStatus.UNKNOWN and step.remedy is Remedy.INJECT:
            settle_unknown(context, step)
        if not pending.settle(outcome):
            stopped.add(step.container_id)
    return outcomes


def remember(
    context: Context, before: ServiceReport, after: ServiceReport, outcomes: Sequence[Outcome]
) -> None:
    """Keep failures by their inputs: what failed, or did not help, is not tried again at once."""
    name, service = context.project.name, before.name
    failures = context.store.failures
    known = failures.get(name, service)
    for outcome in outcomes:
        if outcome.status is StepStatus.SKIPPED:
            continue  # the tree moved on meanwhile: that is no failure, and another drift by now
        step = outcome.step
        key, inputs = step_key(step), step_inputs(step, before)
        asked = any(finding.cause in step.causes for finding in before.findings)
        # nothing asks for a step that was pending
        helped = step_inputs(step, after) != inputs or not asked
        if outcome.status is StepStatus.DONE and helped:
            if key in known:
                failures.clear(name, service, key)
            continue
        count = known[key].count + 1 if key in known and known[key].inputs == inputs else 1
        now = context.clock()
        detail = "it did not help" if outcome.status is StepStatus.DONE else outcome.detail
        wait_until = next_try(now, count=count, remedy=step.remedy)
        failures.record(name, service, Failure(key, count, inputs, now, wait_until, detail))


def _warm(engine: Engine, replicas: Iterable[Replica]) -> None:
    """Start the kept execs before they are needed: the next save then waits for none."""
    for replica in replicas:
        if replica.running:
            try:
                open_writers(engine, replica)
            except (EngineFailed, OutcomeUnknown, TargetGone):
                continue  # an injection tries again and says why it cannot


def _touched(plan: Plan, paths: Collection[str] | None) -> Collection[str] | None:
    """What to observe after the steps: new containers are observed whole."""
    return None if paths is None or _renews(plan) else paths


def _renews(plan: Plan) -> bool:
    """Whether it makes new containers."""
    return any(step.remedy.renews_containers for step in plan.steps)
