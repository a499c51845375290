"""One project's daemon: its triggers, its workers, and what ``status`` shows of it.

Comes in: a project, and what the daemons of one process share. Triggers only mark; a small pool of
workers takes marks and runs passes; the main loop calls ``tick``, which keeps status true.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from freshd.config.locate import Located
from freshd.config.locations import Locations
from freshd.config.project import IfAnswering, Project, load
from freshd.daemon.boundary import Boundary
from freshd.daemon.daemon_status import DaemonStatus
from freshd.daemon.log import get_log
from freshd.daemon.work.pool import WorkerPool
from freshd.daemon.work.queue import ProjectMarks, WorkQueue
from freshd.daemon.work.saved_marks import SavedMarks
from freshd.daemon.work.worker import Worker
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.engine.events import EngineEvent
from freshd.engine.transport.endpoint import Endpoint
from freshd.notify import IncidentNotices, Notifier
from freshd.observe.compose_watch import ComposeWatches
from freshd.reconcile import consent
from freshd.reconcile.validation import take_up
from freshd.store.store import Store
from freshd.tree.git import lock_held
from freshd.triggers.engine_events import EngineEvents, EngineState
from freshd.triggers.file_events import FileEvents
from freshd.triggers.other_processes import OtherProcesses
from freshd.triggers.routes import services_of_event
from freshd.triggers.time_events import TimeEvents
from freshd.triggers.trigger import Trigger

STOP_PATIENCE: Final = 15.0
"""Seconds that steps which run are given to end."""

_MOST_PASSES: Final = 4


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
    turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST_PASSES))


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
        self._shared = shared
        self._store = shared.store
        self._asked = asked
        self._log = get_log().bind(project=project.name)
        self.ready = False
        self._trouble = ""
        self._shown: object = None
        self._told: set[str] = set()
        self._agreed: Mapping[str, str] | None = None
        self._boundary = Boundary(self._log)
        self._status = DaemonStatus(project, self._store, shared.notifier, lock=lock)
        self._is_stale = threading.Event()  # triggers have to be refreshed
        self._queue = WorkQueue(held=lock_held)
        self._marks = ProjectMarks(project, self._queue)
        self._watches = ComposeWatches()
        self._worker = Worker(
            project=project,
            endpoint=shared.endpoint,
            compose=compose,
            store=self._store,
            locations=shared.locations,
            queue=self._queue,
            log=self._log,
            notices=IncidentNotices(self._store.incidents, shared.notifier.notify),
            watches=self._watches,
        )
        self._pool = WorkerPool(
            self._worker,
            self._queue,
            project=project,
            store=self._store,
            turns=shared.turns,
            log=self._log,
        )
        self._services = project.services
        self._triggers = self._make_triggers()

    def _make_triggers(self) -> tuple[Trigger, ...]:
        """In the order in which they start, are asked, and stop."""
        project, marks = self._project, self._marks
        engine = EngineEvents(
            lambda: Engine(self._shared.endpoint),
            on_event=self._on_engine_event,
            on_connect=lambda: marks.mark_all("the engine answers"),
            on_state=self._on_engine_state,
        )
        return (
            FileEvents(
                project,
                SavedMarks(marks, self._worker),
                own=(self._shared.locations.state,),
                on_stale=self._is_stale.set,
            ),
            engine,
            TimeEvents(
                project,
                marks,
                self._store.last_runs,
                validate=self._worker.validate,
                on_gap=engine.reconnect,  # after a suspend it may be dead without a sign
                on_error=self._on_job_error,
            ),
            OtherProcesses(
                project,
                marks,
                self._store,
                compose_watches=lambda: tuple(map(str, self._watches.at_work(project))),
                on_state=self._on_compose_watch,
                on_error=self._on_others_error,
            ),
        )

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
            self._agreed = consent.fingerprint_now(self._worker.context(""))
            self._boundary.run("consent", self._record_consent)
        self._boundary.run("the validation that is owed", self._take_up_validation)
        for trigger in self._triggers:
            trigger.start()
        self._pool.start()
        self._boundary.run("status", self._save_status)
        self.ready = True

    def _record_consent(self) -> None:
        """Of the files as they were at the start, however late it can be written down."""
        if self._agreed is not None:
            consent.record(self._worker.context(""), self._agreed)
            self._agreed = None

    def _take_up_validation(self) -> None:
        weekly = self._project.policy.schedule.validate
        if weekly is not None and take_up(self._store, self.name, now=time.time()):
            self._worker.validate()

    def tick(self) -> None:
        """What has come due; quick. Never raises: what fails is said, and tried again."""
        self._boundary.run("delayed passes", self._worker.mark_due)
        self._boundary.run("its workers", self._pool.tend)
        self._boundary.run("consent", self._record_consent)
        self._boundary.run("what is watched", self._refresh)
        self._boundary.run("its state", self._notice_trouble)
        if self._status.is_due():
            self._boundary.run("status", self._save_status)

    def _refresh(self) -> None:
        if self._services is not self._project.services:  # a pass has read or settled them anew
            self._services = self._project.services
            self._is_stale.set()
        if not self._is_stale.is_set() or not self._queue.idle():
            return
        self._is_stale.clear()
        try:
            for trigger in self._triggers:
                trigger.refresh()
        except BaseException:
            self._is_stale.set()  # it is still owed
            raise

    def trouble(self) -> str:
        """Why this daemon does not do its work and will not by itself, or ""."""
        dead = next((trigger.died for trigger in self._triggers if not trigger.alive()), "")
        return self._pool.trouble() or dead

    def wind_down(self) -> None:
        """Begin nothing new, and end builds; returns at once."""
        self._pool.wind_down()

    def stop(self, patience: float = STOP_PATIENCE) -> None:
        """Triggers first, so that nothing new is begun; then the workers end their step."""
        self.wind_down()
        for trigger in self._triggers:
            trigger.stop()
        self._pool.stop(patience)
        self._log.info("stopped")

    def _on_engine_event(self, event: EngineEvent) -> None:
        for service in services_of_event(self._project, event):
            self._marks.mark(service, f"its {event.kind}: {event.action}")

    def _on_engine_state(self, state: EngineState) -> None:
        if state.up:
            self._log.info("engine up")
            self._status.engine_up()
        else:
            self._log.warning("engine away", why=state.reason)
            self._status.change()

    def _on_compose_watch(self, at_work: str) -> None:
        self._log.info(at_work or "no docker compose watch is at work any more")
        self._status.change()

    def _on_job_error(self, job: str, error: Exception) -> None:
        self._log.warning("a scheduled job failed", job=job, why=repr(error))

    def _on_others_error(self, error: Exception) -> None:
        self._log.warning("other processes could not be asked", why=repr(error))

    def _notice_trouble(self) -> None:
        trouble = self.trouble()
        shown = (dict(self._worker.problems), self._boundary.problems)
        if shown != self._shown:
            self._shown = shown
            self._status.change()
        if trouble == self._trouble:
            return
        self._trouble = trouble
        self._status.change()
        if trouble:
            self._log.warning("freshd does not work", why=trouble)

    def _unreadable(self) -> list[tuple[str, str]]:
        """What is left out of the database; each is logged once."""
        found = sorted(self._store.unreadable.items())
        for table, why in found:
            if table not in self._told:
                self._told.add(table)
                self._log.warning("a row cannot be read and is left out", table=table, why=why)
        return found

    def _save_status(self) -> None:
        failed = dict(self._worker.problems)
        rows = [f"a row of {table} cannot be read: {why}" for table, why in self._unreadable()]
        problems = (*failed.values(), *self._boundary.problems, *rows, self._trouble)
        unseen = tuple(self._project.services) if self._trouble else tuple(failed)
        self._status.save(self._triggers, problems, unseen=unseen)
