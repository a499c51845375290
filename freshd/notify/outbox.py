"""Which notices go out now, pure: limits per key and in all, quiet hours, and one word for many.

Notices wait by key, the newest instead of an older one of the same key. Nothing is forgotten:
what may not go out now goes out later, several as one summary.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

KEY_INTERVAL: Final = 60.0
WINDOW: Final = 600.0
MOST_IN_WINDOW: Final = 10
MOST_AT_ONCE: Final = 3
_NAMED_IN_SUMMARY: Final = 3
_SUMMARY_KEY: Final = "freshd:summary"


@dataclass(frozen=True, slots=True)
class Notice:
    """``key`` says what it is about; ``urgent`` ones may stay on the screen."""

    key: str
    title: str
    body: str = ""
    urgent: bool = False


class Outbox:
    """``is_quiet(now)`` says whether notices rest. Times are seconds of any one clock."""

    def __init__(self, is_quiet: Callable[[float], bool] = lambda _now: False) -> None:
        self._is_quiet = is_quiet
        self._waiting: dict[str, Notice] = {}
        self._last: dict[str, tuple[float, Notice]] = {}
        self._window: deque[float] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add(self, notice: Notice, now: float) -> None:
        """Keep it for ``take``; a key that is back to what was last shown has nothing to say."""
        sent = self._last.get(notice.key)
        is_back = sent is not None and sent[1] == notice and now - sent[0] < KEY_INTERVAL
        self._waiting.pop(notice.key, None)
        if not is_back:
            self._waiting[notice.key] = notice

    def take(self, now: float) -> tuple[Notice, ...]:
        """What goes out now, at most as the limits allow; counts as sent until ``put_back``."""
        self._expire(now)
        if self._is_quiet(now):
            return ()
        room = MOST_IN_WINDOW - len(self._window)
        if room <= 0:
            return ()
        ready = [notice for key, notice in self._waiting.items() if self._rested(key, now)]
        if not ready:
            return ()
        out = ready if len(ready) <= min(room, MOST_AT_ONCE) else [summary(ready)]
        for notice in ready:
            del self._waiting[notice.key]
            self._last[notice.key] = (now, notice)
        self._window.extend(now for _ in out)
        return tuple(out)

    def put_back(self, notice: Notice) -> None:
        """It could not be shown: it waits again, unless there is a newer one of its key."""
        self._last.pop(notice.key, None)
        self._waiting = {notice.key: notice} | self._waiting
        if self._window:
            self._window.pop()

    def _rested(self, key: str, now: float) -> bool:
        sent = self._last.get(key)
        return sent is None or now - sent[0] >= KEY_INTERVAL

    def _expire(self, now: float) -> None:
        while self._window and now - self._window[0] >= WINDOW:
            self._window.popleft()
        for key in [key for key, (at, _) in self._last.items() if now - at >= KEY_INTERVAL]:
            del self._last[key]


def summary(notices: list[Notice]) -> Notice:
    """One notice for many; an earlier summary that could not be shown keeps its place in it."""
    lines = [notice.title for notice in notices[:_NAMED_IN_SUMMARY]]
    more = len(notices) - len(lines)
    if more:
        lines.append(f"and {more} more: freshd status")
    urgent = any(notice.urgent for notice in notices)
    return Notice(_SUMMARY_KEY, f"freshd: {len(notices)} notices", "\n".join(lines), urgent)


def quiet_hours(
    hours: tuple[int, int] | None, minute_of_day: Callable[[float], int]
) -> Callable[[float], bool]:
    """``hours`` are two minutes of the local day, the second may be the next day's."""
    if hours is None or hours[0] == hours[1]:
        return lambda _now: False
    start, end = hours

    def is_quiet(now: float) -> bool:
        minute = minute_of_day(now)
        if start < end:
            return start <= minute < end
        return minute >= start or minute < end

    return is_quiet
