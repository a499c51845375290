"""watchdog's inotify thread, which one bad event does not end: batches of events go out."""

import ctypes
import errno
import logging
import os
from collections.abc import Callable
from typing import Final

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyFD,
    Mask,
    Watch,
    WatchCallback,
    WatchDescriptor,
    inotify_add_watch,
)

# its warnings are reported as ``lost``; without a handler logging would print them on stderr
logging.getLogger("watchdog").addHandler(logging.NullHandler())

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


class InotifyReader(InotifyFD):
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
                except Exception as error:  # noqa: BLE001 - the thread must live; the loss is reported
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
