"""Decide: a service's report, the policy and what is remembered in, a plan out. Pure.

Each finding gets the request of its first matching rule. Then the largest step wins: a
rebuild makes new containers from a new image, so it swallows everything else of the service; a
recreate makes new containers, so what would be injected waits for the next pass, which sees them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from freshd.decide.brakes.backoff import held_back
from freshd.decide.brakes.loops import judge
from freshd.decide.ended import leave_ended
from freshd.decide.limits import service_gates, spent
from freshd.decide.memory import PassMemory
from freshd.decide.merge import container_steps, in_order, service_step
from freshd.decide.renewal.losses import find_loss
from freshd.decide.request import Request, make_request
from freshd.decide.text import plan_text
from freshd.model.observed.container import Replica
from freshd.model.plan import Plan, Recurrence, Step
from freshd.model.policy import Policy
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, ServiceReport

__all__ = ["decide", "plan_text"]

_ORDER = {remedy: index for index, remedy in enumerate(Remedy)}


@dataclass(frozen=True, slots=True)
class _Backoff:
    """Failures and remedies of earlier passes, and the time that is now.

    ``ruled`` takes what was ruled of each remedy.
    """

    report: ServiceReport
    memory: PassMemory
    now: float
    ruled: dict[str, Recurrence | None] = field(default_factory=dict)

    def reason(self, step: Step) -> str | None:
        """Why the step is held back, or None."""
        reason = held_back(step, self.report, self.memory.failures, self.now)
        known = self.memory.recurrences.get(step.remedy)
        if reason is not None or known is None:
            return reason
        ruling = judge(step, self.report, known, self.now, writable=self.memory.writable)
        if ruling.reason is not None or step.remedy not in self.ruled:
            self.ruled[step.remedy] = ruling.known
        return ruling.reason


def decide(
    report: ServiceReport,
    policy: Policy,
    replicas: Sequence[Replica],
    memory: PassMemory,
    now: float,
) -> Plan:
    """What to do ``now`` (seconds since the epoch) about one service and its ``replicas``."""
    findings = sorted(report.findings, key=_stable)
    idle = memory.watcher if memory.halted is None else f"halted: {memory.halted}"
    if idle is not None:
        return Plan(
            report.name,
            notices=tuple((f, idle) for f in findings if f.level is not Level.NOTE),
        )
    gates = dict(
        service_gates(
            report.name,
            policy,
            consent_problem=memory.consent_problem,
        )
    )
    running = sum(replica.running for replica in replicas)
    over = spent(report.name, policy.limits, memory.recent, replicas=running, now=now)
    loss = find_loss(findings, policy, by_programs=memory.by_programs)
    if loss is not None:
        gates = {Remedy.REBUILD: loss.reason, Remedy.RECREATE: loss.reason} | gates
    by_id = {replica.id: replica for replica in replicas}
    requests = [
        make_request(finding, policy, replicas=by_id, gates=gates, spent=over)
        for finding in findings
    ]
    requests = list(leave_ended(requests, replicas))
    backoff = _Backoff(report, memory, now)
    steps, requests = _steps(requests, policy, replicas, backoff)
    pending = [
        step
        for step in memory.pending
        if step.remedy not in {*gates, *over} and backoff.reason(step) is None
    ]
    return Plan(
        report.name,
        _with(steps, pending, by_id),
        notices=_notices(requests),
        recurrences=backoff.ruled,
    )


def _steps(
    requests: list[Request], policy: Policy, replicas: Sequence[Replica], backoff: _Backoff
) -> tuple[tuple[Step, ...], list[Request]]:
    """The steps, and the requests as they stand when failures have held some back."""
    for remedy in (remedy for remedy in Remedy if remedy.renews_containers):
        step = service_step(remedy, requests)
        if step is None:
            continue
        reason = backoff.reason(step)
        if reason is None:
            return (step,), requests
        requests = [request.without(remedy, reason) for request in requests]
    return _container_steps(requests, policy, replicas, backoff)


def _container_steps(
    requests: list[Request], policy: Policy, replicas: Sequence[Replica], backoff: _Backoff
) -> tuple[tuple[Step, ...], list[Request]]:
    if not requests:
        return (), requests
    service = policy.service(backoff.report.name)
    while True:
        steps = list(container_steps(requests, replicas, service))
        held = [(step, reason) for step in steps if (reason := backoff.reason(step)) is not None]
        if not held:
            break
        step, reason = held[0]  # each turn takes at least one remedy away, so this ends
        requests = [_hold(request, step, reason) for request in requests]
    steps.sort(key=lambda step: _ORDER[step.remedy])
    return tuple(steps), requests


def _with(
    steps: tuple[Step, ...], pending: Sequence[Step], replicas: Mapping[str, Replica]
) -> tuple[Step, ...]:
    """The steps and what is pending beside them; for new containers nothing is."""
    whole = [step for step in (*steps, *pending) if step.container_id is None]
    if whole:
        return (whole[0],)
    steps = tuple(_with_commands(step, pending) for step in steps)
    planned = {(step.container_id, step.remedy) for step in steps}
    added = []
    for step in pending:
        replica = replicas.get(step.container_id or "")
        covered = {(step.container_id, step.remedy)}
        if step.remedy is Remedy.RELOAD:
            covered.add((step.container_id, Remedy.RESTART))
        if replica is None or not replica.running or planned & covered:
            continue
        added.append(step)
    return tuple(sorted((*steps, *added), key=lambda step: _ORDER[step.remedy]))


def _with_commands(step: Step, pending: Iterable[Step]) -> Step:
    """The step and the commands that are still pending in its container."""
    if step.remedy is not Remedy.EXEC:
        return step
    same = [other for other in pending if other.remedy is step.remedy]
    ours = [other for other in same if other.container_id == step.container_id]
    commands = {*step.commands, *(command for other in ours for command in other.commands)}
    return replace(step, commands=in_order(commands))


def _hold(request: Request, step: Step, reason: str) -> Request:
    """A held injection takes along what was to follow it."""
    if request.finding.container_id not in (None, step.container_id):
        return request
    if step.remedy not in request.remedies:
        return request
    return (
        request.nothing(reason)
        if step.remedy is Remedy.INJECT
        else request.without(step.remedy, reason)
    )


def _notices(requests: Iterable[Request]) -> tuple[tuple[Finding, str], ...]:
    """What is left undone, with the reason; a note that no rule names is no news."""
    return tuple(
        (request.finding, request.lost)
        for request in requests
        if request.lost is not None
        and (request.rule is not None or request.finding.level is not Level.NOTE)
    )


def _stable(finding: Finding) -> tuple[str, str, str, str, str, str]:
    return (
        finding.cause,
        finding.container or "",
        finding.container_id or "",
        finding.path or "",
        finding.target or "",
        finding.message,
    )
