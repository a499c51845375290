"""Replace all containers of a service by new ones of its image, through Compose: rule 9.

In: a step on a service. Out: DONE when as many replicas as before run, all new, and so do the
containers that shared a namespace of theirs. After a failure `up` is run once more, because a
recreate that was interrupted leaves the service down.
"""

from collections.abc import Mapping

from freshd.act.ports import World
from freshd.act.wait import wait_until_all_up
from freshd.engine.cli.command import CommandResult
from freshd.engine.cli.compose import ComposeFiles
from freshd.engine.container.host_paths import gone_sources
from freshd.model.errors import FreshdError, StepRefused
from freshd.model.observed.container import Replica
from freshd.model.plan import Outcome, Step, StepStatus


def apply(step: Step, world: World) -> Outcome:
    """Raises ConfigError, EngineUnavailable, OutcomeUnknown (Compose did not end in time),
    StepRefused (Compose did not make these containers).
    """
    before = world.replicas()
    if not before:
        return Outcome(step, StepStatus.SKIPPED, f"{step.service} has no container to recreate")
    files = find_compose_files(world, before)
    if not step.runs_again and have_ended(before):
        raise StepRefused(f"{name_all(before)} has ended, and a recreate would run it again")
    problem, lines = replace_all(world, files, before)
    if problem:
        return Outcome(step, StepStatus.FAILED, problem, output=lines)
    return Outcome(
        step, StepStatus.DONE, f"{_containers(len(before))} {how_it_went(world, before)}"
    )


def have_ended(replicas: tuple[Replica, ...]) -> bool:
    """Whether new containers in their place would run again what nobody asked for."""
    return bool(replicas) and all(replica.has_ended for replica in replicas)


def how_it_went(world: World, before: tuple[Replica, ...]) -> str:
    """What new containers do now that took the place of ``before``."""
    if not have_ended(before):
        return "recreated and up"
    now = ", ".join(f"{replica.name} {_words(replica)}" for replica in world.replicas())
    return f"recreated and run again: {now}"


def _words(replica: Replica) -> str:
    return f"exited with {replica.exit_code}" if replica.state == "exited" else replica.state


def name_all(replicas: tuple[Replica, ...]) -> str:
    """Their names, as they are said in an outcome."""
    return ", ".join(replica.name for replica in replicas)


def find_compose_files(world: World, replicas: tuple[Replica, ...]) -> ComposeFiles:
    """How Compose makes ``replicas``; StepRefused where it did not make them, or must not."""
    files = world.compose_files
    others = [
        replica.name
        for replica in replicas
        if replica.oneoff or files is None or replica.project != files.project
    ]
    if files is not None and not others:
        for replica in replicas:
            _spare_the_host(world, replica)
        world.check_renewal()
        return files
    who = ", ".join(others) or world.service
    raise StepRefused(
        f"`docker compose up` did not make {who}, so freshd neither rebuilds nor recreates it",
        hint="do that the way it was made; inject, purge and restart work",
    )


def _spare_the_host(world: World, replica: Replica) -> None:
    """Refuse where Compose would make a missing source of a bind that it still has."""
    for source in gone_sources(world.engine, replica.id):
        if source in world.wanted_binds:
            raise StepRefused(
                f"{replica.name} mounts {source}, which is gone, and a new container would get an "
                "empty directory of that name",
                hint="bring it back, or take the mount out of the Compose file",
            )


def replace_all(
    world: World, files: ComposeFiles, before: tuple[Replica, ...]
) -> tuple[str, tuple[str, ...]]:
    """("" or what is wrong, Compose's last lines). All of ``before`` must be gone then."""
    following = world.followers()
    old = {world.service: before, **following}
    scale = {name: len(replicas) for name, replicas in old.items()}
    gone = frozenset(replica.id for replicas in old.values() for replica in replicas)
    for identity in gone:
        world.engine.drop_shell(identity)
    world.journal.phase("recreate", {"scale": scale, "replaces": sorted(gone)})
    try:
        result = _up(world, files, scale, force=True)
    except FreshdError:
        _recover(world, files, scale)
        raise
    if result.ok:
        problem = _wait_until_up(world, scale, gone)
        return problem, result.lines if problem else ()
    again = _up(world, files, scale, force=False)
    after = ", ".join(f"{r.name} {r.state}" for r in world.replicas()) or "no container"
    second = "then worked" if again.ok else "failed again"
    problem = f"`up` failed ({_last(result)}), {second}; now: {after}"
    return problem, result.lines + again.lines


def _wait_until_up(world: World, scale: Mapping[str, int], gone: frozenset[str]) -> str:
    """ "" when every replica of each service in ``scale`` is new and up, else what is wrong."""
    for name, count in scale.items():

        def list_now(name: str = name) -> tuple[Replica, ...]:
            return world.replicas() if name == world.service else world.followers().get(name, ())

        problem = wait_until_all_up(list_now, count=count, gone=gone, timeouts=world.timeouts)
        if problem:
            return problem
    return ""


def _up(
    world: World, files: ComposeFiles, scale: Mapping[str, int], *, force: bool
) -> CommandResult:
    """Services that share a namespace of this one are recreated with it, since that one ends."""
    counts = dict(scale)
    return world.compose.up(
        files,
        list(scale),
        scale=scale,
        force_recreate=force,
        on_line=world.on_line,
        on_start=lambda pid: world.journal.phase("recreate", {"pid": pid, "scale": counts}),
    )


def _recover(world: World, files: ComposeFiles, scale: Mapping[str, int]) -> None:
    """A second `up` after an error: the first error is what people need to read."""
    try:
        _up(world, files, scale, force=False)
    except FreshdError:
        pass  # the same engine or the same file is at fault


def _last(result: CommandResult) -> str:
    return next((line.strip() for line in reversed(result.lines) if line.strip()), "no output")


def _containers(count: int) -> str:
    return "1 container" if count == 1 else f"{count} containers"
