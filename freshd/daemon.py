"""The daemon: builds everything, starts and stops the threads, and hands dirty services to passes.

Comes in: what ``freshd run`` was given. Goes out: an exit status. Triggers only mark; a small pool
of workers takes marks and runs passes; the main thread waits for signals and keeps status true.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from types import FrameType

from freshd.composewatch import AtWork, ComposeWatches
from freshd.config import UserConfig, load_user_config
from freshd.dirty import Dirty
from freshd.engine.client import Engine
from freshd.engine.compose import Compose
from freshd.engine.endpoint import Endpoint, resolve
from freshd.engine.events import EngineEvent
from freshd.errors import EngineUnavailable
from freshd.locations import Locations, locate, prepare
from freshd.log import get_log, set_up
from freshd.notify import IncidentNotices, Notifier
from freshd.passes import VALIDATION, Passes
from freshd.project import Project, load
from freshd.project import locate as locate_project
from freshd.recovery import recover
from freshd.report.status import DaemonState
from freshd.single import SingleDaemon
from freshd.store.store import Store, open_store
from freshd.tree.git import lock_held
from freshd.triggers.engine_events import EngineEvents, EngineState
from freshd.triggers.schedule import Scheduler
from freshd.triggers.watch import Watcher, WatchMode
from freshd.watched import Watched

_WORKERS = 4
_TICK = 0.1
_STATUS_EVERY = 5.0
_STOP_PATIENCE = 15.0
_LOOKED_BACK = 20


def run(
    *,
    cwd: str,
    environ: Mapping[str, str],
    project_dir: str | None,
    files: Sequence[str],
    project_name: str | None,
    profiles: Sequence[str],
) -> int:
    """Watch one project until a signal comes; the exit status.

    Raises ConfigError, StateError, AlreadyRunning. An engine that is away is waited for.
    """
    locations = locate(environ)
    user = load_user_config(locations.user_config)
    endpoint = resolve(environ, configured=user.engine.host)
    compose = Compose(endpoint, environ)
    located = locate_project(
        cwd,
        project_dir=project_dir,
        files=files,
        project_name=project_name,
        profiles=profiles,
        environ=environ,
    )
    prepare(locations)
    set_up(sys.stderr, level=user.log.level, form=user.log.format)
    with SingleDaemon(locations.locks, located.directory) as single:
        try:
            with Engine(endpoint) as engine:
                project = load(located, engine=engine, compose=compose)
        except EngineUnavailable:
            project = load(located, engine=None, compose=compose)
        store = open_store(locations.database, now=time.time())
        try:
            Daemon(
                project,
                endpoint=endpoint,
                compose=compose,
                store=store,
                locations=locations,
                lock=single.path,
                user=user,
            ).run()
        finally:
            store.close()
    return 0


class Daemon:
    """One project's daemon. ``run`` returns when a signal asked for it."""

    def __init__(
        self,
        project: Project,
        *,
        endpoint: Endpoint,
        compose: Compose,
        store: Store,
        locations: Locations,
        lock: str,
        user: UserConfig,
    ) -> None:
        self._project = project
        self._store = store
        self._lock = lock
        self._log = get_log().bind(project=project.name)
        self._stop = threading.Event()
        self._refresh_watch = threading.Event()
        self._state_changed = threading.Event()
        self._recovery_lock = threading.Lock()
        self._recovered = False
        self._halted = False
        self._newest = store.journal.newest(project.name)
        self._started_at = self._since = time.time()
        self._dirty = Dirty(held=lock_held)
        self._notifier = Notifier(
            enabled=user.notifications.enabled, quiet=user.notifications.quiet_hours
        )
        self._watches = ComposeWatches()
        self._at_work: tuple[AtWork, ...] = ()
        self._passes = Passes(
            project=project,
            endpoint=endpoint,
            compose=compose,
            store=store,
            locations=locations,
            dirty=self._dirty,
            log=self._log,
            notices=IncidentNotices(store.incidents, self._notifier.notify),
            watches=self._watches,
        )
        self._watched = Watched(project)
        self._watcher = self._make_watcher()
        self._events = EngineEvents(
            lambda: Engine(endpoint),
            on_event=self._on_event,
            on_connect=self._on_connect,
            on_state=self._on_state,
        )
        self._scheduler = Scheduler(
            store.schedule, on_gap=self._on_gap, on_error=self._on_job_error
        )
        self._workers = [
            threading.Thread(target=self._work, name=f"freshd-worker-{n}", daemon=True)
            for n in range(min(_WORKERS, max(1, len(project.services))))
        ]

    def run(self) -> None:
        """Start, wait for a signal, stop. A second signal leaves at once."""
        previous = {s: signal.signal(s, self._on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._start()
            self._wait()
        finally:
            self._shut_down()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _start(self) -> None:
        if self._store.recovered:
            self._log.warning("state", problem=self._store.recovered)
        self._passes.context("").consent()
        self._notifier.start()
        self._watcher.start()
        self._schedule()
        self._scheduler.start()
        self._events.start()
        for worker in self._workers:
            worker.start()
        self._save_state()
        ready = f"freshd watches {self._project.dir} (project {self._project.name})"
        print(f"{ready}; Ctrl-C ends it", flush=True)  # noqa: T201 - this verb's one line of data

    def _wait(self) -> None:
        saved = time.monotonic()
        while not self._stop.wait(_TICK):
            self._passes.mark_due()
            if self._refresh_watch.is_set() and self._dirty.idle():
                self._refresh()
            if self._state_changed.is_set() or time.monotonic() - saved >= _STATUS_EVERY:
                saved = time.monotonic()
                self._save_state()
            self._notice_resume()
            self._notice_others()
            self._notice_compose_watch()

    def _shut_down(self) -> None:
        """Triggers first, so that nothing new is begun; then the workers end their step."""
        self._stop.set()
        self._passes.stop()
        self._watcher.stop()
        self._events.close()
        self._scheduler.stop()
        self._dirty.close()
        deadline = time.monotonic() + _STOP_PATIENCE
        for worker in self._workers:
            if worker.is_alive():
                worker.join(max(0.0, deadline - time.monotonic()))
        self._notifier.stop()
        if not any(worker.is_alive() for worker in self._workers):
            self._passes.close()
        self._log.info("stopped")

    def _work(self) -> None:
        while not self._stop.is_set():
            work = self._dirty.take(1.0)
            if work is None:
                continue
            try:
                if self._ready():
                    self._passes.run(work)
            finally:
                self._dirty.done(work.key)

    def _ready(self) -> bool:
        """What a killed run left is dealt with before the first pass; later, a killed verb's."""
        with self._recovery_lock:
            if self._passes.engine_lost.is_set():  # it may have left an entry of ours open
                self._passes.engine_lost.clear()
                self._recovered = False
            owners = self._store.journal.open_owners(self._project.name)
            if self._recovered and owners <= {os.getpid()}:
                return True
            try:
                waiting = recover(
                    self._passes.context(""), say=lambda text: self._log.warning(text)
                )
            except EngineUnavailable:
                return False  # its return marks everything
            self._recovered = waiting == 0
            return True

    def _make_watcher(self) -> Watcher:
        return Watcher(
            self._watched.roots,
            skip=self._skip,
            on_change=self._on_change,
            on_lost=self._everything,
        )

    def _skip(self, path: str, is_dir: bool) -> bool:  # noqa: FBT001 - the watcher's shape
        return self._watched.skip(path, is_dir)

    def _on_change(self, paths: Collection[str]) -> None:
        """Called by the watcher's thread: only marks."""
        if self._watched.reload_ignores(paths):
            self._refresh_watch.set()
        if any(self._watched.is_project_file(path) for path in paths):
            self._everything("a file of the project itself changed")
            self._refresh_watch.set()
            return
        for service, ours in self._watched.services_of(paths).items():
            self._dirty.mark(self._project.dir, service, paths=ours, reason="files changed")

    def _on_event(self, event: EngineEvent) -> None:
        for service in self._watched.services_of_event(event):
            reason = f"its {event.kind}: {event.action}"
            self._dirty.mark(self._project.dir, service, reason=reason)

    def _on_gap(self, reason: str) -> None:
        """After a suspend the event stream may be dead without telling."""
        self._events.reconnect()
        self._everything(reason)

    def _on_connect(self) -> None:
        self._everything("the engine answers")

    def _on_state(self, state: EngineState) -> None:
        if state.up:
            self._since = time.time()
            self._log.info("engine up")
        else:
            self._log.warning("engine away", why=state.reason)
        self._state_changed.set()

    def _everything(self, reason: str) -> None:
        for service in self._project.services:
            self._dirty.mark(self._project.dir, service, reason=reason)

    def _schedule(self) -> None:
        schedule = self._project.policy.schedule
        name = self._project.name
        self._scheduler.patrol(name, schedule.patrol, lambda: self._everything("patrol"))
        self._scheduler.weekly(name, schedule.validate, lambda: self._everything(VALIDATION))

    def _on_job_error(self, job: str, error: Exception) -> None:
        self._log.warning("a scheduled job failed", job=job, why=repr(error))

    def _refresh(self) -> None:
        """Watch what the project's files now say; passes see to the rest."""
        self._refresh_watch.clear()
        before = self._watched.roots
        self._watched = Watched(self._project)
        self._schedule()
        if self._watched.roots == before:
            self._watcher.refresh()
            return
        self._watcher.stop()
        self._watcher = self._make_watcher()
        self._watcher.start()
        self._everything("other directories are watched")

    def _notice_resume(self) -> None:
        """Halts are lifted by another process: ``freshd resume``."""
        halted = bool(self._store.halts.active(self._project.name))
        if self._halted and not halted:
            self._everything("resumed")
        self._halted = halted

    def _notice_others(self) -> None:
        """What another freshd did by hand: no event tells of files written into a container."""
        newest = self._store.journal.newest(self._project.name)
        if newest == self._newest:
            return
        known, self._newest = self._newest, newest
        for entry in self._store.journal.history(self._project.name, limit=_LOOKED_BACK):
            if entry.id >= known[0] and entry.owner_pid != os.getpid():
                self._dirty.mark(self._project.dir, entry.service, reason="changed by hand")

    def _notice_compose_watch(self) -> None:
        """While Compose keeps the containers up to date, freshd looks and does nothing."""
        found = self._watches.at_work(self._project)
        if found == self._at_work:
            return
        self._at_work = found
        self._log.info("; ".join(map(str, found)) or "no docker compose watch is at work any more")
        self._state_changed.set()
        self._everything("docker compose watch came or went")

    def _save_state(self) -> None:
        self._state_changed.clear()
        engine = self._events.state()
        state = DaemonState(
            pid=os.getpid(),
            started_at=self._started_at,
            lock=self._lock,
            watching=self._watching(),
            engine="" if engine.up else engine.reason,
            notifier=self._notifier.state(),
            problems=tuple(sorted(set(self._passes.problems.values()))),
            since=self._since,
            verifying="; ".join(map(str, self._at_work)),
        )
        self._store.status.save(
            self._project.name,
            directory=self._project.dir,
            services={},
            at=time.time(),
            extra=state.to_extra(),
        )
        self._store.status.keep(self._project.name, tuple(self._project.services))

    def _watching(self) -> str:
        state = self._watcher.state()
        where = ", ".join(self._watched.roots)
        return where if state.mode is WatchMode.WATCHING else f"{where} ({state})"

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop.is_set():
            os._exit(130)  # the second time: at once; the journal tells the next start
        self._stop.set()
