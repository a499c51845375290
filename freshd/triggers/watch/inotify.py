"""inotify by watchdog's reader thread (``InotifyFD``), with watch tables of our own.

watchdog 7.1's own group and emitter livelock after a queue overflow, swallow the watch limit, die
on rename churn, and hold an unpaired move back for 500 ms with all that follows it. Here

* adding a watch twice is normal, and so is removing one that is gone;
* pruned directories get no watch, and reading a file or directory makes no event;
* after an overflow what is missing is added, what is gone dropped, and the loss is reported;
* directories beyond the watch limit are named, to be polled;
* both halves of a move are changes at once: the watches of a moved directory are dropped where it
  was and set anew where it is, so no path can be stale.

A reported path that is or was a directory stands for everything below it.
"""

import threading
from typing import Final

from freshd.triggers.watch.backend import Sink, Skip
from freshd.triggers.watch.inotify_reader import InotifyReader
from freshd.triggers.watch.inotify_root import WatchedRoot

_LIMIT_FILE: Final = "/proc/sys/fs/inotify/max_user_watches"


class InotifyBackend:
    """See ``Backend``. Raises OSError when no inotify instance is left."""

    def __init__(self, *, skip: Skip, sink: Sink) -> None:
        self._skip = skip
        self._sink = sink
        self._roots: dict[str, WatchedRoot] = {}
        self._reader = InotifyReader(self._flush, sink.lost)
        self._reader.start()

    def add(self, root: str) -> None:
        group = WatchedRoot(root, skip=self._skip, reader=self._reader, sink=self._sink)
        self._roots[root] = group  # first, so that what its first events collect is flushed
        try:
            group.watch_all()
        except OSError:
            self.remove(root)
            raise

    def remove(self, root: str) -> None:
        group = self._roots.pop(root, None)
        if group is not None:
            group.drop()

    def refresh(self) -> None:
        for group in list(self._roots.values()):
            try:
                group.watch_all()
            except OSError:
                self._sink.check_roots()

    def alive(self) -> bool:
        return self._reader.is_alive()

    def limit(self) -> str:
        if not self.unwatched():
            return ""
        return (
            f"the inotify watch limit is reached ({_watch_limit()}), some directories are polled;"
            " raise it with: sysctl fs.inotify.max_user_watches=1048576"
        )

    def unwatched(self) -> tuple[str, ...]:
        groups = list(self._roots.values())
        return tuple(path for group in groups for path in group.unwatched())

    def close(self) -> None:
        self._reader.stop()
        if self._reader is not threading.current_thread():
            self._reader.join(timeout=5)

    def _flush(self) -> None:
        for group in list(self._roots.values()):
            group.flush()


def _watch_limit() -> str:
    try:
        with open(_LIMIT_FILE, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "unknown"
