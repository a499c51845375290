"""No injection takes the execute bit of what a container starts with: rule 22.

A checkout without modes (`core.fileMode = false`, Windows, a copy through a share) has lost it, and
the image's entrypoint would not start again. In: what is about to be written. Out: the same, with
the bits kept where the container's own commands need the file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from freshd.act.ports import World
from freshd.act.tally import Tally
from freshd.act.write.job import Job
from freshd.act.write.needed import find_needed
from freshd.engine.container.shell_output import FileFacts
from freshd.engine.container.shell_session import ShellSession
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Replica


def keep_startable(
    world: World,
    replica: Replica,
    shell: ShellSession | None,
    jobs: Sequence[Job],
    present: Mapping[str, FileFacts],
    seen: Mapping[str, Entry | None],
    tally: Tally,
) -> list[Job]:
    """``present`` is what is at the jobs' paths, ``seen`` what the plan saw at their targets.

    Of a file that the container needs the new content is written and may be run as before; where
    nothing but its mode differs it is refused. Raises what the engine raises.
    """
    losing = {job.path: bits for job in jobs if (bits := _lost(job, present.get(job.path)))}
    needed = find_needed(world.engine, replica, shell, losing)
    kept = []
    for job in jobs:
        if job.path not in needed:
            kept.append(job)
        elif job.want.same_content(seen.get(job.target)):
            tally.refuse(job.target, f"{needed[job.path]} if it might not be executed")
        else:
            tally.note(f"{job.target} stays executable: it is what the container starts with")
            kept.append(replace(job, mode=job.mode | losing[job.path]))
    return kept


def _lost(job: Job, fact: FileFacts | None) -> int:
    """The bits by which it may be executed now, and could not be read and executed any more."""
    if fact is None or fact.kind is not Kind.FILE or job.want.kind is not Kind.FILE:
        return 0
    run = fact.mode & 0o111
    return (run | run << 2 & fact.mode) if run & ~job.mode else 0
