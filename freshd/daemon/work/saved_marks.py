"""Marks for saved files: what a program writes into its mounts is kept out of the way of saves.

Marks of the file watcher come in. Those of what may be code go on to the queue; of a log, a
database, uploads only whole passes are made, in no hurry and with none of them put off.
"""

import threading
import time
from collections.abc import Callable, Collection
from typing import Protocol

from freshd.daemon.work.requeue import DATA_APART
from freshd.triggers.trigger import Marks


class KnowsData(Protocol):
    """What a project's worker knows of it."""

    def is_data(self, service: str, path: str) -> bool: ...
    def data_changed(self, service: str, *, known: bool) -> None: ...


class SavedMarks(Marks):
    """One project's; called by the thread that watches its files."""

    def __init__(
        self, marks: Marks, worker: KnowsData, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._marks = marks
        self._worker = worker
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}

    def mark(self, service: str, reason: str, paths: Collection[str] | None = None) -> None:
        data = {path for path in paths or () if self._worker.is_data(service, path)}
        rest = None if paths is None else set(paths) - data
        if rest is None or rest:
            self._marks.mark(service, reason, rest)
        if data:
            self._worker.data_changed(service, known=self._was_seen(data))

    def mark_all(self, reason: str) -> None:
        self._marks.mark_all(reason)

    def _was_seen(self, paths: Collection[str]) -> bool:
        """Whether each of them changed a moment ago already; remembered for the next time."""
        now = self._clock()
        with self._lock:
            self._seen = {p: at for p, at in self._seen.items() if now - at < DATA_APART}
            seen = self._seen.keys() >= set(paths)
            self._seen.update(dict.fromkeys(paths, now))
        return seen
