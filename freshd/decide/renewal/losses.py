"""What forbids new containers until somebody gave it up: findings and the policy in, why out. Pure.

Rules 16 and 17. A pass asks before it plans, and a step again right before it makes them.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from freshd.catalog.causes.cause import DISCARD_CHANGES, Injection, Renewal
from freshd.catalog.causes.registry import get_cause
from freshd.decide.match import matching_rule
from freshd.model.policy import Policy
from freshd.model.remedy import Remedy
from freshd.model.report import Finding

_RENEWS = frozenset({Remedy.RECREATE, Remedy.REBUILD})
_NOTHING: Set[str] = frozenset()
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Loss:
    """``reason`` says what would be lost, and what may give it up; ``hint`` what to type for it."""

    reason: str
    hint: str


def find_loss(
    findings: Iterable[Finding],
    policy: Policy,
    given_up: Set[str] = _NOTHING,
    *,
    by_programs: Set[tuple[str | None, str | None]] = frozenset(),
) -> Loss | None:
    """What new containers would cost, by the first finding that says so; None: nothing.

    ``given_up`` are causes that a person who typed the verb gave up with it, ``by_programs`` files,
    by container id and target, that no person changed.
    """
    against = [
        finding
        for finding in findings
        if finding.cause not in given_up
        and (finding.container_id, finding.target) not in by_programs
        and _stands_against(finding, policy)
    ]
    if not against:
        return None
    first = min(against, key=lambda finding: get_cause(finding.cause).renewal is not Renewal.NEVER)
    same = [finding for finding in against if _is_change(finding)]
    return Loss(_reason(first, same), _hint(first))


def _is_change(finding: Finding) -> bool:
    return get_cause(finding.cause).flag == DISCARD_CHANGES


def overwrites(finding: Finding) -> bool:
    """Whether it is about what a container alone has."""
    return get_cause(finding.cause).injection is Injection.OVERWRITES


def _stands_against(finding: Finding, policy: Policy) -> bool:
    """New containers lose what somebody changed in the old ones; volumes outlive them."""
    cause = get_cause(finding.cause)
    if cause.renewal is Renewal.NEVER:
        return True
    if cause.flag != DISCARD_CHANGES and cause.renewal is None:
        return False
    if finding.evidence.get("mount_kind") == "volume":
        return False
    rule = matching_rule(finding, policy)
    asking = _RENEWS | {Remedy.INJECT} if cause.flag == DISCARD_CHANGES else _RENEWS
    return rule is None or not asking & set(rule.do)


def _reason(finding: Finding, changes: Sequence[Finding]) -> str:
    """``changes`` are all that somebody changed; they are told together."""
    if get_cause(finding.cause).renewal is Renewal.NEVER:
        return finding.message
    if not _is_change(finding):
        return f"{finding.message}: only a rule that names {finding.cause} may"
    where: dict[str, list[str]] = {}
    for each in changes:
        where.setdefault(_place(each), []).append(each.container or "")
    words = [f"{place} in {' and '.join(names)}" for place, names in where.items()]
    more = f" and {len(words) - _SHOWN:,} more" if len(words) > _SHOWN else ""
    causes = " or ".join(dict.fromkeys(each.cause for each in changes))
    what = f"{', '.join(words[:_SHOWN])}{more}"
    return f"it would lose the change to {what}: only a rule that names {causes} may"


def _place(finding: Finding) -> str:
    """Where a person looks for it: in the tree, or in the container alone."""
    outside = get_cause(finding.cause).injection is None
    return str(finding.target if outside else finding.path or finding.target)


def _hint(finding: Finding) -> str:
    cause = get_cause(finding.cause)
    if cause.renewal is Renewal.NEVER:
        return str(finding.evidence.get("hint") or "")
    return f"by hand, {cause.flag} gives it up"
