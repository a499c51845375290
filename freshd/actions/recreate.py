"""Replaces all containers of a service by new ones of its image, through Compose: rule 9.

In: a step on a service. Out: DONE when as many replicas as before run, all new. After a failure
`up` is run once more, because a recreate that was cut off leaves the service down.
"""

from freshd.actions import waiting
from freshd.actions.world import World
from freshd.engine.compose import ComposeResult
from freshd.errors import FreshdError
from freshd.model import Outcome, Replica, Step, StepStatus


def apply(step: Step, world: World) -> Outcome:
    """Raises ConfigError, EngineUnavailable, OutcomeUnknown (Compose did not end in time)."""
    before = world.replicas()
    if not before:
        return Outcome(step, StepStatus.SKIPPED, f"{step.service} has no container to recreate")
    problem, lines = replace_all(world, before)
    if problem:
        return Outcome(step, StepStatus.FAILED, problem, output=lines)
    return Outcome(step, StepStatus.DONE, f"{_containers(len(before))} recreated and up")


def replace_all(world: World, before: tuple[Replica, ...]) -> tuple[str, tuple[str, ...]]:
    """("" or what is wrong, Compose's last lines). All of ``before`` are to be gone."""
    for replica in before:
        world.engine.drop_helper(replica.id)
    count = len(before)
    world.journal.phase("recreate", {"scale": count, "replaces": [r.id for r in before]})
    try:
        result = _up(world, count, force=True)
    except FreshdError:
        _recover(world, count)
        raise
    if result.ok:
        gone = frozenset(replica.id for replica in before)
        problem = waiting.all_up(world.replicas, count=count, gone=gone, limits=world.limits)
        return problem, result.lines if problem else ()
    again = _up(world, count, force=False)
    after = ", ".join(f"{r.name} {r.state}" for r in world.replicas()) or "no container"
    second = "then worked" if again.ok else "failed again"
    problem = f"`up` failed ({_last(result)}), {second}; now: {after}"
    return problem, result.lines + again.lines


def _up(world: World, count: int, *, force: bool) -> ComposeResult:
    return world.compose.up(
        world.compose_files,
        [world.service],
        scale={world.service: count},
        force_recreate=force,
        on_line=world.on_line,
        on_start=lambda pid: world.journal.phase("recreate", {"pid": pid, "scale": count}),
    )


def _recover(world: World, count: int) -> None:
    """A second `up` while the first error is on its way: that one is what people need to read."""
    try:
        _up(world, count, force=False)
    except FreshdError:
        pass  # the same engine or the same file is at fault


def _last(result: ComposeResult) -> str:
    return next((line.strip() for line in reversed(result.lines) if line.strip()), "no output")


def _containers(count: int) -> str:
    return "1 container" if count == 1 else f"{count} containers"
