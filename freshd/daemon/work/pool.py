"""The threads that have work done: they take it from the queue, one pass at a time each.

Before the first pass they deal with what a killed run left, later with what a killed verb left.
Nothing that a pass raises ends a thread; one that ended all the same is replaced, and its work is
marked again.
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
from freshd.reconcile.recovery import recover
from freshd.store.store import Store

MOST_THREADS: Final = 4
_PAUSE: Final = 1.0
"""Seconds before work is taken again, where that went wrong."""


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
        self._stopped = threading.Event()
        count = min(MOST_THREADS, max(1, len(project.services)))
        self._threads = [self._make_thread(number) for number in range(count)]

    def _make_thread(self, number: int) -> threading.Thread:
        return threading.Thread(target=self._run, name=f"freshd-worker-{number}", daemon=True)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def tend(self) -> None:
        """Put another thread in the place of one that has died; the main thread calls it."""
        for number, thread in enumerate(self._threads):
            if thread.is_alive() or self._stopping:
                continue
            self._log.warning("a worker has died; another takes its place", worker=thread.name)
            self._threads[number] = self._make_thread(number)
            self._threads[number].start()

    def trouble(self) -> str:
        """Why work is not done and will not be, or ""."""
        if not self._stopping and not all(thread.is_alive() for thread in self._threads):
            return "a worker has died"
        wedged = self._worker.liveness.wedged()
        return f"the pass of {wedged[0]} does not come to its end" if wedged else ""

    def wind_down(self) -> None:
        """Begin nothing new, and end builds; returns at once."""
        self._stopping = True
        self._stopped.set()
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
            try:
                work = self._queue.take()
            except Exception as error:  # noqa: BLE001 - a thread that waits for work must live
                self._log.exception("no work can be taken", why=repr(error))
                self._stopped.wait(_PAUSE)
                continue
            if work is not None:
                self._pass(work)

    def _pass(self, work: Work) -> None:
        name = work.key.service or ""
        came_back = False
        try:
            with self._turns:
                self._worker.liveness.beat(name)
                self._attempt(work)
            came_back = True
        finally:
            self._worker.liveness.end(name)
            self._queue.done(work.key)
            if not came_back:  # this thread ends: what it owed is another's
                self._queue.mark(*work.key, paths=work.paths, reason="its worker died")

    def _attempt(self, work: Work) -> None:
        try:
            self._settle_what_broke_off()
            self._worker.run(work)
        except Exception as error:  # noqa: BLE001 - the boundary of every pass
            self._worker.failed(work, error)

    def _settle_what_broke_off(self) -> None:
        """So that nothing that was left unfinished is in the way of the pass.

        Raises EngineUnavailable, and StateError of the database.
        """
        with self._recovery_lock:
            if self._worker.broke_off.is_set():  # it may have left an entry of ours open
                self._worker.broke_off.clear()
                self._recovered = False
            owners = self._store.journal.open_owners(self._project.name)
            if self._recovered and owners <= {os.getpid()}:
                return
            waiting = recover(self._worker.context(""), say=lambda text: self._log.warning(text))
            self._recovered = waiting == 0
