"""Decide: a service's report and the policy in, a plan out. Pure: no clock, no I/O.

Each finding gets the wish of its first matching rule (``wish``). Then the largest step wins: a
rebuild makes new containers from a new image, so it swallows everything else of the service; a
recreate makes new containers, so what would be injected waits for the next pass, which sees them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from freshd.decide.backoff import Remembered, held_back
from freshd.decide.limits import service_gates
from freshd.decide.match import matching_rule
from freshd.decide.merge import container_steps, in_order, service_step
from freshd.decide.request import Wish, wish_for
from freshd.decide.text import plan_text
from freshd.model.observed.container import Replica
from freshd.model.plan import Plan, Step
from freshd.model.policy import Policy
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, ServiceReport

__all__ = ["decide", "plan_text"]

_ORDER = {remedy: index for index, remedy in enumerate(Remedy)}
_OVERWRITES = frozenset({Remedy.INJECT, Remedy.RECREATE, Remedy.REBUILD})
_NO_FAILURES: Mapping[str, Remembered] = {}


@dataclass(frozen=True, slots=True)
class _Memory:
    """What earlier passes left: failures by step key, and the time that is now."""

    report: ServiceReport
    failures: Mapping[str, Remembered]
    now: float

    def reason(self, step: Step) -> str | None:
        """Why the step is held back, or None."""
        return held_back(step, self.report, self.failures, self.now)


def decide(
    report: ServiceReport,
    policy: Policy,
    *,
    replicas: Sequence[Replica],
    now: float,
    recent_rebuilds: Iterable[float] = (),
    failures: Mapping[str, Remembered] = _NO_FAILURES,
    owed: Sequence[Step] = (),
    consent_problem: str | None = None,
    halted: str | None = None,
    watcher: str | None = None,
) -> Plan:
    """What to do now about one service.

    ``recent_rebuilds`` are the starts of its rebuilds, seconds since the epoch like ``now``.
    ``failures`` are by ``step_key``. ``owed`` are steps that an earlier plan promised, a rebuild or
    what follows an injection, and whose end is not known. ``consent_problem``, ``halted`` and
    ``watcher`` (somebody else who keeps the containers up to date) are reasons in words.
    """
    findings = sorted(report.findings, key=_stable)
    idle = watcher if halted is None else f"halted: {halted}"
    if idle is not None:
        return Plan(
            report.name,
            notices=tuple((f, idle) for f in findings if f.level is not Level.NOTE),
        )
    gates = dict(
        service_gates(
            report.name,
            policy,
            recent_rebuilds=recent_rebuilds,
            now=now,
            consent_problem=consent_problem,
        )
    )
    loss = _would_lose(findings, policy)
    if loss is not None:
        gates.setdefault(Remedy.REBUILD, loss)
        gates.setdefault(Remedy.RECREATE, loss)
    by_id = {replica.id: replica for replica in replicas}
    wishes = [wish_for(finding, policy, replicas=by_id, gates=gates) for finding in findings]
    memory = _Memory(report, failures, now)
    steps, wishes = _steps(wishes, policy, replicas, memory)
    allowed = [step for step in owed if step.remedy not in gates]
    return Plan(report.name, _with(steps, allowed, by_id, memory), notices=_notices(wishes))


def _would_lose(findings: Iterable[Finding], policy: Policy) -> str | None:
    """New containers lose what somebody changed in the old ones; volumes outlive them."""
    for finding in findings:
        if finding.cause != "changed-in-container":
            continue
        if finding.evidence.get("mount_kind") == "volume":
            continue
        rule = matching_rule(finding, policy)
        if rule is None or not _OVERWRITES & set(rule.do):
            return (
                f"it would lose the change to {finding.path or finding.target} in "
                f"{finding.container}: only a rule that names changed-in-container may"
            )
    return None


def _steps(
    wishes: list[Wish], policy: Policy, replicas: Sequence[Replica], memory: _Memory
) -> tuple[tuple[Step, ...], list[Wish]]:
    """The steps, and the wishes as they stand when failures have held some back."""
    for remedy in (Remedy.REBUILD, Remedy.RECREATE):
        step = service_step(remedy, wishes)
        if step is None:
            continue
        reason = memory.reason(step)
        if reason is None:
            return (step,), wishes
        wishes = [wish.without(remedy, reason) for wish in wishes]
    return _container_steps(wishes, policy, replicas, memory)


def _container_steps(
    wishes: list[Wish], policy: Policy, replicas: Sequence[Replica], memory: _Memory
) -> tuple[tuple[Step, ...], list[Wish]]:
    if not wishes:
        return (), wishes
    service = policy.service(memory.report.name)
    while True:
        steps = list(container_steps(wishes, replicas, service))
        held = [(step, reason) for step in steps if (reason := memory.reason(step)) is not None]
        if not held:
            break
        step, reason = held[0]  # each turn takes at least one remedy away, so this ends
        wishes = [_hold(wish, step, reason) for wish in wishes]
    steps.sort(key=lambda step: _ORDER[step.remedy])
    return tuple(steps), wishes


def _with(
    steps: tuple[Step, ...],
    owed: Iterable[Step],
    replicas: Mapping[str, Replica],
    memory: _Memory,
) -> tuple[Step, ...]:
    """The steps and what is owed beside them; new containers owe nothing."""
    owed = [step for step in owed if memory.reason(step) is None]
    whole = [step for step in (*steps, *owed) if step.container_id is None]
    if whole:
        return (whole[0],)
    steps = tuple(_with_commands(step, owed) for step in steps)
    planned = {(step.container_id, step.remedy) for step in steps}
    added = []
    for step in owed:
        replica = replicas.get(step.container_id or "")
        covered = {(step.container_id, step.remedy)}
        if step.remedy is Remedy.RELOAD:
            covered.add((step.container_id, Remedy.RESTART))
        if replica is None or not replica.running or planned & covered:
            continue
        added.append(step)
    return tuple(sorted((*steps, *added), key=lambda step: _ORDER[step.remedy]))


def _with_commands(step: Step, owed: Iterable[Step]) -> Step:
    """The step and the commands that its container still owes."""
    if step.remedy is not Remedy.EXEC:
        return step
    same = [one for one in owed if one.remedy is step.remedy]
    ours = [one for one in same if one.container_id == step.container_id]
    commands = {*step.commands, *(each for one in ours for each in one.commands)}
    return replace(step, commands=in_order(commands))


def _hold(wish: Wish, step: Step, reason: str) -> Wish:
    """A held injection takes along what was to follow it."""
    if wish.finding.container_id not in (None, step.container_id):
        return wish
    if step.remedy not in wish.remedies:
        return wish
    return (
        wish.nothing(reason) if step.remedy is Remedy.INJECT else wish.without(step.remedy, reason)
    )


def _notices(wishes: Iterable[Wish]) -> tuple[tuple[Finding, str], ...]:
    """What is left undone, with the reason; a note that no rule names is no news."""
    return tuple(
        (wish.finding, wish.lost)
        for wish in wishes
        if wish.lost is not None and (wish.rule is not None or wish.finding.level is not Level.NOTE)
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
