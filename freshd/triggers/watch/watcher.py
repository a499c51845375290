"""The watcher of any number of roots: picks a backend, checks that it lives, polls what it cannot.

Roots come in; ``on_change(paths)`` and ``on_lost(reason)`` go out, from other threads. All paths
are absolute. A path that is or was a directory stands for everything below it; ``on_lost`` means
that anything may have changed.
"""

import os
import sys
import threading
from collections.abc import Callable, Collection, Iterable
from typing import Final

from freshd.triggers.watch.backend import Backend, Sink, Skip, WatchMode, WatchState
from freshd.triggers.watch.poll import Poll

ROOT_INTERVAL: Final = 2.0
MISSING_INTERVAL: Final = 0.2  # a root that comes back and goes again is to be seen in between
POLL_INTERVAL: Final = 3.0
_MOST_RESTARTS: Final = 3


def native_backend(*, skip: Skip, sink: Sink, platform: str = sys.platform) -> Backend:
    """The platform's events. Raises ImportError or OSError where there are none to be had."""
    if platform == "linux":
        from freshd.triggers.watch.inotify import InotifyBackend

        return InotifyBackend(skip=skip, sink=sink)
    from freshd.triggers.watch.observer import ObserverBackend

    return ObserverBackend(skip=skip, sink=sink)


class _Guard:
    """The sink: whatever the callbacks do, the thread that reports goes on."""

    def __init__(
        self,
        *,
        on_change: Callable[[Collection[str]], None],
        on_lost: Callable[[str], None],
        wake: threading.Event,
    ) -> None:
        self._on_change = on_change
        self._on_lost = on_lost
        self._wake = wake
        self.error = ""

    def changed(self, paths: Collection[str]) -> None:
        try:
            self._on_change(paths)
        except Exception as error:  # noqa: BLE001 - a reporter's thread must live
            self.error = repr(error)
            self.lost(f"a change could not be handed on: {error!r}")

    def lost(self, reason: str) -> None:
        try:
            self._on_lost(reason)
        except Exception as error:  # noqa: BLE001 - as above; ``state`` shows it
            self.error = repr(error)

    def check_roots(self) -> None:
        self._wake.set()


class Watcher:
    """``skip(path, is_dir)`` prunes directories and leaves out files; it must be quick."""

    def __init__(
        self,
        roots: Iterable[str],
        *,
        skip: Skip,
        on_change: Callable[[Collection[str]], None],
        on_lost: Callable[[str], None],
        make_backend: Callable[..., Backend] = native_backend,
        root_interval: float = ROOT_INTERVAL,
        poll_interval: float = POLL_INTERVAL,
    ) -> None:
        self._wake = threading.Event()
        self._sink = _Guard(on_change=on_change, on_lost=on_lost, wake=self._wake)
        self._skip = skip
        self._make_backend = make_backend
        self._root_interval = root_interval
        self._poll_interval = poll_interval
        self._lock = threading.RLock()
        self._roots: dict[str, tuple[int, int] | None] = {
            os.path.abspath(root): None for root in roots
        }
        self._backend: Backend | None = None
        self._no_backend = ""
        self._restarts = 0
        self._poll = Poll(skip)
        self._polls_left = 0.0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="freshd-watch", daemon=True)

    def start(self) -> None:
        """Register everything; changes after the return are reported."""
        with self._lock:
            self._open_backend()
            for root in self._roots:
                self._roots[root] = self._watch(root)
            self._poll.changes(self._polled())
        self._thread.start()

    def stop(self) -> None:
        """No report after the return."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        with self._lock:
            if self._backend is not None:
                self._backend.close()
                self._backend = None

    def refresh(self) -> None:
        """``skip`` may answer differently now (an ignore file changed)."""
        with self._lock:
            if self._backend is not None:
                self._backend.refresh()

    def alive(self) -> bool:
        """Whether every thread that watching needs still runs."""
        with self._lock:
            backend_lives = self._backend is None or self._backend.alive()
        return self._thread.is_alive() and backend_lives

    def state(self) -> WatchState:
        with self._lock:
            missing = sorted(root for root, identity in self._roots.items() if identity is None)
            if missing:
                return WatchState(WatchMode.DEGRADED, f"{missing[0]} is not there")
            if self._backend is None:
                return WatchState(WatchMode.POLLING, self._no_backend)
            problem = self._backend.limit() or self._sink.error
        return WatchState(WatchMode.DEGRADED if problem else WatchMode.WATCHING, problem)

    def _run(self) -> None:
        while True:
            self._wake.wait(self._interval())
            self._wake.clear()
            if self._stopping:
                return
            try:
                self.check()
            except Exception as error:  # noqa: BLE001 - the thread must live; the loss is reported
                self._sink.lost(f"file watching: {error!r}")

    def _interval(self) -> float:
        missing = any(identity is None for identity in self._roots.values())
        return min(self._root_interval, MISSING_INTERVAL) if missing else self._root_interval

    def check(self) -> None:
        """One round over the roots, the backend and the polled directories."""
        with self._lock:
            reasons = [reason for root in self._roots if (reason := self._check_root(root))]
            reasons += self._check_backend()
            changed = self._poll_changes()
        for reason in reasons:
            self._sink.lost(reason)
        if changed:
            self._sink.changed(changed)

    def _check_root(self, root: str) -> str:
        known, now = self._roots[root], _identity(root)
        if known == now:
            return ""
        if self._backend is not None and known is not None:
            self._backend.remove(root)
        self._roots[root] = None if now is None else self._watch(root)
        if now is None:
            return f"root vanished: {root}"
        return f"root is back: {root}" if known is None else f"root replaced: {root}"

    def _watch(self, root: str) -> tuple[int, int] | None:
        """Start watching; the identity of what is watched, None when it cannot be yet."""
        identity = _identity(root)
        if identity is None or self._backend is None:
            return identity
        try:
            self._backend.add(root)
        except OSError as error:
            if identity == _identity(root):
                self._fall_back(f"{root} cannot be watched: {error.strerror or error}")
        return identity

    def _check_backend(self) -> list[str]:
        if self._backend is None or self._backend.alive():
            return []
        self._backend.close()
        self._restarts += 1
        if self._restarts > _MOST_RESTARTS:
            self._fall_back("the watching thread keeps dying")
            return ["the watching thread died; polling from now on"]
        self._open_backend()
        for root in self._roots:
            self._roots[root] = self._watch(root)
        return ["the watching thread died and was started again"]

    def _open_backend(self) -> None:
        try:
            self._backend = self._make_backend(skip=self._skip, sink=self._sink)
        except (ImportError, AttributeError) as error:
            self._fall_back(f"no file events on this system ({error})")
        except OSError as error:
            self._fall_back(f"no file events to be had: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 - watchdog's own errors have no common base
            self._fall_back(f"file events do not work: {error!r}")

    def _fall_back(self, reason: str) -> None:
        if self._backend is not None:
            self._backend.close()
        self._backend = None
        self._no_backend = reason

    def _polled(self) -> tuple[str, ...]:
        if self._backend is not None:
            return self._backend.unwatched()
        return tuple(root for root, identity in self._roots.items() if identity is not None)

    def _poll_changes(self) -> set[str]:
        self._polls_left -= self._root_interval
        if self._polls_left > 0:
            return set()
        self._polls_left = self._poll_interval
        return self._poll.changes(self._polled())


def _identity(root: str) -> tuple[int, int] | None:
    """Device and inode of a directory; None when there is none."""
    try:
        status = os.stat(os.path.join(root, ""))
    except OSError:
        return None
    return status.st_dev, status.st_ino
