"""Growing pauses: what fails is tried again soon, and more and more rarely while it fails."""

import threading

_MOST_DOUBLINGS = 20


class Pauses:
    """Seconds, by the name of what failed. Safe to use from several threads."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}

    def next(self, name: str) -> float:
        """How long to wait now that ``name`` has failed, once more."""
        with self._lock:
            before = self._failures.get(name, 0)
            self._failures[name] = min(before + 1, _MOST_DOUBLINGS)
        return min(self._longest, self._first * 2.0**before)

    def end(self, name: str) -> None:
        """It went well: the next failure is a first one."""
        with self._lock:
            self._failures.pop(name, None)
