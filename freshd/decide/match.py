"""The rule of a finding, and what forbids an injection: a finding and the policy in.

``explain``, the remedies typed by hand and ``decide`` ask the same questions here.
"""

from freshd.catalog.causes.registry import get_cause
from freshd.decide.develop_watch import watch_rule
from freshd.decide.secrets import secret_pattern
from freshd.model.patterns import matcher, matching_pattern
from freshd.model.policy import ANY_CAUSE, Policy, Rule
from freshd.model.report import Finding, Level

NO_POLICY = "without a policy nothing is changed: `freshd init` proposes one"


def matching_rule(finding: Finding, policy: Policy) -> Rule | None:
    """The first rule that applies to the finding, or what ``develop.watch`` asks for, or None."""
    own = next((rule for rule in policy.rules if applies(rule, finding)), None)
    return own if own is not None else watch_rule(finding, policy.watch)


def applies(rule: Rule, finding: Finding) -> bool:
    """Whether services, causes and paths of the rule fit.

    ``*`` does not reach notes, deletions, nor what someone else changed in a container.
    """
    if rule.services and finding.service not in rule.services:
        return False
    if not _names(rule, finding.cause):
        careful = get_cause(finding.cause).named_only or finding.level is Level.NOTE
        if careful or ANY_CAUSE not in rule.when:
            return False
    if not rule.paths:
        return True
    return finding.path is not None and matcher(rule.paths)(finding.path)


def _names(rule: Rule, cause: str) -> bool:
    """Whether the rule asks for this cause by its slug, or by one that it stands for."""
    return not {cause, *get_cause(cause).stands_for}.isdisjoint(rule.when)


def injection_forbidden(path: str | None, target: str | None, policy: Policy) -> str | None:
    """Why the policy never injects this file, in words that hold no content; None: it may."""
    never = policy.never
    if path is not None and never.inject:
        pattern = matching_pattern(never.inject, path)
        if pattern is not None:
            return f"the policy never injects {pattern}"
    if path is not None and path in never.allow:
        return None
    for name in (path, target):
        secret = secret_pattern(name) if name else None
        if secret is not None:
            return f"it looks like a secret ({secret}) and is never injected"
    return None


def no_rule_reason(finding: Finding, policy: Policy) -> str:
    """Why no rule applies to the finding."""
    if not policy.rules and not policy.watch:
        return "there is no policy for it" if policy.path else NO_POLICY
    if get_cause(finding.cause).named_only:
        return f"only a rule that names {finding.cause} may touch it"
    if policy.path is None:
        return "no develop.watch rule speaks of it"
    return "no rule of the policy applies"
