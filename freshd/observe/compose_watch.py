"""Whether ``docker compose watch`` is at work on a project: processes in, what they watch out.

Seen are processes of this machine whose command line may be read. Not seen, and so not known: one
in another machine or container, and the key ``w`` pressed in a running ``docker compose up``.
"""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from freshd.config.compose.files import default_files, split_files
from freshd.config.compose.model import ComposeService
from freshd.config.project import Project
from freshd.observe.compose_args import Watching, parse

_AGE: Final = 2.0
_YOUNG: Final = 5.0
_ROUND: Final = 60.0


@dataclass(frozen=True, slots=True)
class AtWork:
    """A process that watches the project, or only ``services`` and what they depend on."""

    pid: int
    services: tuple[str, ...] = ()

    def covers(self, service: str, model: Mapping[str, ComposeService]) -> bool:
        """Whether it keeps that service of ``model`` up to date."""
        waiting, covered = list(self.services), set[str]()
        while waiting:
            name = waiting.pop()
            if name not in covered and name in model:
                waiting += model[name].depends_on
            covered.add(name)
        return not self.services or service in covered

    def __str__(self) -> str:
        where = f" on {', '.join(self.services)}" if self.services else ""
        return f"docker compose watch (pid {self.pid}) is at work{where}"


def concerns(
    watching: Watching,
    *,
    cwd: str | None,
    environ: Mapping[str, str],
    name: str,
    files: Sequence[str],
) -> bool:
    """Whether the command is about the project ``name`` with these Compose files.

    ``cwd`` None: not known, so that only what is absolute, or the project's name, decides.
    """
    project = watching.project or environ.get("COMPOSE_PROJECT_NAME", "")
    if project:
        return project == name
    theirs = _files(watching, cwd, environ)
    ours = [os.path.realpath(file) for file in files]
    return bool(theirs) and bool(ours) and os.path.realpath(theirs[0]) == ours[0]


def _files(watching: Watching, cwd: str | None, environ: Mapping[str, str]) -> Sequence[str]:
    """The Compose files that the command reads, as Compose finds them."""
    start = cwd or ""
    if watching.files:
        return [path for file in watching.files if (path := os.path.join(start, file))[:1] == "/"]
    if cwd is None and not watching.directory.startswith("/"):
        return ()
    directory = os.path.normpath(os.path.join(start, watching.directory))
    named = environ.get("COMPOSE_FILE")
    if named:
        separator = environ.get("COMPOSE_PATH_SEPARATOR")
        return split_files(named, directory=start or directory, separator=separator)
    while not default_files(directory) and directory != "/":
        directory = os.path.dirname(directory)
    return default_files(directory)


class ComposeWatches:
    """Looks for such processes, at most every two seconds; safe to use from several threads.

    Between rounds only processes are read that are new: their number decides, not that of all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._others: set[int] = set()
        self._first_seen: dict[int, float] = {}
        self._found: dict[int, Watching] = {}
        self._looked_at = self._round_at = float("-inf")

    def at_work(self, project: Project) -> tuple[AtWork, ...]:
        """Those that watch the project, by process id; a command and its plugin are one.

        No process is read for a project without a ``develop.watch`` section.
        """
        files = project.compose_files
        if files is None or not any(service.watch for service in project.services.values()):
            return ()
        with self._lock:
            self._look()
            commands = dict(self._found)
        ours = [
            pid
            for pid, watching in sorted(commands.items())
            if _is_about(pid, watching, project.name, files.files)
        ]
        working = {commands[pid]: AtWork(pid, commands[pid].services) for pid in reversed(ours)}
        return tuple(sorted(working.values(), key=lambda at_work: at_work.pid))

    def keeping(self, project: Project, service: str) -> str | None:
        """Why nothing is done to a service that Compose itself keeps up to date now, or None."""
        services = project.services
        for watch in self.at_work(project):
            if services[service].watch and watch.covers(service, services):
                return f"{watch}: only verified"
        return None

    def _look(self) -> None:
        import psutil

        now = time.monotonic()
        if now - self._looked_at < _AGE:
            return
        self._looked_at = now
        if now - self._round_at >= _ROUND:  # numbers are given anew after a while
            self._round_at = now
            self._others.clear()
        alive = set(psutil.pids())
        self._others &= alive
        self._found = {}
        for pid in alive - self._others:
            try:
                watching = parse(psutil.Process(pid).cmdline())
            except psutil.Error:
                continue  # gone, or somebody else's: it is asked again
            first = self._first_seen.setdefault(pid, now)
            if watching is not None:
                self._found[pid] = watching
            elif now - first >= _YOUNG:  # a process becomes another program soon or not at all
                self._others.add(pid)
        self._first_seen = {pid: at for pid, at in self._first_seen.items() if pid in alive}


def _is_about(pid: int, watching: Watching, name: str, files: Sequence[str]) -> bool:
    import psutil

    cwd, environ = None, {}
    try:
        process = psutil.Process(pid)
        cwd = process.cwd()
        environ = process.environ()
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError):
        pass  # somebody else's: what the command line says must do
    return concerns(watching, cwd=cwd, environ=environ, name=name, files=files)
