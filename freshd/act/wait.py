"""Wait for what a restart or recreate should lead to: replicas in, "" or what is wrong out."""

import time
from collections.abc import Callable, Sequence

from freshd.act.ports import Timeouts
from freshd.engine.client import Engine
from freshd.model.observed.container import Replica


def poll(check: Callable[[], str | None], timeouts: Timeouts) -> str:
    """Call ``check`` until it returns "" (good) or a reason (bad); None means not yet.

    After ``timeouts.patience`` seconds the reason is that it is not up.
    """
    deadline = time.monotonic() + timeouts.patience
    while True:
        verdict = check()
        if verdict is not None:
            return verdict
        if time.monotonic() >= deadline:
            return f"not up after {timeouts.patience:.0f} s"
        time.sleep(timeouts.poll)


def wait_until_up(
    engine: Engine, container_id: str, *, started_after: float, timeouts: Timeouts
) -> str:
    """Until this very container runs since after ``started_after`` (unix seconds), and is healthy.

    Without a health check it must stay up for ``timeouts.settle`` seconds. Raises TargetGone.
    """
    first: list[tuple[float, float]] = []

    def check() -> str | None:
        replica = engine.replica(container_id)
        if replica.started_at <= started_after and replica.running:
            return None
        if not replica.running:
            return _not_running(replica)
        if first and replica.started_at != first[0][0]:
            return f"{replica.name} starts again and again"
        if not first:
            first.append((replica.started_at, time.monotonic()))
        return _up(replica, time.monotonic() - first[0][1], timeouts)

    return poll(check, timeouts)


def wait_until_all_up(
    replicas: Callable[[], Sequence[Replica]],
    *,
    count: int,
    gone: frozenset[str],
    timeouts: Timeouts,
) -> str:
    """Until ``count`` replicas run and are healthy, none of them one of ``gone`` (full ids)."""
    seen_up: list[float] = []

    def check() -> str | None:
        now = replicas()
        if any(replica.id in gone for replica in now):
            return None
        if len(now) != count:
            seen_up.clear()
            return None
        verdicts = [_not_running(replica) for replica in now if not replica.running]
        if None in verdicts:
            seen_up.clear()
            return None
        seen_up.append(time.monotonic())
        up_for = seen_up[-1] - seen_up[0]
        verdicts += [_up(replica, up_for, timeouts) for replica in now if replica.running]
        return next((v for v in verdicts if v), None if None in verdicts else "")

    return poll(check, timeouts)


def _not_running(replica: Replica) -> str | None:
    if (
        replica.state == "exited"
        and replica.exit_code == 0
        and replica.restart_policy in ("", "no")
    ):
        return ""  # a one-shot job that did its work
    if replica.state in ("exited", "dead"):
        return f"{replica.name} exited with {replica.exit_code} right after it started"
    if replica.state == "restarting":
        return f"{replica.name} exits with {replica.exit_code} and is started again and again"
    return None


def _up(replica: Replica, up_for: float, timeouts: Timeouts) -> str | None:
    if replica.health == "unhealthy":
        return f"{replica.name} is unhealthy"
    if replica.health == "healthy":
        return ""
    if replica.health == "starting" or up_for < timeouts.settle:
        return None
    return ""
