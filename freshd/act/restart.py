"""Restart one container and wait until it is up again; its files stay as they are.

In: a step with a container id. Out: DONE only when that very container runs since later than
before, and is healthy where it has a health check.
"""

from freshd.act.ports import World
from freshd.act.wait import wait_until_up
from freshd.engine.container.host_paths import spare_the_host
from freshd.model.errors import StepRefused
from freshd.model.observed.container import Replica
from freshd.model.plan import Outcome, Step, StepStatus


def apply(step: Step, world: World) -> Outcome:
    """Raises TargetGone, StepRefused (paused), HostPathGone, EngineFailed, OutcomeUnknown."""
    assert step.container_id is not None, "a restart names its container"
    before = world.engine.replica(step.container_id)
    if before.state in ("paused", "dead", "removing"):
        raise StepRefused(f"{before.name} is {before.state}: it is not restarted")
    following = [replica for replicas in world.followers().values() for replica in replicas]
    for replica in (before, *following):
        spare_the_host(world.engine, replica.id, f"restarting {replica.name}")
    world.journal.phase("restart", {"started_at": before.started_at})
    world.engine.drop_shell(before.id)
    world.engine.restart(before.id, grace=world.timeouts.grace)
    problem = wait_until_up(
        world.engine, before.id, started_after=before.started_at, timeouts=world.timeouts
    )
    if problem:
        return Outcome(step, StepStatus.FAILED, problem)
    after = world.engine.replica(before.id)
    problem, names = _restart_followers(world, following, before.id)
    if problem:
        return Outcome(step, StepStatus.FAILED, f"{after.name} restarted, but {problem}")
    health = f" and {after.health}" if after.health else ""
    others = f"; with it {', '.join(names)}" if names else ""
    return Outcome(step, StepStatus.DONE, f"{after.name} restarted, {after.state}{health}{others}")


def _restart_followers(
    world: World, following: list[Replica], joined: str
) -> tuple[str, list[str]]:
    """Containers that share a namespace of the restarted one's still have the one that ended."""
    names: list[str] = []
    ended = {joined}
    while joining := [replica for replica in following if ended.intersection(replica.joins)]:
        for replica in joining:
            world.engine.drop_shell(replica.id)
            world.engine.restart(replica.id, grace=world.timeouts.grace)
            problem = wait_until_up(
                world.engine, replica.id, started_after=replica.started_at, timeouts=world.timeouts
            )
            if problem:
                return problem, names
            names.append(replica.name)
        ended = {replica.id for replica in joining}
        following = [replica for replica in following if replica not in joining]
    return "", names
