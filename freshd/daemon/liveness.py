"""Signs of life of work that runs: what has gone on for longer than its step may take is wedged.

Every call to an engine or a command has a deadline of its own, so a pass that says nothing for
longer than the longest of them will not come to an end by itself.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

LONGEST: Final = 1_200.0  # an image that is read whole has 900 s, `compose up` 600 s
LONGEST_REBUILD: Final = 9_000.0  # two builds at most, of an hour each


class Liveness:
    """Safe to use from several threads; each piece of work is known by a name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def beat(self, name: str, *, longest: float = LONGEST) -> None:
        """``name`` is at work, and will be heard of again within ``longest`` seconds."""
        with self._lock:
            self._until[name] = self._clock() + longest

    def end(self, name: str) -> None:
        with self._lock:
            self._until.pop(name, None)

    def wedged(self) -> tuple[str, ...]:
        """What should have been heard of by now, by name."""
        now = self._clock()
        with self._lock:
            return tuple(sorted(name for name, until in self._until.items() if until < now))
