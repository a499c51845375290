"""What the main thread does for one project must not end the process, nor another project in it.

Jobs come in. One that raises is said once, is a problem that ``status`` shows, and is tried again
after a pause that grows while it fails.
"""

import time
from collections.abc import Callable
from typing import Final

from freshd.daemon.log import Log
from freshd.daemon.work.pauses import Pauses
from freshd.model.errors import FreshdError

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0


def words_for(error: Exception) -> str:
    """One line for ``status`` and the log."""
    return error.message if isinstance(error, FreshdError) else f"a bug in freshd: {error!r}"


class Boundary:
    """Called from one thread. ``clock`` is monotonic seconds."""

    def __init__(self, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._pauses = Pauses(FIRST_PAUSE, LONGEST_PAUSE)
        self._next_try: dict[str, float] = {}
        self._problems: dict[str, str] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """What fails now."""
        return tuple(f"{name}: {problem}" for name, problem in self._problems.items())

    def run(self, name: str, job: Callable[[], object]) -> bool:
        """Whether the job was done; not at once again after it failed."""
        now = self._clock()
        if now < self._next_try.get(name, now):
            return False
        try:
            job()
        except Exception as error:  # noqa: BLE001 - the boundary
            self._failed(name, error, now)
            return False
        self._next_try.pop(name, None)
        if self._problems.pop(name, None) is not None:
            self._pauses.end(name)
            self._log.info("works again", what=name)
        return True

    def _failed(self, name: str, error: Exception, now: float) -> None:
        self._next_try[name] = now + self._pauses.next(name)
        problem = words_for(error)
        if self._problems.get(name) != problem:
            self._problems[name] = problem
            told = self._log.warning if isinstance(error, FreshdError) else self._log.exception
            told("does not work", what=name, why=problem)
