"""What is computed while a container works: a snapshot's own threads, begun when they cost nothing.

Two threads that both compute hold each other up: every row out of SQLite and every stat of a file
lets the other one in, and getting back in takes longer than the row. So what can wait begins when
the thread that observes has given a container something to do, and waits itself.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, TypeVar

from freshd.engine.client import Engine

_T = TypeVar("_T")
_THREADS = 2


class Overlap:
    """Runs what is submitted once ``engine`` has set a container to work, or ``go`` is called.

    Leaving it begins what has not begun, and waits for all.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._before = engine.at_work
        self._begun = threading.Event()
        self._pool = ThreadPoolExecutor(_THREADS)

    def __enter__(self) -> Self:
        self._engine.at_work, self._before = self.go, self._engine.at_work
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.at_work = self._before
        self.go()
        self._pool.shutdown()

    def go(self) -> None:
        self._begun.set()

    def submit(self, work: Callable[[], _T]) -> "Future[_T]":
        def later() -> _T:
            self._begun.wait()
            return work()

        return self._pool.submit(later)
