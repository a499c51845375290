"""What runs in a container and since when: the engine's ``top`` in, processes out.

The engine's own ``ps`` answers, so the container needs no shell. It reports how long a process has
been running in whole seconds; beside the container's first process, whose start the engine knows
to the microsecond, that needs no time zone and no common clock.
"""

from collections.abc import Mapping, Sequence

from freshd.engine.client import Engine
from freshd.model.errors import EngineFailed
from freshd.model.observed.container import Replica
from freshd.model.observed.processes import Process

COLUMNS = "-eo pid,ppid,etimes,args"


def observe_processes(engine: Engine, replica: Replica) -> tuple[int, tuple[Process, ...]]:
    """The container's first process and all of them; () where the engine's ``ps`` cannot tell.

    Raises TargetGone, EngineUnavailable.
    """
    root = engine.first_pid(replica.id)
    try:
        rows = engine.top(replica.id, COLUMNS)
    except EngineFailed:
        return root, ()  # not running any more, or a ``ps`` that has no such columns
    return root, parsed(rows, root, started_at=replica.started_at)


def parsed(rows: Sequence[Sequence[str]], root: int, *, started_at: float) -> tuple[Process, ...]:
    """Rows of ``COLUMNS``; nothing where the first process is not among them."""
    ages: Mapping[int, int] = {int(row[0]): int(row[2]) for row in rows if _whole(row)}
    if root not in ages:
        return ()
    processes = []
    for row in filter(_whole, rows):
        pid = int(row[0])
        start = started_at + ages[root] - ages[pid]
        # both ages were cut to whole seconds
        earliest, latest = (started_at, started_at) if pid == root else (start - 1.0, start + 1.0)
        earliest = max(earliest, started_at)
        words = tuple(" ".join(row[3:]).split())
        processes.append(Process(pid, int(row[1]), words, earliest, max(latest, earliest)))
    return tuple(processes)


def _whole(row: Sequence[str]) -> bool:
    return len(row) >= 4 and all(part.isdigit() for part in row[:3])
