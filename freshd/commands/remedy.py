"""One remedy by hand: what was typed in, the steps a plan would have, done and verified.

An injection goes through ``decide`` with a rule of its own, so that secrets, mounts and what
somebody changed in a container are as safe as under a policy.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from freshd.catalog.causes.cause import Injection
from freshd.catalog.causes.registry import slugs_where
from freshd.decide.decide import decide
from freshd.decide.memory import PassMemory
from freshd.decide.merge import BYTECODE
from freshd.model.observed.container import Replica
from freshd.model.plan import Outcome, Plan, Step
from freshd.model.policy import Rule
from freshd.model.remedy import RebuildMode, Remedy
from freshd.reconcile.context import Context
from freshd.reconcile.locks import locked
from freshd.reconcile.pending import BY_HAND
from freshd.reconcile.reconcile import Checked, OnStep, Passed, act, check_service


def carry_out(
    context: Context,
    service: str,
    remedy: Remedy,
    *,
    paths: Sequence[str] = (),
    rebuild: RebuildMode | None = None,
    given_up: Collection[str] = (),
    on_step: OnStep,
) -> Passed:
    """Do ``remedy`` to ``service`` and check again. ``paths`` are gitignore-style, for inject.

    ``given_up`` are the flags of a recreate or rebuild by which its costs are accepted.
    """
    snapshot = check_service(context, service)
    if remedy is Remedy.INJECT:
        plan = _injection(context, snapshot, tuple(paths))
    else:
        plan = Plan(service, steps=tuple(_steps(context, snapshot, remedy, rebuild)))
    outcomes: list[Outcome] = []
    if plan.steps:
        with locked(context, service):
            outcomes = act(
                *(context, plan),
                replicas=snapshot.replicas,
                on_step=on_step,
                given_up=frozenset(slugs_where(lambda cause: cause.flag in given_up)),
            )
        snapshot = check_service(context, service)
    return Passed(snapshot.report, (plan,), tuple(outcomes))


def _injection(context: Context, snapshot: Checked, paths: tuple[str, ...]) -> Plan:
    """What differs, written by one rule. Files someone changed, or that left the tree, are only
    overwritten or deleted when their path was typed."""
    kinds = {Injection.REPLACES}
    if paths:
        kinds |= {Injection.OVERWRITES, Injection.DELETES}
    rule = Rule(
        when=slugs_where(lambda cause: cause.injection in kinds),
        do=(Remedy.INJECT, Remedy.PURGE),
        paths=paths,
        name=BY_HAND,
    )
    policy = replace(context.project.policy, rules=(rule,))
    return decide(snapshot.report, policy, snapshot.replicas, PassMemory(), context.clock())


def _steps(
    context: Context, snapshot: Checked, remedy: Remedy, rebuild: RebuildMode | None
) -> list[Step]:
    causes = tuple(sorted({finding.cause for finding in snapshot.report.findings})) or ("by-hand",)
    service = snapshot.report.name
    if remedy.renews_containers:
        mode = (rebuild or RebuildMode.CACHED) if remedy is Remedy.REBUILD else None
        return [Step(remedy, service, causes, rebuild=mode, rule=BY_HAND, runs_again=True)]
    patterns = (*BYTECODE, *context.project.policy.service(service).purge)
    return [
        Step(
            remedy,
            service,
            causes,
            container=replica.name,
            container_id=replica.id,
            patterns=patterns if remedy is Remedy.PURGE else (),
            rule=BY_HAND,
        )
        for replica in snapshot.replicas
        if _can(remedy, replica)
    ]


def _can(remedy: Remedy, replica: Replica) -> bool:
    return replica.running or (remedy is Remedy.RESTART and replica.state in ("exited", "created"))
