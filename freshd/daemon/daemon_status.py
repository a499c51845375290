"""What ``status`` shows of one project's daemon, written down when it changed and now and then.

Comes in: the triggers' states and what goes wrong. Goes out: a ``DaemonState`` in the database.
"""

import os
import threading
import time
from collections.abc import Iterable
from typing import Final

from freshd.config.project import Project
from freshd.model.daemon_state import DaemonState
from freshd.notify import Notifier
from freshd.store.store import Store
from freshd.triggers.trigger import Trigger

_INTERVAL: Final = 5.0


class DaemonStatus:
    """``lock`` is the lock file that is held for the project. One thread saves."""

    def __init__(self, project: Project, store: Store, notifier: Notifier, *, lock: str) -> None:
        self._project = project
        self._store = store
        self._notifier = notifier
        self._lock = lock
        self._started_at = self._since = time.time()
        self._saved_at = 0.0
        self._changed = threading.Event()

    def change(self) -> None:
        """Something else is to be shown: the next tick saves. Called by any thread."""
        self._changed.set()

    def engine_up(self) -> None:
        """From now on every change is heard of: what was seen earlier proves nothing."""
        self._since = time.time()
        self.change()

    def is_due(self) -> bool:
        return self._changed.is_set() or time.monotonic() - self._saved_at >= _INTERVAL

    def save(
        self, triggers: Iterable[Trigger], problems: Iterable[str], *, unseen: Iterable[str] = ()
    ) -> None:
        """``unseen`` are the services that are not looked at now. Raises StateError."""
        self._changed.clear()
        states = [(trigger.status_field, trigger.state()) for trigger in triggers]
        shown = {name: text for name, text in states if name}
        degraded = {text for name, text in states if not name}
        state = DaemonState(
            pid=os.getpid(),
            started_at=self._started_at,
            lock=self._lock,
            notifier=self._notifier.state(),
            problems=tuple(sorted({*problems, *degraded} - {""})),
            since=self._since,
            unseen=tuple(sorted(unseen)),
            **shown,
        )
        self._store.status.save(
            self._project.name,
            directory=self._project.dir,
            services={},
            at=time.time(),
            extra=state.to_json(),
        )
        self._store.status.keep(self._project.name, tuple(self._project.services))
        self._saved_at = time.monotonic()
