"""From the staging directory to where files belong. In: shells, a staging area, its jobs.

Out: the jobs that only the engine can write, and what `mv` said of all that it did not move.
"""

from collections.abc import Collection, Iterable, Sequence

from freshd.act.write.job import Directory, Job
from freshd.act.write.staging import StagingArea, destination_of
from freshd.act.write.writers import Writers
from freshd.engine.container.shell_session import ShellSession


def find_movers(
    writers: Writers, jobs: Iterable[Job], missing: Iterable[Directory]
) -> dict[str, int]:
    """Destination -> the container's user, for those that this one may write to."""
    absent = {directory.path for directory in missing}
    return {
        destination_of(job.path, absent): writers.own.identity.uid
        for job in jobs
        if writers.own is not None and writers.own_may_write(job.above)
    }


def move(writers: Writers, stage: StagingArea, jobs: Sequence[Job]) -> tuple[list[Job], str]:
    """Where the container's user may write only shells do: neither is led elsewhere by a link that
    this user plants meanwhile, and the engine could be.
    """
    own = [job for job in jobs if writers.own_may_write(job.above)]
    others = [job for job in jobs if not writers.own_may_write(job.above)]
    problems = []
    if own and writers.own is not None:
        problems.append(_rename(writers.own, stage, own)[1])
        if problems[-1]:
            problems.append(_rename(writers.root, stage, _staged(writers, stage, own))[1])
    at_place, problem = _rename(writers.root, stage, others)
    left = _staged(writers, stage, others) if problem and at_place else []
    return left, "\n".join(filter(None, [*problems, problem]))


def _rename(shell: ShellSession, stage: StagingArea, jobs: Sequence[Job]) -> tuple[bool, str]:
    """Where names only get other content their directory keeps its times. A new name must change
    them: interpreters that listed the directory go by these.
    """
    renewed = {stage.destinations[job.path] for job in jobs if not job.replaces}
    at_place, problems = True, []
    for keep_times in (True, False):
        part = [job for job in jobs if (stage.destinations[job.path] in renewed) is not keep_times]
        if part:
            settled, problem = shell.rename(stage.moves(part), keep_times=keep_times)
            at_place = at_place and settled
            problems.append(problem)
    return at_place, "\n".join(filter(None, problems))


def _staged(writers: Writers, stage: StagingArea, jobs: Collection[Job]) -> list[Job]:
    """The jobs whose file has not left the staging directory."""
    places = [stage.places[job.path] for job in jobs]
    there = writers.root.look_for(places)
    if writers.own is not None:
        there |= writers.own.look_for(places)
    return [job for job in jobs if stage.places[job.path] in there]
