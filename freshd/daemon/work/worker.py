"""The worker: one item of work comes in, a pass is made, its result is kept, logged and reported.

A pass over a few changed files is followed by one over the whole service a second later: the first
is for speed, the second for the truth that ``status`` shows and notices are made of.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from freshd.config.locations import Locations
from freshd.config.project import Project
from freshd.daemon.boundary import words_for
from freshd.daemon.liveness import LONGEST, LONGEST_REBUILD, Liveness
from freshd.daemon.log import Log
from freshd.daemon.status_board import StatusBoard
from freshd.daemon.work.coalescing import Work
from freshd.daemon.work.incidents import IncidentReporter
from freshd.daemon.work.pauses import Pauses
from freshd.daemon.work.queue import ProjectMarks, WorkQueue
from freshd.daemon.work.requeue import Requeue
from freshd.daemon.work.tree_guard import TreeGuard
from freshd.decide.text import step_text
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.engine.shared_cache import SharedCache
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import ConfigError, EngineUnavailable, FreshdError, Overtaken, TargetGone
from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import ServiceReport, Verdict
from freshd.notify import IncidentNotices
from freshd.observe.compose_watch import ComposeWatches
from freshd.observe.image.prefetch import LayerPrefetcher
from freshd.observe.snapshot.collector import no_haste
from freshd.reconcile.context import Context
from freshd.reconcile.forgetting import forget_gone
from freshd.reconcile.reconcile import reconcile
from freshd.reconcile.validation import Validating
from freshd.render.daemon import validations
from freshd.store.store import Store
from freshd.store.validations import Validation

VALIDATION = "validation"
_RETRY = 5.0
_MARGIN = 0.1
_FIRST_AWAY, _LONGEST_AWAY = 1.0, 30.0
_FIRST_DOUBT, _LONGEST_DOUBT = 2.0, 300.0


class _Stopped(Exception):
    """The daemon ends: the next step is not begun."""


class Worker:
    """One project's. Safe to use from several threads, as one service has one pass at a time."""

    def __init__(
        self,
        *,
        project: Project,
        endpoint: Endpoint,
        compose: Compose,
        store: Store,
        locations: Locations,
        queue: WorkQueue,
        log: Log,
        notices: IncidentNotices,
        watches: ComposeWatches,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._project = project
        self._endpoint = endpoint
        self._compose = compose
        self._store = store
        self._locations = locations
        self._queue = queue
        self._log = log
        self._notices = notices
        self._watches = watches
        self._clock = clock
        self._lock = threading.Lock()
        self._contexts: dict[str, Context] = {}
        self._memory = SharedCache()
        self._status_board = StatusBoard(project, store, log, clock)
        self._marks = ProjectMarks(project, queue)
        self._requeue = Requeue(self._marks.mark)
        self._tree_guard = TreeGuard(project, store, log, notices, clock)
        self._incidents = IncidentReporter(project, notices, self._requeue, clock)
        self._prefetcher = LayerPrefetcher(
            endpoint, memory=self._memory, cache=store.image_contents, log=log
        )
        self._validating = Validating(clock)
        self.liveness = Liveness()
        self._stopping = False
        self._away = Pauses(_FIRST_AWAY, _LONGEST_AWAY)
        self._doubts = Pauses(_FIRST_DOUBT, _LONGEST_DOUBT)
        self.broke_off = threading.Event()  # a step perhaps, in its middle: see ``recovery``
        self.problems: dict[str, str] = {}

    def context(self, service: str) -> Context:
        """The context of one service, made when it is first asked for."""
        with self._lock:
            if service not in self._contexts:
                self._contexts[service] = Context(
                    project=self._project,
                    engine=Engine(self._endpoint, memory=self._memory),
                    compose=self._compose,
                    store=self._store,
                    locks=self._locations.locks,
                    clock=self._clock,
                    watches=self._watches,
                )
            return self._contexts[service]

    def stop(self) -> None:
        """No step begins after this. A build that runs is ended, other steps end by themselves."""
        self._stopping = True
        self._prefetcher.stop()
        self._compose.end_builds()

    def close(self) -> None:
        for context in self._contexts.values():
            context.engine.close()

    def validate(self) -> None:
        """Read everything of every service again; what that finds is treated as ever.

        The result is stored and reported when every service has had its pass.
        """
        self._validated(self._validating.begin(tuple(self._project.services)))
        self._marks.mark_all(VALIDATION)

    def run(self, work: Work) -> None:
        """One pass. Never raises: what goes wrong is logged, shown in status and tried again."""
        service = work.key.service
        try:
            if self._project.refresh() or service is None:
                self._project_changed(but=service)
            if service is None:
                return
            self._pass(service, work)
            self.problems.pop(service, None)
            self._away.end(service)
        except _Stopped:
            return  # what is left undone the next start will see
        except Overtaken:
            self._requeue.after_a_save(service or "")
        except TargetGone:
            # A container went while it was looked at: what came instead is looked at now.
            self._requeue.later(service or "", 0.0, "a container went away")
        except Exception as error:  # noqa: BLE001 - one service's bug must not end the others' passes
            self.failed(work, error)

    def failed(self, work: Work, error: Exception) -> None:
        """A pass broke off, or could not begin: that is said, and it is due again."""
        service = work.key.service
        self._fail(service, words_for(error))
        if not isinstance(error, FreshdError):
            self._log.exception("pass failed", service=service)
        if service is None or isinstance(error, ConfigError):
            return  # of files, whose change is a mark
        self.broke_off.set()
        wait, reason = _RETRY, "tried again after a failure"
        self._give_back_connections(service)
        if isinstance(error, EngineUnavailable):
            # its return marks everything; one answer that broke off is no absence
            wait, reason = self._away.next(service), "the engine did not answer"
        self._requeue.later(service, wait, reason)

    def is_data(self, service: str, path: str) -> bool:
        """Whether the absolute ``path`` can only be what ``service`` writes through a mount.

        Quick, and asked by triggers: before the first pass nothing is known to be.
        """
        context = self._contexts.get(service)
        relative = os.path.relpath(path, self._project.dir)
        return context is not None and context.snapshots.is_data(service, relative)

    def data_changed(self, service: str, *, known: bool) -> None:
        """What ``service`` writes has changed; ``known``: and had so a moment ago."""
        self._requeue.after_data(service, known=known)

    def _give_back_connections(self, service: str) -> None:
        """Those that broke would stay open until the end; the next pass connects anew."""
        with self._lock:
            context = self._contexts.get(service)
        if context is not None:
            context.engine.close()

    def mark_due(self) -> None:
        """Mark the services whose delayed pass has come due; the main thread calls it."""
        self._requeue.mark_due()

    def _project_changed(self, *, but: str | None) -> None:
        """Its files say something else, or nothing that is valid: every other service is due."""
        problem = self._project.problem
        if problem:
            self.problems["project"] = problem
            self._log.warning("project files are invalid; the last good ones hold", why=problem)
        else:
            self.problems.pop("project", None)
        self._validated(self._validating.keep(self._project.services))
        for service in self._project.services:
            if service != but:
                self._marks.mark(service, "the whole project")

    def _pass(self, service: str, work: Work) -> None:
        if service not in self._project.services:
            return
        context = self.context(service)
        paths = self._relative(work.paths)
        full = self._validating.owes(service)
        if paths is None or not context.snapshots.same_files(service, paths):
            self._tree_guard.check(context, service)
        begun = time.monotonic()
        give_way = paths is None and not full
        passed = reconcile(
            context,
            service,
            paths=paths,
            full=full,
            on_step=self._on_step,
            go_on=partial(self._give_way, service) if give_way else no_haste,
        )
        if paths is not None:
            self._status_board.keep(passed.report, passed.plans, narrow=True)
            self._requeue.after_a_save(service)
            return
        self._requeue.made(service, time.monotonic() - begun)
        self._status_board.keep(passed.report, passed.plans, narrow=False)
        self._incidents.report(context, service, passed)
        if full:
            done = self._validating.came_through(passed.report, steps=len(passed.outcomes))
            self._validated(done)
            if done is not None:
                context.snapshots.manifest.forget_gone()
        self._try_again(service, passed.outcomes)
        self._look_again(service, passed.report)
        forget_gone(self._store, [context.engine])
        self._prefetch_layers(context, service)

    def _prefetch_layers(self, context: Context, service: str) -> None:
        """What would hold up the next save is found out before there is one."""
        layered = context.snapshots.layered(service) if self._project.policy.injects else None
        if layered is not None:
            mapping, images = layered
            for image in images:
                self._prefetcher.prefetch(image, mapping)

    def _give_way(self, service: str) -> None:
        """A save does not wait for a whole pass, which is due again soon."""
        if self._queue.urgent(self._project.dir, service) and self._requeue.may_wait(service) > 0:
            raise Overtaken

    def _try_again(self, service: str, outcomes: Sequence[Outcome]) -> None:
        """When the first of the steps that failed may be tried once more: nothing else says so."""
        now = self._clock()
        failures = self._store.failures.get(self._project.name, service).values()
        waits = [failure.next_try - now for failure in failures if failure.next_try > now]
        if waits:
            self._requeue.later(service, min(waits) + _MARGIN, "a step that failed is tried again")
        elif any(outcome.status is not StepStatus.DONE for outcome in outcomes):
            self._requeue.later(service, _RETRY, "a step did not end well")

    def _look_again(self, service: str, report: ServiceReport) -> None:
        """What could not be read may have been cut off on its way: nothing else says so."""
        if report.verdict is Verdict.UNVERIFIABLE:
            wait = self._doubts.next(service)
            self._requeue.later(service, wait, "what could not be proved is looked at again")
        else:
            self._doubts.end(service)

    def _relative(self, paths: frozenset[str] | None) -> frozenset[str] | None:
        if paths is None:
            return None
        return frozenset(os.path.relpath(path, self._project.dir) for path in paths)

    def _validated(self, done: Validation | None) -> None:
        """Nothing while some service still owes a pass."""
        if done is None:
            return
        name, text = self._project.name, validations.summary(done)
        self._store.validations.record(name, done)
        self._log.info("validated", verdict=done.verdict.value, found=text)
        self._notices.validated(name, done.verdict, text)

    def _on_step(self, step: Step, outcome: Outcome | None) -> None:
        longest = LONGEST_REBUILD if step.remedy is Remedy.REBUILD else LONGEST
        self.liveness.beat(step.service, longest=longest if outcome is None else LONGEST)
        if outcome is None:
            if self._stopping:
                raise _Stopped
            self._tree_guard.check_step(self.context(step.service), step)
            return
        log = self._log.info if outcome.status is StepStatus.DONE else self._log.warning
        log(
            step_text(step),
            service=step.service,
            because=", ".join(step.causes),
            status=outcome.status.value,
            detail=outcome.detail,
            seconds=round(outcome.seconds, 3),
        )

    def _fail(self, service: str | None, problem: str) -> None:
        key = service or "project"
        if self.problems.get(key) != problem:
            self._log.warning("a pass failed", service=service, why=problem)
        self.problems[key] = problem
