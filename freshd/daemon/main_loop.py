"""The main thread of ``freshd run``: signals, the tick, and what a supervisor hears of both.

A daemon comes in, of one project or of several. The supervisor is fed only while the daemon does
its work; so a loop that hangs, a worker that died or a pass without end stop the feeding.
"""

import faulthandler
import os
import signal
import sys
import threading
from types import FrameType
from typing import Final, Protocol

from freshd.daemon.sd_notify import SdNotify

_TICK: Final = 0.4
"""Seconds between two ticks; each wakes an idle machine."""

_FIRST_TICK: Final = 0.1
"""The same until it is ready: somebody may wait for that."""


class Daemon(Protocol):
    """One project's daemon, or several."""

    @property
    def ready(self) -> bool:
        """Whether it watches by now."""

    @property
    def summary(self) -> str:
        """What it does, on one line."""

    def start(self) -> None: ...
    def tick(self) -> None: ...
    def trouble(self) -> str: ...
    def stop(self) -> None: ...


class MainLoop:
    """``run`` returns when a signal asked for it; a second signal leaves at once."""

    def __init__(self, daemon: Daemon, sd_notify: SdNotify) -> None:
        self._daemon = daemon
        self._sd_notify = sd_notify
        self._stop = threading.Event()
        self._is_ready = False

    def run(self) -> None:
        if self._sd_notify.listening and sys.stderr is not None:
            faulthandler.enable()  # a watchdog ends a hang with SIGABRT: then it says where
        previous = {s: signal.signal(s, self._on_signal) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._daemon.start()
            self.once()
            while not self._stop.wait(_TICK if self._is_ready else _FIRST_TICK):
                self.once()
        finally:
            self._sd_notify.stopping()
            self._daemon.stop()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def once(self) -> None:
        """One tick, and what the supervisor hears of it."""
        self._daemon.tick()
        trouble = self._daemon.trouble()
        if self._daemon.ready and not self._is_ready:
            self._is_ready = True
            ready = f"freshd {self._daemon.summary}; Ctrl-C ends it"
            print(ready, flush=True)  # noqa: T201 - this verb's one line of data
            self._sd_notify.ready()
        self._sd_notify.status(f"does not work: {trouble}" if trouble else self._daemon.summary)
        if not trouble:
            self._sd_notify.feed()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop.is_set():
            os._exit(130)  # the second time: at once; the next start reads the journal
        self._stop.set()
