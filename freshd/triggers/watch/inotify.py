"""inotify by watchdog's reader thread (``InotifyFD``), with watch tables of our own.

watchdog 7.1's own group and emitter livelock after a queue overflow, swallow the watch limit, die
on rename churn, and hold an unpaired move back for 500 ms with all that follows it. Here

* adding a watch twice is normal, and so is removing one that is gone;
* pruned directories get no watch, and reading a file or directory makes no event;
* after an overflow what is missing is added, what is gone dropped, and the loss is told;
* directories beyond the watch limit are named, to be polled;
* both halves of a move are changes at once: the watches of a moved directory are dropped where it
  was and set anew where it is, so no path can be stale.

A reported path that is or was a directory stands for everything below it.
"""

import ctypes
import errno
import logging
import os
import threading
from collections.abc import Callable
from typing import Final

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    Watch,
    WatchCallback,
    WatchDescriptor,
    inotify_add_watch,
)

from freshd.triggers.watch.backend import Sink, Skip

# its warnings are told as ``lost``; without a handler logging would print them on stderr
logging.getLogger("watchdog").addHandler(logging.NullHandler())

_LIMIT_FILE: Final = "/proc/sys/fs/inotify/max_user_watches"
_EVENTS: Final = (
    InotifyConstants.IN_MODIFY
    | InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
    | InotifyConstants.IN_EXCL_UNLINK
)
_APPEARED: Final = InotifyConstants.IN_CREATE | InotifyConstants.IN_MOVED_TO
_WENT: Final = InotifyConstants.IN_DELETE | InotifyConstants.IN_MOVED_FROM
_ITSELF: Final = InotifyConstants.IN_DELETE_SELF | InotifyConstants.IN_MOVE_SELF


class _Reader(InotifyFD):
    """watchdog's inotify thread; an error in one event neither ends it nor goes unsaid."""

    def __init__(self, after_batch: Callable[[], None], on_error: Callable[[str], None]) -> None:
        super().__init__()
        self.name = "freshd-inotify"
        self._after_batch = after_batch
        self._on_error = on_error

    def run(self) -> None:
        while self.should_keep_running():
            try:
                events = self.read_events()
            except OSError as error:
                self._on_error(f"file watching ended: {error.strerror}")
                return  # whoever asks ``is_alive`` starts a new one
            for event in events:
                try:
                    self.handle_event(event)
                except Exception as error:  # noqa: BLE001 - the thread must live; the loss is told
                    self._on_error(f"file watching: {error!r}")
            self._after_batch()

    def watch(self, path: bytes, callback: WatchCallback, *, follow: bool) -> WatchDescriptor:
        """Watch ``path``, again or anew. Raises OSError; ENOSPC is the watch limit."""
        mask = _EVENTS if follow else _EVENTS | InotifyConstants.IN_DONT_FOLLOW
        with self._lock:
            if self._closed:
                raise OSError(errno.EBADF, "closed")
            number = inotify_add_watch(self._inotify_fd, path, Mask(mask))
            if number == -1:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code), os.fsdecode(path))
            watch = self._watch_for_wd.get(number)
            if watch is None:
                watch = self._watch_for_wd[number] = Watch(number, Mask(mask), path)
            watch.callbacks[CallbackId(id(callback))] = callback
            return number

    def unwatch(self, number: WatchDescriptor, callback: WatchCallback) -> None:
        """Stop watching; one that is gone already is no error."""
        with self._lock:
            watch = self._watch_for_wd.get(number)
            if self._closed or watch is None or CallbackId(id(callback)) not in watch.callbacks:
                return
            self._remove_callback(number, CallbackId(id(callback)))


class _Root(WatchCallback):
    """The watches of one root: which descriptor is which directory, and which are below which."""

    def __init__(self, path: str, *, skip: Skip, reader: _Reader, sink: Sink) -> None:
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
            seen = {self._numbers[self.top]}
            for directory, _ in self._descend(self.top):
                seen.add(self._numbers[directory])
            for number in before - seen:
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
                    self._sink.look_at_roots()
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
            self._sink.look_at_roots()
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
        found: list[tuple[bytes, list[bytes]]] = []
        pending = [top]
        while pending:
            directory = pending.pop()
            directories, names = self._list(directory)
            found.append((directory, names))
            for below in directories:
                try:
                    self._watch(below)
                except OSError as error:
                    self._note(below, error)
                    continue
                pending.append(below)
        return found

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
            # gone again, or closed to us: its parent's watch tells when that changes
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
        """ENOSPC is told; gone or closed directories are the parent's watch to tell of."""
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


class InotifyBackend:
    """See ``Backend``. Raises OSError when no inotify instance is left."""

    def __init__(self, *, skip: Skip, sink: Sink) -> None:
        self._skip = skip
        self._sink = sink
        self._roots: dict[str, _Root] = {}
        self._reader = _Reader(self._flush, sink.lost)
        self._reader.start()

    def add(self, root: str) -> None:
        group = _Root(root, skip=self._skip, reader=self._reader, sink=self._sink)
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
                self._sink.look_at_roots()

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
