"""The work queue: any thread marks, workers take what has come due.

Marks come in, ``Work`` goes out, in the order and at the time that ``coalescing`` says.
"""

import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass

from freshd.config.project import Project
from freshd.daemon.work.coalescing import Coalescer, Key, Work


class WorkQueue:
    """The coalescer for many marking and many working threads."""

    def __init__(
        self,
        *,
        held: Callable[[str], Hashable] = lambda _project: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = Coalescer(held)
        self._clock = clock
        self._changed = threading.Condition()
        self._wakes = 0
        self._closed = False

    def mark(
        self,
        project: str,
        service: str | None = None,
        *,
        paths: Iterable[str] | None = None,
        reason: str,
    ) -> None:
        """Something may have changed; ``paths`` None: everywhere. Never blocks for long."""
        with self._changed:
            key = Key(project, service)
            if self._rules.mark(key, self._clock(), paths=paths, reason=reason):
                self._changed.notify_all()

    def take(self, timeout: float | None = None) -> Work | None:
        """Wait for work that is due; None after ``timeout`` seconds, ``wake`` or ``close``.

        Every work taken must be given back with ``done``, also when its pass failed.
        """
        deadline = None if timeout is None else self._clock() + timeout
        with self._changed:
            wakes = self._wakes
            while not self._closed and wakes == self._wakes:
                now = self._clock()
                work, wait = self._rules.next(now)
                if work is not None:
                    return work
                if deadline is not None:
                    if now >= deadline:
                        return None
                    wait = deadline - now if wait is None else min(wait, deadline - now)
                self._changed.wait(wait)
        return None

    def done(self, key: Key) -> None:
        with self._changed:
            if self._rules.done(key):
                self._changed.notify_all()

    def idle(self) -> bool:
        """Whether nothing is marked and no pass runs."""
        with self._changed:
            return self._rules.idle

    def urgent(self, project: str, service: str) -> bool:
        """Whether a quick pass of ``service``, as after a save, waits for the one that runs."""
        with self._changed:
            return self._rules.knows_paths(Key(project, service))

    def wake(self) -> None:
        """Make every waiting ``take`` return None once."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Make every ``take`` return None from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class ProjectMarks:
    """The queue as triggers see it: marks for the services of one project."""

    project: Project
    queue: WorkQueue

    def mark(self, service: str, reason: str, paths: Collection[str] | None = None) -> None:
        self.queue.mark(self.project.dir, service, paths=paths, reason=reason)

    def mark_all(self, reason: str) -> None:
        for service in self.project.services:
            self.mark(service, reason)
