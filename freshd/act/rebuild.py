"""Build a service's image, prove that it holds the tree, then recreate: rules 9 and 15.

In: a step with a ``RebuildMode``. Out: DONE when the image's files are the tree's and every replica
runs that image. A failed build changes nothing that runs; its last lines are in the outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from freshd.act import recreate
from freshd.act.ports import World
from freshd.engine.cli.command import CommandResult
from freshd.engine.cli.compose import ComposeFiles
from freshd.model.errors import EngineFailed, StepRefused
from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.remedy import RebuildMode
from freshd.model.text import printable

_SHOWN = 3
_FRESH = {
    RebuildMode.CACHED: RebuildMode.FRESH_CONTEXT,
    RebuildMode.FRESH_CONTEXT: RebuildMode.FRESH_CONTEXT,
    RebuildMode.NO_CACHE: RebuildMode.CLEAN,
    RebuildMode.CLEAN: RebuildMode.CLEAN,
}


@dataclass(frozen=True, slots=True)
class _Built:
    """``inputs`` were read before the build; ``wrong`` are paths where image and tree differ."""

    result: CommandResult
    inputs: Mapping[str, str]
    wrong: tuple[str, ...] = ()


def apply(step: Step, world: World) -> Outcome:
    """Raises ConfigError, EngineFailed, EngineUnavailable, OutcomeUnknown, StepRefused."""
    mode = step.rebuild or RebuildMode.CACHED
    files = recreate.find_compose_files(world, world.replicas())
    built = _build(world, files, mode)
    moved = False
    if built.wrong:
        # Either BuildKit took old files for unchanged, or the tree changed: then this is no proof.
        moved = world.inputs() != built.inputs
        built = _build(world, files, mode if moved else _FRESH[mode])
        moved = built.wrong != () and world.inputs() != built.inputs
    if not built.result.ok:
        world.engine.ping()  # if the engine went away in the meantime, nothing is known
        detail = f"the build failed with {built.result.exit_code}; what runs is untouched"
        return Outcome(step, StepStatus.FAILED, detail, output=built.result.lines)
    if moved:
        detail = "the tree keeps changing while it is built"
        return Outcome(step, StepStatus.SKIPPED, detail, output=built.result.lines)
    if built.wrong:
        _record(world, built)  # what it was made of shows from now on that the image is stale
        return Outcome(step, StepStatus.FAILED, _explain(built.wrong), output=built.result.lines)
    return _recreate(step, world, files, built)


def _build(world: World, files: ComposeFiles, mode: RebuildMode) -> _Built:
    inputs = dict(world.inputs())
    world.journal.phase("build", {"mode": mode.value})
    result = world.compose.build(
        files,
        [world.built_by or world.service],
        mode=mode,
        labels=world.labels(inputs),
        timeout=world.timeouts.build,
        on_line=lambda line: world.on_line(world.conceal(line)),
        on_start=lambda pid: world.journal.phase("build", {"mode": mode.value, "pid": pid}),
    )
    result = replace(result, lines=tuple(map(world.conceal, result.lines)))
    return _Built(result, inputs, world.mismatches() if result.ok else ())


def _record(world: World, built: _Built) -> None:
    image = world.engine.image(world.image_ref)
    if image is not None:
        world.record_build(image.id, built.inputs)


def _recreate(step: Step, world: World, files: ComposeFiles, built: _Built) -> Outcome:
    image = world.engine.image(world.image_ref)
    if image is None:
        raise EngineFailed(f"the build succeeded, and there is no image {world.image_ref}")
    world.record_build(image.id, built.inputs)
    before = world.replicas()
    lines = built.result.lines
    name = image.id.removeprefix("sha256:")[:12]
    has_ended = recreate.have_ended(before)
    if has_ended and not step.runs_again:
        left = f"{recreate.name_all(before)} has ended, and is left as it is"
        detail = f"built {name}; {left}: `freshd rebuild {step.service}` runs it again"
        return Outcome(step, StepStatus.DONE, detail, output=lines)
    if not has_ended and all(replica.image_id == image.id for replica in before):
        runs = "all containers run it" if before else "no container to recreate"
        return Outcome(step, StepStatus.DONE, f"built {name}; {runs}", output=lines)
    try:
        # A build takes minutes: what was asked before it may not be so any more, and only now it is
        # known which volumes the new image has.
        files = recreate.find_compose_files(world, before)
    except StepRefused as refused:
        detail = f"built {name}; the containers are as before: {refused.message}"
        hint = f" ({refused.hint})" if refused.hint else ""
        return Outcome(step, StepStatus.REFUSED, f"{detail}{hint}", output=lines)
    problem, output = recreate.replace_all(world, files, before)
    if problem:
        return Outcome(step, StepStatus.FAILED, f"built {name}, but {problem}", output=output)
    other = [r.name for r in world.replicas() if r.image_id != image.id]
    if other:
        detail = f"built {name}, but {', '.join(other)} runs another image"
        return Outcome(step, StepStatus.FAILED, detail, output=lines)
    detail = f"built {name}; {len(before)} {recreate.how_it_went(world, before)}"
    return Outcome(step, StepStatus.DONE, detail, output=lines)


def _explain(paths: tuple[str, ...]) -> str:
    shown = ", ".join(printable(path) for path in paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"stale-build-context: the new image does not hold the tree's {shown}{more}"
