"""The notifier's thread: notices are handed over at once, shown when they may be.

Nothing that calls it ever waits for a desktop. ``state`` is a line for ``freshd status``.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from freshd.notify.desktop import Desktop
from freshd.notify.outbox import Notice, Outbox, quiet_hours

_RETRY: Final = 30.0  # seconds after a notice that could not be shown
_TICK: Final = 5.0  # seconds between two rounds while something waits
_MOST_WAITING: Final = 1_000


class Display(Protocol):
    """Where a notice is shown: "" when it was, else why not."""

    def show(self, notice: Notice) -> str: ...
    def close(self) -> None: ...


def local_minute(now: float) -> int:
    moment = time.localtime(now)
    return moment.tm_hour * 60 + moment.tm_min


class Notifier:
    """``enabled`` False drops every notice. ``clock`` is wall time, as quiet hours are."""

    def __init__(
        self,
        *,
        enabled: bool = True,
        quiet: tuple[int, int] | None = None,
        screen: Display | None = None,
        clock: Callable[[], float] = time.time,
        minute_of_day: Callable[[float], int] = local_minute,
        retry: float = _RETRY,
        tick: float = _TICK,
    ) -> None:
        self._enabled = enabled
        self._screen = Desktop() if screen is None else screen
        self._clock = clock
        self._outbox = Outbox(quiet_hours(quiet, minute_of_day))
        self._retry = retry
        self._tick = tick
        self._problem = ""
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="freshd-notify", daemon=True)

    def start(self) -> None:
        if self._enabled:
            self._thread.start()

    def notify(self, notice: Notice) -> None:
        """Hand a notice over; returns at once."""
        if not self._enabled:
            return
        with self._changed:
            if self._outbox.waiting < _MOST_WAITING:
                self._outbox.add(notice, self._clock())
            self._changed.notify()

    def state(self) -> str:
        """``on``, ``off``, or why notices are not shown, and how many wait."""
        if not self._enabled:
            return "off"
        with self._changed:
            waiting, problem = self._outbox.waiting, self._problem
        text = problem or "on"
        return f"{text} ({waiting} waiting)" if waiting else text

    def stop(self) -> None:
        """What is due is still shown, once; what waits is dropped."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            while self._once():
                pass
        finally:
            self._screen.close()

    def _once(self) -> bool:
        """Show what is due, or wait for it; False when it is time to end."""
        with self._changed:
            due = self._outbox.take(self._clock())
            if not due:
                if self._stopping:
                    return False
                self._changed.wait(self._tick if self._outbox.waiting else None)
                return True
        for position, notice in enumerate(due):
            problem = self._screen.show(notice)
            with self._changed:
                self._problem = problem
                if problem:
                    for unshown in due[position:]:
                        self._outbox.put_back(unshown)
                    if not self._stopping:
                        self._pause()
                    return not self._stopping
        return True

    def _pause(self) -> None:
        """After a failure, also while new notices come; only ``stop`` ends it early."""
        self._changed.wait_for(lambda: self._stopping, self._retry)
