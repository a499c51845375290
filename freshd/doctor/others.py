"""Other programs that bring the tree into the same containers: a process table in, findings out."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PROC = "/proc"


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    argv: tuple[str, ...]
    directory: str


def is_compose_watch(process: Process) -> bool:
    """``docker compose watch`` or ``up --watch``: the command and not its plugin, to count once."""
    words = [process.argv[0].rpartition("/")[2], *process.argv[1:]] if process.argv else []
    if words[:1] == ["docker"] and "compose" in words:
        rest = words[words.index("compose") + 1 :]
    elif words[:1] == ["docker-compose"]:
        rest = words[1:]
        if rest[:1] == ["compose"]:
            return False  # the plugin, started by the docker command that counts
    else:
        return False
    return "watch" in rest or ("up" in rest and bool({"--watch", "-w"} & set(rest)))


def is_daemon(process: Process) -> bool:
    """``freshd run``, however it was started."""
    names = [word.rpartition("/")[2] for word in process.argv[:4]]
    return "freshd" in names and "run" in process.argv[1:]


def inside(processes: Iterable[Process], directory: str) -> Iterator[Process]:
    """Those that were started in the project or below it."""
    top = os.path.realpath(directory)
    for process in processes:
        if process.directory == top or process.directory.startswith(f"{top}/"):
            yield process


def processes() -> Iterator[Process]:
    """What runs on this machine and may be looked at; nothing where there is no /proc."""
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
            continue  # it has ended, or is not ours to look at
        yield Process(int(pid), tuple(map(os.fsdecode, words)), directory)
