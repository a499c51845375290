"""Restarts one container and waits until it is up again; its files stay as they are.

In: a step with a container id. Out: DONE only when that very container runs since later than
before, and is healthy where it can tell.
"""

from freshd.act import wait
from freshd.act.ports import World
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
    following = [one for several in world.followers().values() for one in several]
    for one in (before, *following):
        spare_the_host(world.engine, one.id, f"restarting {one.name}")
    world.journal.phase("restart", {"started_at": before.started_at})
    world.engine.drop_helper(before.id)
    world.engine.restart(before.id, grace=world.limits.grace)
    problem = wait.until_up(
        world.engine, before.id, started_after=before.started_at, limits=world.limits
    )
    if problem:
        return Outcome(step, StepStatus.FAILED, problem)
    after = world.engine.replica(before.id)
    problem, names = _followers_restarted(world, following, before.id)
    if problem:
        return Outcome(step, StepStatus.FAILED, f"{after.name} restarted, but {problem}")
    health = f" and {after.health}" if after.health else ""
    others = f"; with it {', '.join(names)}" if names else ""
    return Outcome(step, StepStatus.DONE, f"{after.name} restarted, {after.state}{health}{others}")


def _followers_restarted(
    world: World, following: list[Replica], joined: str
) -> tuple[str, list[str]]:
    """Containers that share a namespace of the restarted one's still have the one that ended."""
    names: list[str] = []
    due = {joined}
    while found := [one for one in following if due.intersection(one.joins)]:
        for one in found:
            world.engine.drop_helper(one.id)
            world.engine.restart(one.id, grace=world.limits.grace)
            problem = wait.until_up(
                world.engine, one.id, started_after=one.started_at, limits=world.limits
            )
            if problem:
                return problem, names
            names.append(one.name)
        due = {one.id for one in found}
        following = [one for one in following if one not in found]
    return "", names
