"""The threads that have work done: they take it from the queue, one pass at a time each.

Before the first pass they deal with what a killed run left, later with what a killed verb left.
"""

import os
import threading
import time
from typing import Final

from freshd.config.project import Project
from freshd.daemon.log import Log
from freshd.daemon.work.coalescing import Work
from freshd.daemon.work.queue import WorkQueue
from freshd.daemon.work.worker import Worker
from freshd.model.errors import EngineUnavailable, FreshdError
from freshd.reconcile.recovery import recover
from freshd.store.store import Store

MOST_THREADS: Final = 4


class WorkerPool:
    """One thread a service, four at most. ``turns`` limits the passes of all projects."""

    def __init__(
        self,
        worker: Worker,
        queue: WorkQueue,
        *,
        project: Project,
        store: Store,
        turns: threading.Semaphore,
        log: Log,
    ) -> None:
        self._worker = worker
        self._queue = queue
        self._project = project
        self._store = store
        self._turns = turns
        self._log = log
        self._stopping = False
        self._recovery_lock = threading.Lock()
        self._recovered = False
        self._threads = [
            threading.Thread(target=self._run, name=f"freshd-worker-{n}", daemon=True)
            for n in range(min(MOST_THREADS, max(1, len(project.services))))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def trouble(self) -> str:
        """Why work is not done and will not be, or ""."""
        if not all(thread.is_alive() for thread in self._threads):
            return "a worker has died"
        wedged = self._worker.liveness.wedged()
        return f"the pass of {wedged[0]} does not come to its end" if wedged else ""

    def wind_down(self) -> None:
        """Begin nothing new, and end builds; returns at once."""
        self._stopping = True
        self._worker.stop()
        self._queue.wake()

    def stop(self, patience: float) -> None:
        """Wait for the steps that run, at most ``patience`` seconds; then no thread takes work."""
        self.wind_down()
        self._queue.close()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        if not any(thread.is_alive() for thread in self._threads):
            self._worker.close()

    def _run(self) -> None:
        while not self._stopping:
            work = self._queue.take()
            if work is not None:
                self._pass(work)

    def _pass(self, work: Work) -> None:
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
        """Whether a pass may begin: nothing that a dead freshd left unfinished is in its way."""
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
