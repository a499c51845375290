"""Delayed marks: a service is due again although no trigger said so, after saves and failures.

A whole pass gives way to saves, which are quick passes, and not for ever: what writes without end
does not put it off for longer than ``_LONGEST_PUT_OFF``, and the first one, without which nothing
is known of the service, not for longer than ``_FIRST_PUT_OFF``.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

_SETTLE: Final = 1.0
"""Seconds from a quick pass to the whole one that follows it, at least."""

_SETTLE_SHARE: Final = 2.0
_LONGEST_SETTLE: Final = 10.0
_FIRST_PUT_OFF: Final = 5.0
_LONGEST_PUT_OFF: Final = 150.0
_DATA: Final = "what it writes into its mounts changed"
DATA_APART: Final = 60.0
"""Seconds between two whole passes that are made for nothing but what a program writes."""


class Requeue:
    """One project's. ``mark`` is called with service and reason when a pass has come due.

    Times are seconds of ``clock``. Safe to use from several threads, as one service has one pass at
    a time.
    """

    def __init__(
        self, mark: Callable[[str, str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._mark = mark
        self._clock = clock
        self._lock = threading.Lock()
        self._due: dict[tuple[str, str], float] = {}
        self._took: dict[str, float] = {}
        self._wanted: dict[str, float] = {}
        self._saw_data: dict[str, float] = {}

    def later(self, service: str, seconds: float, reason: str) -> None:
        """Due then, or now; a later call with the same reason puts that one off."""
        if seconds <= 0:
            with self._lock:
                self._due.pop((service, reason), None)
            self._mark(service, reason)
            return
        with self._lock:
            self._due[service, reason] = self._clock() + seconds

    def after_a_save(self, service: str) -> None:
        """The longer a whole pass takes, the rarer it is in another save's way."""
        wait = min(self._settle(service), self.may_wait(service))
        self.later(service, wait, "the whole service after a change")

    def _settle(self, service: str) -> float:
        return min(max(_SETTLE, _SETTLE_SHARE * self._took.get(service, 0.0)), _LONGEST_SETTLE)

    def after_data(self, service: str, *, known: bool) -> None:
        """A whole pass is to see what a program wrote; soon, or where it was ``known`` to be
        written just now, a while after the last one.

        What is written on and on puts nothing off.
        """
        key, now = (service, _DATA), self._clock()
        soon = now + self._settle(service)
        apart = self._saw_data.get(service, -DATA_APART) + DATA_APART
        with self._lock:
            due = max(soon, apart) if known else soon
            self._due[key] = min(due, self._due.get(key, due))

    def may_wait(self, service: str) -> float:
        """For how many seconds yet, counted from when it was first asked for; else not above 0."""
        now = self._clock()
        longest = _LONGEST_PUT_OFF if service in self._took else _FIRST_PUT_OFF
        return self._wanted.setdefault(service, now) + longest - now

    def made(self, service: str, seconds: float) -> None:
        """A whole pass came to its end, and took so long."""
        self._wanted.pop(service, None)
        self._took[service] = seconds

    def mark_due(self) -> None:
        """Mark the services whose pass has come due; the main thread calls it."""
        now = self._clock()
        with self._lock:
            due = [key for key, at in self._due.items() if at <= now]
            for key in due:
                del self._due[key]
                if key[1] == _DATA:
                    self._saw_data[key[0]] = now
        for service, reason in due:
            self._mark(service, reason)
