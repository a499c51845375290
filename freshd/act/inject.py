"""Write files of the tree into one container, and delete what the tree no longer has.

In: a step with its ``FileChange``s. Out: what was read back afterwards. Files are staged, then
renamed, so that no reader sees half a file; where the image has no shell or ``mv``, the container
does not run, or nobody in it may write there, they are written in place, and the outcome says so.
Only what was read back equal is recorded as written.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from freshd.act import read_back
from freshd.act.ports import World
from freshd.act.tally import Tally
from freshd.act.write import delete, moving, rules, staging
from freshd.act.write.job import Directory, Job
from freshd.act.write.prepare import prepare
from freshd.act.write.writers import Writers, open_writers
from freshd.engine.container import archive, places
from freshd.engine.container.shell_session import ShellSession
from freshd.engine.container.spool import Spool
from freshd.model.errors import EngineFailed, OutcomeUnknown, StepRefused
from freshd.model.files import Kind
from freshd.model.observed.container import Replica
from freshd.model.paths import ancestors
from freshd.model.plan import FileChange, Outcome, Step

if TYPE_CHECKING:
    from freshd.model.text import Json

_BATCH_BYTES = 64 * 1024 * 1024


def apply(step: Step, world: World) -> Outcome:
    """Raises TargetGone, StepRefused (the container's state), EngineFailed, OutcomeUnknown."""
    replica = read_target(step, world)
    writers, why = get_writers(world, replica)
    shell = None if writers is None else writers.root
    tally = Tally()
    writes = [change for change in step.files if change.want is not None]
    removals = [change for change in step.files if change.want is None]
    blocking = _find_blocking(removals, writes)
    if blocking:
        delete.delete(world, replica, writers, blocking, tally, why)
    if writers is not None:
        occupied = [c for c in writes if c.seen is not None and c.seen.kind is Kind.DIR]
        delete.clear_places(world, replica, writers, occupied, tally)
    for batch in _batches(writes):
        with Spool() as spool:
            jobs, missing = prepare(world, replica, shell, batch, tally, spool)
            _write(world, replica, writers, jobs, missing, tally, why)
    rest = [change for change in removals if change not in blocking]
    if rest:
        delete.delete(world, replica, writers, rest, tally, why)
    return tally.outcome(step)


def _find_blocking(
    removals: Sequence[FileChange], writes: Sequence[FileChange]
) -> list[FileChange]:
    """Where a file became a directory or a directory a file, the old one goes first.

    All others go last, so that a renamed file is never missing under both names.
    """
    gone = {change.target for change in removals}
    replaced = {parent for change in writes for parent in ancestors(change.target)} & gone
    covered = {change.target for change in writes}
    return [
        change
        for change in removals
        if change.target in replaced or not covered.isdisjoint(ancestors(change.target))
    ]


def read_target(step: Step, world: World) -> Replica:
    """The step's container now, by its full id. Raises TargetGone, StepRefused for its state."""
    assert step.container_id is not None, "a step on one container names it"
    replica = places.with_real_mounts(world.engine, world.engine.replica(step.container_id))
    if replica.state not in ("running", "created", "exited"):
        raise StepRefused(
            f"{replica.name} is {replica.state}: nothing is written into it now",
            hint=f"`docker unpause {replica.name}`" if replica.state == "paused" else None,
        )
    return replica


def get_writers(world: World, replica: Replica) -> tuple[Writers | None, str]:
    """The kept execs, or None and why there are none."""
    writers, why = open_writers(world.engine, replica)
    if writers is not None:
        staging.sweep(world.engine, replica.id, writers, _tops(world, replica))
    return writers, why


def _tops(world: World, replica: Replica) -> list[str]:
    volumes = [m.target for m in replica.mounts if m.kind == "volume" and m.writable]
    return ([] if replica.read_only else ["/"]) + (volumes if world.volumes_allowed else [])


def _batches(changes: Sequence[FileChange]) -> Iterator[list[FileChange]]:
    batch: list[FileChange] = []
    size = 0
    for change in changes:
        more = change.want.size if change.want else 0
        if batch and size + more > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(change)
        size += more
    if batch:
        yield batch


def _write(
    world: World,
    replica: Replica,
    writers: Writers | None,
    jobs: list[Job],
    missing: list[Directory],
    tally: Tally,
    why: str,
) -> None:
    by_top: dict[str, list[Job]] = {}
    for job in jobs:
        if writers is None and job.want.kind is Kind.LINK:
            tally.refuse(job.target, f"a link cannot be made in this container: {why}")
            continue
        by_top.setdefault(rules.find_top(replica, job.path), []).append(job)
    errors = ""
    for top, group in by_top.items():
        own = [directory for directory in missing if rules.find_top(replica, directory.path) == top]
        if writers is None:
            _put_in_place(world, replica, top, group, own)
            tally.note(f"in place, not atomically: {why}")
            continue
        left, failures = _put_staged(world, replica, writers, top, group, own)
        errors += failures
        if left:
            errors += f"\n{_put_what_is_left(world, replica, top, left, own)}"
            tally.note("in place, not atomically: root in the container may not rename there")
    root = None if writers is None else writers.root
    _verify(world, replica, root, [j for g in by_top.values() for j in g], tally, errors)


def _put_staged(
    world: World,
    replica: Replica,
    writers: Writers,
    top: str,
    jobs: list[Job],
    missing: list[Directory],
) -> tuple[list[Job], str]:
    """What only the engine can write, and what `mv` printed.

    The staging directory is gone afterwards, whatever happened.
    """
    stage = staging.stage_files(top, jobs, missing, moving.find_movers(writers, jobs, missing))
    data: Mapping[str, Json] = {
        "staging": [stage.directory],
        "files": len(jobs),
        "helper": writers.root.token,
        "own_helper": writers.own.token if writers.own is not None else "",
    }
    try:
        with stage.tar:
            world.journal.phase("put", data)
            archive.put(world.engine, replica.id, path=top, tar=stage.tar)
        errors = _make_links(writers, stage, jobs)
        world.journal.phase("rename", data)
        left, failures = moving.move(writers, stage, jobs)
        world.journal.phase("verify", {"files": len(jobs)})
    except OutcomeUnknown:
        # The engine may still be unpacking; the next shell sweeps what is left.
        world.engine.drop_shell(replica.id)
        raise
    except EngineFailed:
        staging.clean_after_failure(world.engine, replica.id, writers, stage)
        raise
    staging.clean(world.engine, replica.id, writers, stage)
    return left, errors + failures


def _make_links(writers: Writers, stage: staging.StagingArea, jobs: list[Job]) -> str:
    """Links never travel in a tar, where unpacking could go through them."""
    errors = ""
    for job in jobs:
        if job.want.kind is Kind.LINK:
            text = job.content.read().decode("utf-8", "surrogateescape")
            own = writers.own if writers.own_may_write(job.above) else None
            errors += (own or writers.root).link(text, stage.places[job.path])
    return errors


def _put_what_is_left(
    world: World, replica: Replica, top: str, jobs: Sequence[Job], missing: Sequence[Directory]
) -> str:
    """What nobody in the container may rename, as the engine may; "" or why it did not."""
    files = [job for job in jobs if job.want.kind is Kind.FILE]
    absent = {directory.path for directory in missing}
    places = [staging.destination_of(job.path, absent) for job in files]
    asked = dict.fromkeys(above for place in places for above in (place, *ancestors(place)))
    stats = {path: archive.stat(world.engine, replica.id, path) for path in asked if path != "/"}
    if not files or any(stat is None or stat.kind is not Kind.DIR for stat in stats.values()):
        return ""
    needed = {above for job in files for above in ancestors(job.path)}
    try:
        _put_in_place(world, replica, top, files, [d for d in missing if d.path in needed])
    except EngineFailed as error:
        return error.message
    return ""


def _put_in_place(
    world: World, replica: Replica, top: str, jobs: Sequence[Job], missing: Sequence[Directory]
) -> None:
    with staging.pack_in_place(top, jobs, missing) as tar:
        world.journal.phase("put", {"files": len(jobs), "in_place": True})
        archive.put(world.engine, replica.id, path=top, tar=tar)
    world.journal.phase("verify", {"files": len(jobs)})


def _verify(
    world: World,
    replica: Replica,
    shell: ShellSession | None,
    jobs: Sequence[Job],
    tally: Tally,
    errors: str,
) -> None:
    """Rule 5: the engine's 200 proves nothing. Read back kind, content and mode of every file."""
    if not jobs:
        return
    paths = [job.path for job in jobs]
    entries = read_back.read_entries(world.engine, replica.id, paths, shell)
    good = {}
    for job in jobs:
        entry = entries.get(job.path)
        mode_ok = entry is not None and (job.want.kind is Kind.LINK or entry.mode == job.mode)
        if mode_ok and job.want.same_content(entry):
            good[job.target] = job.want.digest
        else:
            because = f" ({' '.join(errors.split())})" if errors else ""
            tally.fail(job.target, f"read back, it is not what was written{because}")
    world.written.set_many(replica.id, good, world.clock())
    tally.written += len(good)
