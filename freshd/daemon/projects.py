"""All configured projects in one process: each begins when it can, and none waits for another.

Comes in: ``config.toml``, read again whenever it changes. A project that cannot be read (its
directory is not there, its Compose file is invalid, another freshd watches it) is reported in the
log and in ``status``, and tried again when its files change, or after a while.
"""

import os
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from freshd.config.load import ConfiguredProject
from freshd.config.locate import locate_project
from freshd.daemon.boundary import Boundary
from freshd.daemon.config_file import ConfigFile, Stamp, stamps_of
from freshd.daemon.liveness import Liveness
from freshd.daemon.log import get_log
from freshd.daemon.project import STOP_PATIENCE, ProjectDaemon, Shared, open_daemon
from freshd.model.daemon_state import ProjectsState, ProjectState
from freshd.model.errors import ConfigError, FreshdError
from freshd.store.instance_lock import InstanceLock

_ROUND_EVERY: Final = 1.0
_RETRY: Final = 30.0
_LONGEST_BEGIN: Final = 120.0  # the unit allows five minutes
_ROUND: Final = "a round over the projects"


@dataclass(slots=True)
class _Entry:
    """One configured project: its daemon, or why there is none. ``closing`` ends it."""

    configured: ConfiguredProject
    daemon: ProjectDaemon | None = None
    closing: ExitStack = field(default_factory=ExitStack)
    problem: str = ""
    stamps: tuple[Stamp, ...] = ()
    next_try: float = 0.0

    @property
    def state(self) -> ProjectState:
        name = self.daemon.name if self.daemon is not None else self.configured.name or ""
        return ProjectState(self.configured.dir, name, self.problem)


class Projects:
    """What ``MainLoop`` runs. A thread of its own begins and ends the projects' daemons.

    ``config`` is the path of ``config.toml``, ``lock`` the lock file held for all of them.
    """

    def __init__(self, shared: Shared, *, config: str, lock: str) -> None:
        self._shared = shared
        self._lock_file = lock
        self._log = get_log()
        self._config = ConfigFile(config, self._log)
        self._boundary = Boundary(self._log)
        self._entries: dict[ConfiguredProject, _Entry] = {}
        self._using = threading.Lock()  # of the entries; while it is held none is ended
        self._saved: ProjectsState | None = None
        self._liveness = Liveness()
        self._started = time.monotonic()
        self._stopping = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._rounds, name="freshd-projects", daemon=True)

    @property
    def ready(self) -> bool:
        """Once every project has begun or said why it cannot; a slow one is not waited for long."""
        return self._begun.is_set() or time.monotonic() - self._started > _LONGEST_BEGIN

    @property
    def summary(self) -> str:
        if not self.ready:
            return "begins to watch"
        state = self._state()
        watched = [project.name for project in state.projects if not project.problem]
        if not state.projects:
            return f"watches nothing: {state.problem or f'no [[project]] in {state.config}'}"
        waiting = [project for project in state.projects if project.problem]
        text = f"watches {', '.join(watched) or 'nothing'}"
        if waiting:
            text += f"; waits for {waiting[0].directory}: {waiting[0].problem}"
            text += f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        return text

    def start(self) -> None:
        self._started = time.monotonic()
        self._liveness.beat(_ROUND)
        self._thread.start()

    def tick(self) -> None:
        """Never raises: no project, and no full disk, ends the others."""
        with self._using:
            for daemon in self._daemons():
                self._boundary.run(daemon.name, daemon.tick)
        self._boundary.run("status", self._save_state)

    def _save_state(self) -> None:
        state = self._state()
        if state != self._saved:
            self._shared.store.projects_document.save(state.to_json())
            self._saved = state

    def trouble(self) -> str:
        if not self._thread.is_alive():
            return "no project can begin any more"
        if self._liveness.wedged():
            return "beginning a project does not come to its end"
        with self._using:
            troubles = ((daemon.name, daemon.trouble()) for daemon in self._daemons())
            return next((f"{name}: {trouble}" for name, trouble in troubles if trouble), "")

    def stop(self) -> None:
        self._stopping.set()
        with self._using:
            for daemon in self._daemons():
                daemon.wind_down()
        self._thread.join(STOP_PATIENCE)
        for entry in list(self._entries.values()):
            entry.closing.close()

    def _daemons(self) -> list[ProjectDaemon]:
        """Those that have begun."""
        return [entry.daemon for entry in self._entries.values() if entry.daemon is not None]

    def _state(self) -> ProjectsState:
        with self._using:
            projects = tuple(entry.state for entry in self._entries.values())
        config = self._config
        return ProjectsState(os.getpid(), self._lock_file, config.path, config.problem, projects)

    def _rounds(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except Exception as error:  # noqa: BLE001 - a bug at one project must not end the others
                self._log.exception("beginning the projects failed", why=repr(error))
            self._begun.set()
            self._stopping.wait(_ROUND_EVERY)

    def _round(self) -> None:
        """What ``config.toml`` says now: end what it no longer has, begin what can begin."""
        self._liveness.beat(_ROUND)
        self._config.refresh()
        for gone in [project for project in self._entries if project not in self._config.projects]:
            with self._using:
                entry = self._entries.pop(gone)
            self._log.info("not watched any more", directory=gone.dir)
            entry.closing.close()
        for configured in self._config.projects:
            with self._using:
                entry = self._entries.setdefault(configured, _Entry(configured))
            if self._stopping.is_set():
                return
            if entry.daemon is None and self._is_due(entry):
                self._liveness.beat(_ROUND)
                self._begin(entry)

    def _is_due(self, entry: _Entry) -> bool:
        stamps = stamps_of(entry.configured)
        changed, entry.stamps = stamps != entry.stamps, stamps
        return changed or time.monotonic() >= entry.next_try

    def _begin(self, entry: _Entry) -> None:
        """Start its daemon, or keep why that cannot be."""
        try:
            with ExitStack() as closing:
                daemon = self._open(entry.configured, closing)
                closing.callback(daemon.stop)
                daemon.start()
                entry.closing = closing.pop_all()
        except FreshdError as error:
            self._cannot(entry, "; ".join((error.message, *getattr(error, "problems", ()))))
        except Exception as error:  # noqa: BLE001 - a bug at one project must not stop the others
            self._cannot(entry, f"a bug in freshd: {error!r}")
            self._log.exception("a project could not begin", directory=entry.configured.dir)
        else:
            with self._using:
                entry.problem = ""
                entry.daemon = daemon
            self._log.info("watching", project=daemon.name, directory=entry.configured.dir)

    def _open(self, configured: ConfiguredProject, closing: ExitStack) -> ProjectDaemon:
        located = locate_project(configured.invocation(self._shared.environ))
        single = InstanceLock(self._shared.locations.locks, located.directory)
        closing.enter_context(single)
        # Starting at login is nobody's word: what was agreed to before is what counts.
        daemon = open_daemon(located, self._shared, lock=single.path, asked=False)
        for other in self._entries.values():
            if other.daemon is not None and other.daemon.name == daemon.name:
                raise ConfigError(
                    f"{other.configured.dir} has the project name {daemon.name} already; "
                    "give one of them another name"
                )
        return daemon

    def _cannot(self, entry: _Entry, problem: str) -> None:
        entry.next_try = time.monotonic() + _RETRY
        if problem != entry.problem:
            self._log.warning("not watched", directory=entry.configured.dir, why=problem)
        with self._using:
            entry.problem = problem
