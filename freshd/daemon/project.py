"""One project's daemon: its triggers, its workers, and what ``status`` shows of it.

Comes in: a project, and what the daemons of one process share. Triggers only mark; a small pool of
workers takes marks and runs passes; the main loop calls ``tick``, which keeps status true.
"""

import os
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from freshd.config.locate import Located
from freshd.config.locations import Locations
from freshd.config.project import IfAnswering, Project, load
from freshd.daemon.log import get_log
from freshd.daemon.work.queue import WorkQueue
from freshd.daemon.work.worker import Worker
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.engine.events import EngineEvent
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.daemon_state import DaemonState
from freshd.model.errors import EngineUnavailable, FreshdError
from freshd.notify import IncidentNotices, Notifier
from freshd.observe.compose_watch import AtWork, ComposeWatches
from freshd.reconcile.recovery import recover
from freshd.reconcile.validation import take_up
from freshd.store.store import Store
from freshd.tree.git import lock_held
from freshd.triggers.engine_events import EngineEvents, EngineState
from freshd.triggers.routes import Routes
from freshd.triggers.schedule import Scheduler
from freshd.triggers.watch import Watcher, WatchMode

WORKERS = 4
STOP_PATIENCE = 15.0
_STATUS_EVERY = 5.0
_LOOK_EVERY = 0.5
_LOOKED_BACK = 20


@dataclass(frozen=True, slots=True)
class Shared:
    """What the daemons of one process have in common.

    ``turns`` limits how many passes run at once; ``environ`` is what commands are given.
    """

    endpoint: Endpoint
    environ: Mapping[str, str]
    store: Store
    locations: Locations
    notifier: Notifier
    turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(WORKERS))


def open_daemon(located: Located, shared: Shared, *, lock: str, asked: bool) -> "ProjectDaemon":
    """Read the project, and make its daemon; ``lock`` is the lock file that is held for it.

    An engine that is away is waited for. Raises ConfigError.
    """
    compose = Compose(shared.endpoint, shared.environ)  # of its own: its builds are ended with it
    with Engine(shared.endpoint) as engine:
        project = load(located, engine=IfAnswering(engine), compose=compose)
    return ProjectDaemon(project, shared, compose=compose, lock=lock, asked=asked)


class ProjectDaemon:
    """Call ``start``, ``tick`` again and again from one thread, and ``stop``.

    With ``asked`` somebody typed that this project be watched: that is consent to its files as
    they are at the start.
    """

    def __init__(
        self, project: Project, shared: Shared, *, compose: Compose, lock: str, asked: bool
    ) -> None:
        self._project = project
        self._store = shared.store
        self._notifier = shared.notifier
        self._turns = shared.turns
        self._lock = lock
        self._asked = asked
        self._log = get_log().bind(project=project.name)
        self._stop = threading.Event()
        self._refresh_watch = threading.Event()
        self._state_changed = threading.Event()
        self._recovery_lock = threading.Lock()
        self._recovered = False
        self._halted = False
        self._trouble = ""
        self.ready = False
        self._newest = self._store.journal.newest(project.name)
        self._started_at = self._since = time.time()
        self._saved = self._looked = 0.0
        self._queue = WorkQueue(held=lock_held)
        self._watches = ComposeWatches()
        self._at_work: tuple[AtWork, ...] = ()
        self._worker = Worker(
            project=project,
            endpoint=shared.endpoint,
            compose=compose,
            store=self._store,
            locations=shared.locations,
            queue=self._queue,
            log=self._log,
            notices=IncidentNotices(self._store.incidents, self._notifier.notify),
            watches=self._watches,
        )
        self._own = (shared.locations.state,)
        self._routes = Routes(project, own=self._own)
        self._watcher = self._make_watcher()
        self._events = EngineEvents(
            lambda: Engine(shared.endpoint),
            on_event=self._on_event,
            on_connect=self._on_connect,
            on_state=self._on_state,
        )
        self._scheduler = Scheduler(
            self._store.schedule, on_gap=self._on_gap, on_error=self._on_job_error
        )
        self._workers = [
            threading.Thread(target=self._work, name=f"freshd-worker-{n}", daemon=True)
            for n in range(min(WORKERS, max(1, len(project.services))))
        ]

    @property
    def name(self) -> str:
        """The project's."""
        return self._project.name

    @property
    def summary(self) -> str:
        """What it does, on one line."""
        return f"watches {self._project.dir} (project {self._project.name})"

    def start(self) -> None:
        """Watch from the return on."""
        if self._asked:
            self._worker.context("").consent()
        self._watcher.start()
        self._schedule()
        weekly = self._project.policy.schedule.validate
        if weekly is not None and take_up(self._store, self.name, now=time.time()):
            self._worker.validate()
        self._scheduler.start()
        self._events.start()
        for worker in self._workers:
            worker.start()
        self._save_state()
        self.ready = True

    def tick(self) -> None:
        """What has come due; quick."""
        self._worker.mark_due()
        if self._refresh_watch.is_set() and self._queue.idle():
            self._refresh()
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            self._notice_trouble()
            self._notice_resume()
            self._notice_others()
            self._notice_compose_watch()
        if self._state_changed.is_set() or now - self._saved >= _STATUS_EVERY:
            self._save_state()

    def trouble(self) -> str:
        """Why this daemon does not do its work and will not by itself, or ""."""
        if not all(worker.is_alive() for worker in self._workers):
            return "a worker has died"
        wedged = self._worker.liveness.wedged()
        if wedged:
            return f"the pass of {wedged[0]} does not come to its end"
        if not self._watcher.alive():
            return "file watching has died"
        if not self._events.alive():
            return "the engine's events are not listened to any more"
        return "" if self._scheduler.alive() else "the schedule has died"

    def wind_down(self) -> None:
        """Begin nothing new, and end builds; returns at once."""
        self._stop.set()
        self._worker.stop()

    def stop(self, patience: float = STOP_PATIENCE) -> None:
        """Triggers first, so that nothing new is begun; then the workers end their step."""
        self.wind_down()
        self._watcher.stop()
        self._events.close()
        self._scheduler.stop()
        self._queue.close()
        deadline = time.monotonic() + patience
        for worker in self._workers:
            if worker.is_alive():
                worker.join(max(0.0, deadline - time.monotonic()))
        if not any(worker.is_alive() for worker in self._workers):
            self._worker.close()
        self._log.info("stopped")

    def _work(self) -> None:
        while not self._stop.is_set():
            work = self._queue.take(1.0)
            if work is None:
                continue
            name = work.key.service or ""
            try:
                with self._turns:
                    self._worker.liveness.beat(name)
                    if self._ready():
                        self._worker.run(work)
            except FreshdError as error:  # the database, for one: the patrol comes again
                self._log.warning("a pass could not begin", why=error.message)
            finally:
                self._worker.liveness.end(name)
                self._queue.done(work.key)

    def _ready(self) -> bool:
        """What a killed run left is dealt with before the first pass; later, a killed verb's."""
        with self._recovery_lock:
            if self._worker.engine_lost.is_set():  # it may have left an entry of ours open
                self._worker.engine_lost.clear()
                self._recovered = False
            owners = self._store.journal.open_owners(self._project.name)
            if self._recovered and owners <= {os.getpid()}:
                return True
            try:
                waiting = recover(
                    self._worker.context(""), say=lambda text: self._log.warning(text)
                )
            except EngineUnavailable:
                return False  # its return marks everything
            self._recovered = waiting == 0
            return True

    def _make_watcher(self) -> Watcher:
        return Watcher(
            self._routes.roots,
            skip=self._skip,
            on_change=self._on_change,
            on_lost=self._everything,
        )

    def _skip(self, path: str, is_dir: bool) -> bool:  # noqa: FBT001 - the watcher's shape
        return self._routes.skip(path, is_dir)

    def _on_change(self, paths: Collection[str]) -> None:
        """Called by the watcher's thread: only marks."""
        if self._routes.reload_ignores(paths):
            self._refresh_watch.set()
        if any(self._routes.is_project_file(path) for path in paths):
            self._everything("a file of the project itself changed")
            self._refresh_watch.set()
            return
        for service, ours in self._routes.services_of(paths).items():
            self._queue.mark(self._project.dir, service, paths=ours, reason="files changed")

    def _on_event(self, event: EngineEvent) -> None:
        for service in self._routes.services_of_event(event):
            reason = f"its {event.kind}: {event.action}"
            self._queue.mark(self._project.dir, service, reason=reason)

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
            self._queue.mark(self._project.dir, service, reason=reason)

    def _schedule(self) -> None:
        schedule = self._project.policy.schedule
        name = self._project.name
        self._scheduler.patrol(name, schedule.patrol, lambda: self._everything("patrol"))
        self._scheduler.weekly(name, schedule.validate, self._worker.validate)

    def _on_job_error(self, job: str, error: Exception) -> None:
        self._log.warning("a scheduled job failed", job=job, why=repr(error))

    def _refresh(self) -> None:
        """Watch what the project's files now say; passes see to the rest."""
        self._refresh_watch.clear()
        before = self._routes.roots
        self._routes = Routes(self._project, own=self._own)
        self._schedule()
        if self._routes.roots == before:
            self._watcher.refresh()
            return
        self._watcher.stop()
        self._watcher = self._make_watcher()
        self._watcher.start()
        self._everything("other directories are watched")

    def _notice_trouble(self) -> None:
        trouble = self.trouble()
        if trouble == self._trouble:
            return
        self._trouble = trouble
        self._state_changed.set()
        if trouble:
            self._log.warning("freshd does not work", why=trouble)

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
                self._queue.mark(self._project.dir, entry.service, reason="changed by hand")

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
        self._saved = time.monotonic()
        engine = self._events.state()
        state = DaemonState(
            pid=os.getpid(),
            started_at=self._started_at,
            lock=self._lock,
            watching=self._watching(),
            engine="" if engine.up else engine.reason,
            notifier=self._notifier.state(),
            problems=tuple(sorted({*self._worker.problems.values(), self._trouble} - {""})),
            since=self._since,
            verifying="; ".join(map(str, self._at_work)),
        )
        self._store.status.save(
            self._project.name,
            directory=self._project.dir,
            services={},
            at=time.time(),
            extra=state.to_json(),
        )
        self._store.status.keep(self._project.name, tuple(self._project.services))

    def _watching(self) -> str:
        state = self._watcher.state()
        where = ", ".join(self._routes.roots)
        return where if state.mode is WatchMode.WATCHING else f"{where} ({state})"
