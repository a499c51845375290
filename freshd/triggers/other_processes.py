"""What other processes did to one project, as a trigger that asks: there are no events.

Another freshd may have lifted a halt or changed a container by hand; both are in the database. And
``docker compose watch`` may have come or gone. Marks go out.
"""

import os
import threading
from collections.abc import Callable
from typing import Final

from freshd.config.project import Project
from freshd.store.store import Store
from freshd.triggers.trigger import Marks, Trigger

INTERVAL: Final = 0.8
"""Seconds between two rounds; each wakes an idle machine, and somebody who typed a verb waits."""

_MOST_ENTRIES: Final = 20


class OtherProcesses(Trigger):
    """``compose_watches`` says in words which processes of ``docker compose watch`` are at work.

    ``on_state`` hears of a new state, ``on_error`` once of each error that keeps a round from its
    end; both are called in the trigger's thread and must be quick.
    """

    died = "other processes are not asked any more"
    status_field = "verifying"

    def __init__(
        self,
        project: Project,
        marks: Marks,
        store: Store,
        *,
        compose_watches: Callable[[], tuple[str, ...]],
        on_state: Callable[[str], None],
        on_error: Callable[[Exception], None],
        interval: float = INTERVAL,
    ) -> None:
        self._project = project
        self._marks = marks
        self._store = store
        self._compose_watches = compose_watches
        self._on_state = on_state
        self._on_error = on_error
        self._interval = interval
        self._newest = store.journal.newest(project.name)
        self._is_halted = False
        self._at_work: tuple[str, ...] = ()
        self._error = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="freshd-others", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def alive(self) -> bool:
        return self._thread.is_alive()

    def state(self) -> str:
        """Who else keeps the containers up to date, "" while nobody does."""
        return "; ".join(self._at_work)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.check()
                self._error = ""
            except Exception as error:  # noqa: BLE001 - the next round is soon; it is said once
                if self._error != repr(error):
                    self._on_error(error)
                self._error = repr(error)
            self._stopping.wait(self._interval)

    def check(self) -> None:
        """One round."""
        self._check_halts()
        self._check_journal()
        self._check_compose_watch()

    def _check_halts(self) -> None:
        """``freshd resume`` lifts halts."""
        is_halted = bool(self._store.halts.active(self._project.name))
        if self._is_halted and not is_halted:
            self._marks.mark_all("resumed")
        self._is_halted = is_halted

    def _check_journal(self) -> None:
        """Of a remedy typed by hand: files written into a container make no event."""
        newest = self._store.journal.newest(self._project.name)
        if newest == self._newest:
            return
        known, self._newest = self._newest, newest
        for entry in self._store.journal.history(self._project.name, limit=_MOST_ENTRIES):
            if entry.id >= known[0] and entry.owner_pid != os.getpid():
                self._marks.mark(entry.service, "changed by hand")

    def _check_compose_watch(self) -> None:
        """While Compose keeps the containers up to date, freshd only verifies."""
        at_work = self._compose_watches()
        if at_work == self._at_work:
            return
        self._at_work = at_work
        self._on_state(self.state())
        self._marks.mark_all("docker compose watch came or went")
