"""The inotify watches of one root, one for each directory below it, kept true by their own events.

Events come in from the reader's thread; changed paths and losses go out to a ``Sink``.
"""

import errno
import os
import threading
from typing import Final

from watchdog.observers.inotify_c import (
    InotifyConstants,
    InotifyEvent,
    WatchCallback,
    WatchDescriptor,
)

from freshd.triggers.watch.backend import Sink, Skip
from freshd.triggers.watch.inotify_reader import InotifyReader

_APPEARED: Final = InotifyConstants.IN_CREATE | InotifyConstants.IN_MOVED_TO
_WENT: Final = InotifyConstants.IN_DELETE | InotifyConstants.IN_MOVED_FROM
_ITSELF: Final = InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF


class WatchedRoot(WatchCallback):
    """The watches of one root: which descriptor is which directory, and which are below which."""

    def __init__(self, path: str, *, skip: Skip, reader: InotifyReader, sink: Sink) -> None:
        self.top = os.fsencode(path)
        self._unwatched: set[bytes] = set()
        self._skip = skip
        self._reader = reader
        self._sink = sink
        self._lock = threading.RLock()
        self._paths: dict[WatchDescriptor, bytes] = {}
        self._numbers: dict[bytes, WatchDescriptor] = {}
        self._below: dict[bytes, set[bytes]] = {}
        self._changed: set[bytes] = set()
        self._lost = ""

    def watch_all(self) -> None:
        """Bring the watches to what is there. Raises OSError when the root cannot be watched."""
        with self._lock:
            before = set(self._paths)
            self._unwatched.clear()
            self._watch(self.top)
            present = {self._numbers[self.top]}
            for directory, _ in self._descend(self.top):
                present.add(self._numbers[directory])
            for number in before - present:
                self._forget(number)

    def unwatched(self) -> list[str]:
        """The directories beyond the watch limit."""
        with self._lock:
            return sorted(map(os.fsdecode, self._unwatched))

    def drop(self) -> None:
        with self._lock:
            self._drop_below(self.top)

    def flush(self) -> None:
        """Hand on what a batch of events has collected; called without any lock."""
        with self._lock:
            changed, self._changed = self._changed, set()
            lost, self._lost = self._lost, ""
        if changed:
            self._sink.changed([os.fsdecode(path) for path in changed])
        if lost:
            self._sink.lost(lost)

    def on_event(self, event: InotifyEvent) -> None:
        with self._lock:
            directory = self._paths.get(event.wd)
            if directory is None:
                return  # of a watch dropped since: its directory was reported when that happened
            if event.mask & _ITSELF:
                if directory == self.top:
                    self._sink.check_roots()
                return
            path = os.path.join(directory, event.name) if event.name else directory
            is_dir = bool(event.mask & InotifyConstants.IN_ISDIR)
            if not event.name or self._skips(path, is_dir=is_dir):
                return
            self._changed.add(path)
            if is_dir:
                self._follow(event.mask, path)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        with self._lock:
            self._forget(wd)

    def on_queue_overflow(self) -> None:
        """Events were dropped: watch what appeared unseen first, then say that anything changed."""
        try:
            self.watch_all()
        except OSError:
            self._sink.check_roots()
        with self._lock:
            self._lost = "the kernel's event queue overflowed"

    def _follow(self, mask: int, path: bytes) -> None:
        if mask & _WENT:
            self._drop_below(path)
        if mask & _APPEARED or path not in self._numbers:
            self._watch_new(path)

    def _watch_new(self, path: bytes) -> None:
        """Watch a directory that came; what was in it before the watch is reported by its walk."""
        try:
            self._watch(path)
        except OSError as error:
            self._note(path, error)
            return
        for _, names in self._descend(path):
            self._changed.update(names)

    def _descend(self, top: bytes) -> list[tuple[bytes, list[bytes]]]:
        """Watch every directory below ``top``, each before it is read: (directory, its paths)."""
        walked: list[tuple[bytes, list[bytes]]] = []
        pending = [top]
        while pending:
            directory = pending.pop()
            directories, names = self._list(directory)
            walked.append((directory, names))
            for below in directories:
                try:
                    self._watch(below)
                except OSError as error:
                    self._note(below, error)
                    continue
                pending.append(below)
        return walked

    def _list(self, directory: bytes) -> tuple[list[bytes], list[bytes]]:
        directories: list[bytes] = []
        names: list[bytes] = []
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    is_dir = entry.is_dir(follow_symlinks=False)
                    if self._skips(entry.path, is_dir=is_dir):
                        continue
                    names.append(entry.path)
                    if is_dir:
                        directories.append(entry.path)
        except OSError:
            # gone again, or closed to us: its parent's watch reports when that changes
            pass
        return directories, names

    def _watch(self, path: bytes) -> None:
        number = self._reader.watch(path, self, follow=path == self.top)
        known = self._paths.get(number)
        if known is not None and known != path:
            self._unlink(number, known)
        old = self._numbers.get(path)
        if old is not None and old != number:
            self._forget(old)
        self._paths[number] = path
        self._numbers[path] = number
        if path != self.top:
            self._below.setdefault(os.path.dirname(path), set()).add(path)

    def _note(self, path: bytes, error: OSError) -> None:
        """ENOSPC is kept; of a directory that is gone or closed its parent's watch reports."""
        if error.errno == errno.ENOSPC:
            self._unwatched.add(path)

    def _drop_below(self, top: bytes) -> None:
        pending = [top]
        while pending:
            path = pending.pop()
            pending.extend(self._below.get(path, ()))
            number = self._numbers.get(path)
            if number is not None:
                self._forget(number)
            self._below.pop(path, None)
            self._unwatched.discard(path)

    def _forget(self, number: WatchDescriptor) -> None:
        path = self._paths.pop(number, None)
        if path is None:
            return
        self._unlink(number, path)
        self._reader.unwatch(number, self)

    def _unlink(self, number: WatchDescriptor, path: bytes) -> None:
        if self._numbers.get(path) != number:
            return  # the path is another directory's by now
        del self._numbers[path]
        siblings = self._below.get(os.path.dirname(path))
        if siblings is not None:
            siblings.discard(path)
            if not siblings:
                del self._below[os.path.dirname(path)]

    def _skips(self, path: bytes, *, is_dir: bool) -> bool:
        return self._skip(os.fsdecode(path), is_dir)
