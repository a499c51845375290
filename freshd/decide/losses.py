"""What forbids new containers until somebody gave it up: findings and the policy in, why out. Pure.

Rules 16 and 17. A pass asks before it plans, and a step again right before it makes them.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from freshd.catalog.causes.cause import Injection, Renewal
from freshd.catalog.causes.registry import get_cause
from freshd.decide.match import matching_rule
from freshd.model.policy import Policy
from freshd.model.remedy import Remedy
from freshd.model.report import Finding

_RENEWS = frozenset({Remedy.RECREATE, Remedy.REBUILD})
_NOTHING: Set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Loss:
    """``reason`` says what would be lost, and what may give it up; ``hint`` what to type for it."""

    reason: str
    hint: str


def find_loss(
    findings: Iterable[Finding], policy: Policy, given_up: Set[str] = _NOTHING
) -> Loss | None:
    """What new containers would cost, by the first finding that says so; None: nothing.

    ``given_up`` are causes that a person who typed the verb gave up with it.
    """
    for finding in findings:
        if finding.cause not in given_up and _stands_against(finding, policy):
            return Loss(_reason(finding), _hint(finding))
    return None


def _stands_against(finding: Finding, policy: Policy) -> bool:
    """New containers lose what somebody changed in the old ones; volumes outlive them."""
    cause = get_cause(finding.cause)
    if cause.renewal is Renewal.NEVER:
        return True
    asking = _RENEWS
    if cause.injection is Injection.OVERWRITES:
        if finding.evidence.get("mount_kind") == "volume":
            return False
        asking = _RENEWS | {Remedy.INJECT}
    elif cause.renewal is None:
        return False
    rule = matching_rule(finding, policy)
    return rule is None or not asking & set(rule.do)


def _reason(finding: Finding) -> str:
    cause = get_cause(finding.cause)
    if cause.renewal is Renewal.NEVER:
        return finding.message
    if cause.injection is Injection.OVERWRITES:
        what = f"{finding.path or finding.target} in {finding.container}"
        return f"it would lose the change to {what}: only a rule that names {finding.cause} may"
    return f"{finding.message}: only a rule that names {finding.cause} may"


def _hint(finding: Finding) -> str:
    cause = get_cause(finding.cause)
    if cause.renewal is Renewal.NEVER:
        return str(finding.evidence.get("hint") or "")
    return f"by hand, {cause.flag} gives it up"
