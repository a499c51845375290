"""freshd over the fake engine: this module alone knows how a pass and the daemon's worker are made.

The fake stands where the socket, the docker command and the waiting are; the rest is freshd.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from freshd.act import reload
from freshd.act import wait as waiting
from freshd.config.locate import Located
from freshd.config.locations import Locations
from freshd.config.project import load
from freshd.daemon.work.queue import WorkQueue
from freshd.daemon.work.worker import Worker
from freshd.engine import connection
from freshd.engine.cli import compose
from freshd.engine.cli.compose import Compose, ComposeFiles
from freshd.engine.client import Engine
from freshd.engine.transport import http as wire
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.plan import Outcome, Step
from freshd.model.remedy import RebuildMode
from freshd.model.report import Verdict
from freshd.notify import IncidentNotices
from freshd.notify.outbox import Notice
from freshd.observe.compose_watch import ComposeWatches
from freshd.reconcile import recovery
from freshd.reconcile.consent import agree
from freshd.reconcile.context import Context
from freshd.reconcile.reconcile import Passed, reconcile
from freshd.reconcile.recovery import recover
from freshd.store import memory_store
from freshd.store.journal import JournalEntry
from freshd.store.markers import Failure
from tests.loop.fake.client import FakeClient
from tests.loop.fake.compose import FakeCompose
from tests.loop.fake.engine import FakeEngine
from tests.loop.fake.http import FakeHttp
from tests.loop.fake.shell import Process

_PATIENCE = 5.0
_STEP = 0.3


def install(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> None:
    """From now on whoever connects to an engine, or runs the docker command, has the fake."""
    processes: dict[str, Process] = {}
    http, docker = FakeHttp(engine, processes), FakeCompose(engine)
    monkeypatch.setattr(connection, "_connect", lambda *_: FakeClient(engine, processes))
    for name in ("connect", "request", "stream", "hijack"):
        monkeypatch.setattr(wire, name, getattr(http, name))
    monkeypatch.setattr(compose, "run", lambda argv, _environ, **how: docker.run(argv, **how))
    # The fake's time passes, in longer steps, and nobody waits.
    elapsed = SimpleNamespace(monotonic=engine.now, sleep=lambda _: engine.wait(_STEP))
    for module in (waiting, reload, recovery):
        monkeypatch.setattr(module, "time", elapsed)


class Quiet:
    """A log that nobody reads."""

    def info(self, event: str, **values: Any) -> None: ...
    def warning(self, event: str, **values: Any) -> None: ...
    def exception(self, event: str, **values: Any) -> None:
        raise AssertionError(event)


class Freshd:
    """freshd on the project in ``root``; ``state`` is its own directory.

    ``notices`` are those that were shown.
    """

    def __init__(self, root: str, state: str, engine: FakeEngine) -> None:
        self._root, self._engine = root, engine
        self._locations = Locations(config=state, state=state)
        os.makedirs(self._locations.locks)
        self._endpoint = Endpoint("unix:///fake.sock", "DOCKER_HOST")
        self._compose = Compose(self._endpoint, {"HOME": state, "PATH": os.defpath})
        self._context: Context | None = None
        self._worker: WorkerWithoutThreads | None = None
        self.store = memory_store()
        self.notices: list[Notice] = []

    def consent(self) -> None:
        """A person agrees to the project's files as they are now."""
        agree(self._opened())

    def reconcile(
        self,
        service: str,
        *,
        paths: Collection[str] | None = None,
        full: bool = False,
        before_step: Callable[[Step], None] = lambda _step: None,
        problem: str = "",
    ) -> Passed:
        """One whole pass, over all of ``service`` or what ``paths`` name of it.

        ``problem`` is what the project's files are to have, if so. ``before_step`` is called when
        a step has been decided on and nothing of it was done.
        """

        def on_step(step: Step, outcome: Outcome | None) -> None:
            if outcome is None:
                before_step(step)

        context = self._opened()
        context.project.refresh()
        told = context.project.problem
        assert problem in told if problem else not told, told
        return reconcile(context, service, paths=paths, full=full, on_step=on_step)

    def recover(self) -> int:
        """What a start does before its first pass; how many services must wait."""
        return recover(self._opened(), say=lambda _text: None)

    def restart(self) -> None:
        """It was killed and runs again: nothing is left but the database."""
        self._close()

    def build_by_hand(self, service: str) -> None:
        """`docker compose build`, typed by a developer."""
        files = ComposeFiles(self._root, (os.path.join(self._root, "compose.yaml"),))
        result = self._compose.build(files, [service], mode=RebuildMode.CACHED)
        assert result.ok, result.lines

    @property
    def worker(self) -> "WorkerWithoutThreads":
        """The daemon's, with the queue it takes its work from."""
        if self._worker is None:
            self._worker = WorkerWithoutThreads(self, self._opened())
        return self._worker

    def verdict(self, service: str) -> Verdict:
        """The last whole pass's, as `freshd status` shows it."""
        known = self.store.status.load(self._opened().project.name)
        assert known is not None
        report: Any = known.services[service].report
        return Verdict(report["verdict"])

    def failures(self, service: str) -> Mapping[str, Failure]:
        """What is not to be tried again at once."""
        return self.store.failures.get(self._opened().project.name, service)

    def history(self, project: str, service: str) -> Sequence[JournalEntry]:
        """What the journal has of it, oldest first."""
        return tuple(reversed(self.store.journal.history(project, service)))

    def close(self) -> None:
        self._close()
        self.store.close()

    def _close(self) -> None:
        if self._context is not None:
            self._context.engine.close()
        if self._worker is not None:
            self._worker.close()
        self._context = self._worker = None

    def _opened(self) -> Context:
        if self._context is None:
            with Engine(self._endpoint) as engine:
                project = load(Located(self._root), engine=engine, compose=self._compose)
            self._context = Context(
                project=project,
                engine=Engine(self._endpoint),
                compose=self._compose,
                store=self.store,
                locks=self._locations.locks,
                clock=self._engine.now,
            )
        return self._context

    def _passes(self, context: Context, queue: WorkQueue) -> Worker:
        return Worker(
            project=context.project,
            endpoint=self._endpoint,
            compose=self._compose,
            store=self.store,
            locations=self._locations,
            queue=queue,
            log=Quiet(),
            notices=IncidentNotices(self.store.incidents, self.notices.append),
            watches=ComposeWatches(),
            clock=self._engine.now,
        )


class WorkerWithoutThreads:
    """The daemon without its threads: marks go into its queue, and ``run`` works it off."""

    def __init__(self, freshd: Freshd, context: Context) -> None:
        self._project = context.project.dir
        self._queue = WorkQueue()
        self._passes = freshd._passes(context, self._queue)

    @property
    def problems(self) -> dict[str, str]:
        return self._passes.problems

    @property
    def lost(self) -> bool:
        """Whether a step may have broken off."""
        return self._passes.broke_off.is_set()

    def mark(self, service: str, paths: Collection[str] | None = None) -> None:
        """A trigger says that ``paths`` of the project, or anything, may have changed."""
        full = None if paths is None else [os.path.join(self._project, path) for path in paths]
        self._queue.mark(self._project, service, paths=full, reason="test")

    def due(self) -> dict[str, float]:
        """The delayed passes to come: why, and in how many seconds."""
        now = time.monotonic()
        return {reason: at - now for (_, reason), at in self._passes._requeue._due.items()}

    def validate(self) -> None:
        self._passes.validate()

    def run(self) -> list[bool]:
        """Until nothing is due any more; for each pass whether it was a narrow one."""
        made = []
        deadline = time.monotonic() + _PATIENCE
        while not self._queue.idle():
            assert time.monotonic() < deadline, "the queue is never empty"
            work = self._queue.take(_PATIENCE)
            assert work is not None
            self._passes.run(work)
            self._queue.done(work.key)
            made.append(work.paths is not None)
        return made

    def stop(self) -> None:
        """The daemon is told to end: no step begins any more."""
        self._passes.stop()

    def close(self) -> None:
        self._passes.close()
