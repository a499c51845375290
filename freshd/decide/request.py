"""One finding's request: finding, policy and container in, the remedies that can be tried out.

What cannot be done (a secret, a bind mount, a dead container) is taken out here, with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from freshd.catalog.causes.registry import get_cause
from freshd.decide.match import injection_forbidden, matching_rule, no_rule_reason
from freshd.model.mapping import Via
from freshd.model.observed.container import Replica
from freshd.model.policy import Policy, ReloadKind, Rule
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import Finding, LinkName

_MODES = tuple(RebuildMode)
_NOTHING: Final[Mapping[Remedy, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """What a rule asks for one finding. ``lost`` says why a remedy of the rule was taken out."""

    finding: Finding
    rule: Rule | None
    remedies: frozenset[Remedy] = frozenset()
    lost: str | None = None

    def without(self, remedy: Remedy, reason: str) -> "Request":
        """The same request, one remedy less, with the reason."""
        if remedy not in self.remedies:
            return self
        return replace(self, remedies=self.remedies - {remedy}, lost=reason)

    def nothing(self, reason: str) -> "Request":
        """The same request with nothing left to do, and why."""
        return replace(self, remedies=frozenset(), lost=reason)

    @property
    def mode(self) -> RebuildMode:
        """How to rebuild: as the rule says, but what the builder holds may be what is wrong."""
        asked = self.rule.rebuild if self.rule is not None else RebuildMode.CACHED
        return stronger(asked, get_cause(self.finding.cause).least_rebuild)


def stronger(mode: RebuildMode, other: RebuildMode) -> RebuildMode:
    """The mode that trusts less of what the builder remembers."""
    return max(mode, other, key=_MODES.index)


def make_request(
    finding: Finding,
    policy: Policy,
    *,
    replicas: Mapping[str, Replica],
    gates: Mapping[Remedy, str],
    spent: Mapping[Remedy, str] = _NOTHING,
) -> Request:
    """What the policy wants done about one finding and can be tried. ``replicas`` are by id.

    Where the budget of one of its remedies is ``spent``, nothing is: half of it is no remedy.
    """
    rule = matching_rule(finding, policy)
    if rule is None:
        return Request(finding, None, lost=no_rule_reason(finding, policy))
    remedies = frozenset(rule.do) - {Remedy.NOTIFY}
    if not remedies:
        return Request(finding, rule, lost="the policy says to notify")
    request = _reloaded(Request(finding, rule, remedies), policy)
    if not rule.commands:
        request = request.without(Remedy.EXEC, f"{rule.name} names no command")
    for remedy, reason in gates.items():
        request = request.without(remedy, reason)
    replica = replicas.get(finding.container_id or "")
    if finding.container_id is not None and replica is None:
        return request.nothing("the container is gone")
    request = _standing(_injected(request, policy, replica), replica)
    over = [spent[remedy] for remedy in Remedy if remedy in request.remedies & spent.keys()]
    return request.nothing(over[0]) if over else request


def _reloaded(request: Request, policy: Policy) -> Request:
    """``restart`` and ``reload`` as this service means them."""
    asked = request.remedies & {Remedy.RESTART, Remedy.RELOAD}
    if not asked:
        return request
    others = request.remedies - asked
    kind = policy.service(request.finding.service).reload.kind
    # A dead process takes no signal, and a mount is only looked up again by a new process.
    if kind is ReloadKind.RESTART or needs_restart(request.finding):
        return replace(request, remedies=others | {Remedy.RESTART})
    if kind is ReloadKind.SIGNAL:
        return replace(request, remedies=others | {Remedy.RELOAD})
    reason = "the service takes up new code by itself"
    return replace(request, remedies=others, lost=None if others else reason)


def needs_restart(finding: Finding) -> bool:
    """Whether only a restart can help, whatever the service's reload mode is."""
    return get_cause(finding.cause).only_restart or finding.via is Via.BIND


def _injected(request: Request, policy: Policy, replica: Replica | None) -> Request:
    """Take out an injection that cannot be, and what was to follow it."""
    if Remedy.INJECT not in request.remedies:
        return request
    reason = _no_injection(request.finding, policy, replica)
    if reason is None:
        return request
    if request.finding.link is LinkName.PROCESS:  # the bytes are there: they only are not run
        needless = {Remedy.INJECT}
        if get_cause(request.finding.cause).remedy is not Remedy.PURGE:
            needless.add(Remedy.PURGE)
        return replace(request, remedies=request.remedies - needless)
    if request.finding.via is Via.BIND and request.remedies & {Remedy.RESTART}:
        # Nor is it purged: a delete below a bind mount deletes on the host.
        return replace(request, remedies=request.remedies - {Remedy.INJECT, Remedy.PURGE})
    followers = {remedy for remedy in request.remedies if remedy.follows_injection}
    return replace(request, remedies=request.remedies - followers - {Remedy.INJECT}, lost=reason)


def _no_injection(finding: Finding, policy: Policy, replica: Replica | None) -> str | None:
    cause = get_cause(finding.cause)
    if cause.injection is None or finding.target is None or replica is None:
        return cause.no_injection or f"an injection does not help against {finding.cause}"
    if finding.via is Via.BIND:
        return "it is bind-mounted: the mount is never written"
    mount = replica.mount_at(finding.target)
    if mount is not None and mount.kind == "bind":
        return f"it is below the bind mount {mount.target}, which is never written"
    if mount is not None and not policy.service(finding.service).volumes:
        return f"it is on the volume at {mount.target}: `volumes = true` permits writing there"
    if replica.state in ("paused", "restarting", "dead", "removing"):
        # When that is over the engine says so; a failed try would only make the next one wait.
        return f"the container is {replica.state}"
    return injection_forbidden(finding.path, finding.target, policy)


def _standing(request: Request, replica: Replica | None) -> Request:
    """Take out what the container's state does not allow."""
    if replica is None or replica.running:
        return request
    for remedy in (remedy for remedy in Remedy if remedy.needs_process):
        request = request.without(remedy, f"the container is {replica.state}")
    if replica.state in ("paused", "dead", "removing"):
        request = request.without(Remedy.RESTART, f"the container is {replica.state}")
    return request
