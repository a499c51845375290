"""When marks become a pass, without threads: coalesced, one pass at a time per key.

A mark says that something may have changed; it is only a hint, the pass reads the real state. How
long a mark rests before it is released is a trade between latency and passes over a half-written
tree, so the quiet gap grows with the burst it ends:

* a first mark after calm rests 10 ms, enough for the handful of events one save makes within a
  millisecond or two, and small beside the 50 ms in which the change should be visible;
* a burst that has lasted T is over after 10 ms + T/4 without a mark, at most 200 ms. Waiting in
  proportion means that only a pause longer than a quarter of the burst so far splits it, and the
  wait never adds more than that quarter: 1,000 files written in 0.3 s are released 85 ms after the
  last one;
* a burst without end (an install, a build) is released every 2 s;
* while ``held`` says that git is at work nothing of the project is released, for at most 10 s, as
  a lock may be a dead process's.

A mark during a pass of its key rests like any other, then causes exactly one more pass. Where one
mark names paths and another means everything, the quick pass comes first and the other right after
it, whatever is marked meanwhile. A key with service None stands for the whole project and never
runs beside a pass of one of its services.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

SHORTEST_GAP: Final = 0.010
GAP_SHARE: Final = 0.25
LONGEST_GAP: Final = 0.200
LONGEST_WAIT: Final = 2.0
HOLD_LIMIT: Final = 10.0
HOLD_POLL: Final = 0.020
MOST_PATHS: Final = 10_000
_MOST_REASONS: Final = 20


class Key(NamedTuple):
    """What one pass is about; ``service`` None is the whole project."""

    project: str
    service: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """One pass to make. ``paths`` None means everything; ``marked_at`` is the first mark's time."""

    key: Key
    paths: frozenset[str] | None
    reasons: tuple[str, ...]
    marked_at: float


@dataclass(slots=True)
class _Burst:
    """The marks of one key since its last release."""

    first: float
    last: float
    paths: set[str] = field(default_factory=set)
    everything: bool = False
    reasons: dict[str, None] = field(default_factory=dict)
    passed_over: bool = False  # a quick pass has gone first already

    def add(self, now: float, *, paths: Iterable[str] | None, reason: str) -> None:
        self.last = now
        if len(self.reasons) < _MOST_REASONS:
            self.reasons[reason] = None
        self.everything = self.everything or paths is None
        self.paths.update(paths or ())
        if len(self.paths) > MOST_PATHS:
            self.paths.clear()
            self.everything = True

    @property
    def due(self) -> float:
        gap = min(SHORTEST_GAP + GAP_SHARE * (self.last - self.first), LONGEST_GAP)
        return min(self.last + gap, self.first + LONGEST_WAIT)


class Coalescer:
    """The rules, without threads: every call names the time. ``held`` must be quick (one stat).

    ``held(project)`` is falsy when nothing holds; each new truthy value starts the limit anew.
    """

    def __init__(self, held: Callable[[str], Hashable] = lambda _project: None) -> None:
        self._held = held
        self._bursts: dict[Key, _Burst] = {}
        self._running: set[Key] = set()
        self._holds: dict[str, tuple[Hashable, float]] = {}

    def mark(self, key: Key, now: float, *, paths: Iterable[str] | None, reason: str) -> bool:
        """True when the key had no mark: only then can anything be due earlier than it was."""
        burst = self._bursts.get(key)
        is_new = burst is None
        if burst is None:
            burst = self._bursts[key] = _Burst(first=now, last=now)
        burst.add(now, paths=paths, reason=reason)
        return is_new

    def next(self, now: float) -> tuple[Work | None, float | None]:
        """Work to start now, else the seconds after which to ask again (None: after a call)."""
        wait: float | None = None
        for key, burst in sorted(self._bursts.items(), key=lambda item: item[1].due):
            delay = burst.due - now
            if delay <= 0:
                if self._blocked(key, now):
                    continue  # done() asks again
                if not self._holding(key.project, now):
                    return self._start(key), None
                delay = HOLD_POLL
            wait = delay if wait is None else min(wait, delay)
        return None, wait

    def done(self, key: Key) -> bool:
        """The pass of ``key`` has ended, however; True when marks are waiting."""
        self._running.discard(key)
        return bool(self._bursts)

    @property
    def idle(self) -> bool:
        """Whether nothing is marked and nothing runs."""
        return not self._bursts and not self._running

    def knows_paths(self, key: Key) -> bool:
        """Whether marks of ``key`` wait that name what changed: a quick pass."""
        burst = self._bursts.get(key)
        return burst is not None and bool(burst.paths)

    def _start(self, key: Key) -> Work:
        burst = self._bursts.pop(key)
        self._running.add(key)
        quick = bool(burst.paths) and not burst.passed_over
        if burst.paths and burst.everything:
            left = _Burst(burst.first, burst.last, reasons=dict(burst.reasons))
            if quick:
                left.everything = left.passed_over = True
            else:
                left.paths = burst.paths
            self._bursts[key] = left
        paths = frozenset(burst.paths) if quick or not burst.everything else None
        return Work(key, paths, tuple(burst.reasons), burst.first)

    def _blocked(self, key: Key, now: float) -> bool:
        """By its own pass, or by one of the whole project that runs or, for its turn, is due."""
        if key in self._running:
            return True
        if key.service is None:
            return any(running.project == key.project for running in self._running)
        whole = Key(key.project, None)
        burst = self._bursts.get(whole)
        return whole in self._running or (
            burst is not None and burst.due <= now and not self._holding(key.project, now)
        )

    def _holding(self, project: str, now: float) -> bool:
        lock = self._held(project)
        if not lock:
            self._holds.pop(project, None)
            return False
        known, since = self._holds.get(project, (None, now))
        if known != lock:
            self._holds[project] = (lock, since := now)
        return now - since < HOLD_LIMIT
