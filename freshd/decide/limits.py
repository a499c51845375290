"""What stops every rebuild or recreate of a service now: counts and consent in, reasons out."""

from collections.abc import Iterable, Mapping

from freshd.decide.backoff import clock
from freshd.model.policy import Limits, Never, Policy
from freshd.model.remedy import Remedy


def service_gates(
    service: str,
    policy: Policy,
    *,
    recent_rebuilds: Iterable[float],
    now: float,
    consent_problem: str | None,
) -> Mapping[Remedy, str]:
    """remedy -> why it may not run for this service at all now."""
    gates = _never_gates(service, policy.never)
    limit = rebuild_limit(recent_rebuilds, policy.limits, now=now)
    if limit is not None:
        gates.setdefault(Remedy.REBUILD, limit)
    if consent_problem is not None:  # these execute Compose files, a rebuild Dockerfiles too
        gates |= dict.fromkeys((Remedy.REBUILD, Remedy.RECREATE, Remedy.EXEC), consent_problem)
    return gates


def rebuild_limit(recent: Iterable[float], limits: Limits, *, now: float) -> str | None:
    """Why no rebuild may start now; ``recent`` are the starts of earlier ones. None: one may."""
    within = sorted(start for start in recent if now - limits.rebuild_window < start)
    if len(within) < limits.rebuilds:
        return None
    if not limits.rebuilds:
        return "the policy's limit is no rebuild at all"
    free = within[-limits.rebuilds] + limits.rebuild_window
    minutes = limits.rebuild_window / 60
    return f"{len(within)} rebuilds within {minutes:g} minutes: the next not before {clock(free)}"


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
