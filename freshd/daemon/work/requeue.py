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
        wait = min(max(_SETTLE, _SETTLE_SHARE * self._took.get(service, 0.0)), _LONGEST_SETTLE)
        self.later(service, min(wait, self.may_wait(service)), "the whole service after a change")

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
        for service, reason in due:
            self._mark(service, reason)
