"""What stops every rebuild or recreate of a service now: counts and consent in, reasons out."""

from collections.abc import Mapping, Sequence
from typing import Final

from freshd.decide.brakes.backoff import clock
from freshd.model.policy import Limits, Never, Policy
from freshd.model.remedy import Remedy

_REBUILDS: Final = (Remedy.REBUILD,)
_RESTARTS: Final = (Remedy.RESTART, Remedy.RELOAD, Remedy.RECREATE)
_INJECTIONS: Final = (Remedy.INJECT, Remedy.PURGE, Remedy.EXEC)


def service_gates(
    service: str,
    policy: Policy,
    *,
    consent_problem: str | None,
) -> Mapping[Remedy, str]:
    """remedy -> why it may not run for this service at all now."""
    gates = _never_gates(service, policy.never)
    if consent_problem is not None:  # these execute Compose files, a rebuild Dockerfiles too
        gates |= dict.fromkeys((Remedy.REBUILD, Remedy.RECREATE, Remedy.EXEC), consent_problem)
    return gates


def spent(
    service: str,
    limits: Limits,
    recent: Mapping[Remedy, Sequence[float]],
    *,
    replicas: int,
    now: float,
) -> Mapping[Remedy, str]:
    """remedy -> why the budget of its kind is spent; ``recent`` are the starts of earlier steps.

    A step of one container counts for that one alone, so there is a budget for each of the
    ``replicas``. It is whole again when nothing was done for as long as it is counted.
    """
    each = max(1, replicas)
    reasons: dict[Remedy, str] = {}
    for kind, remedies, most, window in (
        ("rebuilds", _REBUILDS, limits.rebuilds, limits.rebuild_window),
        ("restarts", _RESTARTS, limits.restarts * each, limits.window),
        ("injections", _INJECTIONS, limits.injections * each, limits.window),
    ):
        starts = sorted(start for remedy in remedies for start in recent.get(remedy, ()))
        reason = _over(service, kind, starts, most, window, now)
        if reason is not None:
            reasons |= dict.fromkeys(remedies, reason)
    return reasons


def _over(
    service: str, kind: str, starts: Sequence[float], most: int, window: float, now: float
) -> str | None:
    verb = kind.removesuffix("s").replace("injection", "inject")
    if not most:
        return f"the policy's limit is no {kind.removesuffix('s')} at all"
    within = [start for start in starts if starts[-1] - window < start]
    free = starts[-1] + window if starts else now
    if len(within) < most or now >= free:
        return None
    return (
        f"{len(within)} {kind} within {window / 60:g} minutes: the next not before {clock(free)}; "
        f"what you type is not counted: `freshd {verb} {service}`"
    )


def _never_gates(service: str, never: Never) -> dict[Remedy, str]:
    lists = {
        Remedy.RESTART: never.restart,
        Remedy.RELOAD: never.restart,
        Remedy.RECREATE: never.recreate,
        Remedy.REBUILD: never.rebuild,
    }
    return {
        remedy: f"the policy never does {remedy} for {service}"
        for remedy, services in lists.items()
        if service in services or "*" in services
    }
