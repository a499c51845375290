"""Progress on stderr: nothing for the first second, then a bar per piece of work.

Counts, steps and lines come in from the session's threads. Where stderr is not a terminal only
lines are printed, so that a log stays a log.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from freshd.model.text import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

DELAY = 1.0


class Progress:
    """A context manager to be called with ``(what, done, total)``; ``total`` None: not known."""

    def __init__(self, *, live: bool, log: Callable[[str], None], delay: float = DELAY) -> None:
        self._live = live
        self._log = log
        self._delay = delay
        self._guard = threading.Lock()
        self._state: dict[str, tuple[int, int | None]] = {}
        self._tasks: dict[str, TaskID] = {}
        self._bars: Bars | None = None
        self._timer: threading.Timer | None = None

    def __enter__(self) -> "Progress":
        if self._live:
            self._timer = threading.Timer(self._delay, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        with self._guard:
            if self._bars is not None:
                self._bars.stop()
                self._bars = None

    def __call__(self, what: str, done: int, total: int | None = None) -> None:
        with self._guard:
            self._state[what] = (done, total)
            self._draw(what)

    def line(self, text: str) -> None:
        """One line of a build or of the engine, above the bars."""
        if not text.strip():
            return  # builders print empty lines between their steps
        with self._guard:
            if self._bars is None:
                self._log(text)
                return
            self._bars.console.print(printable(text), markup=False, highlight=False, style="dim")

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as Bars

        with self._guard:
            self._bars = Bars(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bars.start()
            for what in self._state or {"working": (0, None)}:
                self._draw(what)

    def _draw(self, what: str) -> None:
        if self._bars is None:
            return
        done, total = self._state.get(what, (0, None))
        task = self._tasks.get(what)
        if task is None:
            self._tasks[what] = self._bars.add_task(printable(what), completed=done, total=total)
        else:
            self._bars.update(task, completed=done, total=total)
