"""Other freshds on the same project: a process table in, those that are meant out."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from freshd.model.paths import is_below

_PROC = "/proc"


@dataclass(frozen=True, slots=True)
class RunningProcess:
    pid: int
    argv: tuple[str, ...]
    directory: str


def is_daemon(process: RunningProcess) -> bool:
    """``freshd run``, however it was started."""
    names = [word.rpartition("/")[2] for word in process.argv[:4]]
    return "freshd" in names and "run" in process.argv[1:]


def select_inside(processes: Iterable[RunningProcess], directory: str) -> Iterator[RunningProcess]:
    """Those that were started in the project or below it."""
    top = os.path.realpath(directory)
    for process in processes:
        if is_below(process.directory, top):
            yield process


def list_processes() -> Iterator[RunningProcess]:
    """The processes of this machine that this user may read; none where there is no /proc."""
    try:
        pids = [name for name in os.listdir(_PROC) if name.isdigit()]
    except OSError:
        return
    for pid in pids:
        try:
            with open(f"{_PROC}/{pid}/cmdline", "rb") as file:
                words = file.read().rstrip(b"\0").split(b"\0")
            directory = os.readlink(f"{_PROC}/{pid}/cwd")
        except OSError:
            continue  # it has ended, or this user may not read it
        yield RunningProcess(int(pid), tuple(map(os.fsdecode, words)), directory)
