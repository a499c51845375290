"""Events from watchdog's observer of the platform, where there is no inotify.

Such observers report whole trees, so pruning is done after the fact; they do not report losses,
which the patrol finds.
"""

import os
from collections.abc import Callable
from typing import Final

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver, ObservedWatch

from freshd.triggers.watch.backend import Sink, Skip

_EVENTS: Final[list[type[FileSystemEvent]]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


def platform_observer() -> BaseObserver:
    """watchdog's choice: FSEvents on macOS, kqueue on the BSDs. Raises ImportError without one."""
    from watchdog.observers import Observer

    return Observer()


class ObserverBackend:
    """See ``Backend``."""

    def __init__(
        self, *, skip: Skip, sink: Sink, make: Callable[[], BaseObserver] = platform_observer
    ) -> None:
        self._skip = skip
        self._sink = sink
        self._watches: dict[str, ObservedWatch] = {}
        self._observer = make()
        self._observer.start()

    def add(self, root: str) -> None:
        handler = _Handler(root, skip=self._skip, sink=self._sink)
        self._watches[root] = self._observer.schedule(
            handler, root, recursive=True, event_filter=_EVENTS
        )

    def remove(self, root: str) -> None:
        watch = self._watches.pop(root, None)
        if watch is not None:
            self._observer.unschedule(watch)

    def refresh(self) -> None:
        """Nothing to do: ``skip`` is asked at each event."""

    def alive(self) -> bool:
        return self._observer.is_alive() and all(
            emitter.is_alive() for emitter in self._observer.emitters
        )

    def limit(self) -> str:
        return ""

    def unwatched(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        self._observer.stop()
        self._observer.join(timeout=5)


class _Handler(FileSystemEventHandler):
    """Only hands paths on; an exception here would end watchdog's thread, so none leaves."""

    def __init__(self, root: str, *, skip: Skip, sink: Sink) -> None:
        self._root = root
        self._skip = skip
        self._sink = sink

    def on_any_event(self, event: FileSystemEvent) -> None:
        try:
            paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
            kept = [path for path in paths if not self._skips(path, is_dir=event.is_directory)]
            if self._root in paths:
                self._sink.check_roots()
            if kept:
                self._sink.changed(kept)
        except Exception as error:  # noqa: BLE001 - the thread must live; the loss is reported
            self._sink.lost(f"file watching: {error!r}")

    def _skips(self, path: str, *, is_dir: bool) -> bool:
        """Whether ``path`` or a directory above it, up to the root, is left out."""
        if path == self._root:
            return True
        while path.startswith(self._root + os.sep):
            if self._skip(path, is_dir):
                return True
            path, is_dir = os.path.dirname(path), True
        return False
