"""One project on one engine, for the verbs: what they ask for, in terms of passes.

Comes in: what was typed. Goes out: maps, reports, plans, outcomes. ``reconcile`` does the work.
"""

import difflib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from freshd.catalog.causes.registry import get_cause
from freshd.commands import remedy as byhand
from freshd.commands.check_image import look_at_image
from freshd.commands.diff import container_bytes, tree_bytes
from freshd.commands.inspection import kept_store
from freshd.compare.verdict import worst
from freshd.config.invocation import Invocation
from freshd.config.load import load_user_config
from freshd.config.locate import locate_project
from freshd.config.locations import Locations, locate
from freshd.config.project import Project, load
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine, EngineVersion
from freshd.engine.shared_cache import Memory
from freshd.engine.transport.endpoint import Endpoint, resolve
from freshd.model.errors import ConfigError
from freshd.model.mapping import ServiceMap
from freshd.model.observed.container import Replica
from freshd.model.patterns import matcher
from freshd.model.plan import Outcome, Plan, Step
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import ProjectReport, ServiceReport
from freshd.observe.compose_watch import ComposeWatches
from freshd.reconcile.context import Context
from freshd.reconcile.forgetting import forget_gone
from freshd.reconcile.reconcile import Passed, look, make_plan, reconcile
from freshd.reconcile.recovery import recover
from freshd.reconcile.validation import result
from freshd.render.documents import service_report
from freshd.store.store import Store

_T = TypeVar("_T")

_WORKERS = 4

CountProgress = Callable[[str, int, "int | None"], None]
StepProgress = Callable[[Step, "Outcome | None"], None]
LineProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file that differs; None where it does not exist on that side."""

    path: str | None
    target: str
    container: str
    tree: bytes | None
    seen: bytes | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What was planned, what came of it, and the look after it."""

    plans: tuple[Plan, ...]
    outcomes: tuple[Outcome, ...]
    report: ProjectReport


class Session:
    """A context manager. Services are named as typed, by service or container; none means all."""

    def __init__(
        self,
        project: Project,
        *,
        endpoint: Endpoint,
        compose: Compose,
        store: Store,
        locations: Locations,
        on_line: LineProgress,
        clock: Callable[[], float] = time.time,
        memory: Memory | None = None,
    ) -> None:
        self.project = project
        self._memory = Memory() if memory is None else memory
        self.store = store
        self._endpoint = endpoint
        self._compose = compose
        self._locations = locations
        self._on_line = on_line
        self._clock = clock
        self._contexts: dict[str, Context] = {}
        self._watches = ComposeWatches()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for context in self._contexts.values():
            context.engine.close()
        self.store.close()

    def context(self, service: str) -> Context:
        """The context of one service, with an engine client of its own."""
        if service not in self._contexts:
            self._contexts[service] = Context(
                project=self.project,
                engine=Engine(self._endpoint, memory=self._memory),
                compose=self._compose,
                store=self.store,
                locks=self._locations.locks,
                clock=self._clock,
                asked=True,
                watches=self._watches,
                on_line=self._on_line,
            )
        return self._contexts[service]

    def consent(self) -> None:
        """Somebody typed a verb that is consent to the project's files as they are now."""
        self.context("").consent()

    def maps(self, services: Sequence[str]) -> tuple[ServiceMap, ...]:
        """The map of each service."""
        return tuple(
            self.context(name).surveyor.map(name, self.context(name).replicas(name))
            for name in self.names(services)
        )

    def check(
        self,
        services: Sequence[str],
        *,
        path_globs: Sequence[str] = (),
        full: bool = False,
        progress: CountProgress | None = None,
    ) -> ProjectReport:
        """Compare once. ``full`` believes no earlier hash. Changes nothing."""
        names = self.names(services)

        def one(name: str) -> ServiceReport:
            context = self.context(name)
            paths = None
            if path_globs:
                chosen = matcher(tuple(path_globs))
                mapping = context.surveyor.map(name, context.replicas(name))
                paths = {pair.source for pair in mapping.pairs if chosen(pair.source)}
            return look(context, name, paths=paths, full=full).report

        reports = self._each(names, one, progress)
        if not path_globs:
            self._save(reports)
        return self._report(reports)

    def check_image(self, ref: str, services: Sequence[str]) -> ProjectReport:
        """Compare one image with the tree; no container is asked, and no state is needed."""
        names = self.names(services) if services else ()
        report = look_at_image(self.context(""), ref, names)
        return self._report([report])

    def validate(self, *, progress: CountProgress | None = None) -> ProjectReport:
        """Compare all of the stack, believing no earlier hash, and remember what it came to."""
        began_at = self._clock()
        report = self.check((), full=True, progress=progress)
        done = result(report.services, began_at=began_at, finished_at=self._clock(), by_hand=True)
        self.store.validations.record(self.project.name, done)
        self.context("").surveyor.manifest.forget_gone()
        return report

    def plan(self, services: Sequence[str]) -> tuple[Plan, ...]:
        """What the policy would do now; changes nothing."""

        def one(name: str) -> Plan:
            context = self.context(name)
            return make_plan(context, look(context, name))

        return self._each(self.names(services), one, None)

    def apply(
        self, services: Sequence[str], *, on_line: LineProgress, on_step: StepProgress
    ) -> Applied:
        """Do once what the policy wants, verified; typing it is consent to the files now."""
        names = self.names(services)
        if not self.project.policy.exists:
            raise ConfigError(
                f"{self.project.dir} has no policy, so there is nothing to apply",
                hint="write a freshd.toml (docs/policy.md), or act by hand: freshd inject SERVICE",
            )
        self._on_line = on_line
        if names:
            self.consent()
            self._recover(names[0])

        def one(name: str) -> Passed:
            context = self.context(name)
            context.on_line = on_line
            return reconcile(context, name, on_step=on_step)

        passed = self._each(names, one, None)
        self._save(tuple(each.report for each in passed))
        return self._applied(passed)

    def remedy(
        self,
        remedy: Remedy,
        service: str,
        *,
        paths: Sequence[str] = (),
        rebuild: RebuildMode | None = None,
        on_line: LineProgress,
        on_step: StepProgress,
    ) -> Applied:
        """One remedy by hand: the same steps that a plan has."""
        (name,) = self.names([service])
        self._on_line = on_line
        self._recover(name)
        context = self.context(name)
        context.on_line = on_line
        passed = byhand.carry_out(
            context, name, remedy, paths=tuple(paths), rebuild=rebuild, on_step=on_step
        )
        self._save((passed.report,))
        return self._applied((passed,))

    def _recover(self, name: str) -> None:
        """What a killed freshd left is dealt with before anything new is begun."""
        if self.store.journal.open_owners(self.project.name):
            recover(self.context(name), say=self._on_line)

    def diff(self, service: str, path: str | None) -> Iterator[FileDiff]:
        """Every file that differs in the containers of ``service``, with both contents."""
        (name,) = self.names([service])
        context = self.context(name)
        for finding in look(context, name).report.findings:
            if not get_cause(finding.cause).has_diff or finding.target is None:
                continue
            if path is not None and path not in (finding.path, finding.target):
                continue
            yield FileDiff(
                path=finding.path,
                target=finding.target,
                container=finding.container or "",
                tree=tree_bytes(context, finding),
                seen=container_bytes(context, finding),
            )

    def names(self, services: Sequence[str]) -> tuple[str, ...]:
        """The services meant: by their own name or by a container's. ConfigError for others."""
        known = self.project.services
        if not services:
            return tuple(sorted(known))
        return tuple(dict.fromkeys(self._name(typed, known) for typed in services))

    def _name(self, typed: str, known: Mapping[str, object]) -> str:
        if typed in known:
            return typed
        replicas = self.context(typed).all_replicas(sorted(known))
        for service, several in replicas.items():
            if any(typed in (replica.name, replica.id) for replica in several):
                return service
        near = difflib.get_close_matches(typed, [*known], n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(
            f"{self.project.name} has no service or container {typed}",
            hint=f"{guess}its services: {', '.join(sorted(known)) or 'none'}",
        )

    def _each(
        self, names: Sequence[str], one: Callable[[str], _T], progress: CountProgress | None
    ) -> tuple[_T, ...]:
        """Run ``one`` for every service, a few at a time, results in order."""
        if len(names) < 2:
            return tuple(one(name) for name in names)
        for name in names:
            self.context(name)
        done = []
        with ThreadPoolExecutor(min(_WORKERS, len(names))) as pool:
            for result in pool.map(one, names):
                done.append(result)
                if progress is not None:
                    progress("services", len(done), len(names))
        return tuple(done)

    def _report(self, reports: Sequence[ServiceReport]) -> ProjectReport:
        verdict = worst(report.verdict for report in reports)
        return ProjectReport(self.project.name, verdict, self._clock(), tuple(reports))

    def _applied(self, passed: Sequence[Passed]) -> Applied:
        return Applied(
            plans=tuple(
                plan for each in passed for plan in each.plans if plan.steps or plan.notices
            ),
            outcomes=tuple(outcome for each in passed for outcome in each.outcomes),
            report=self._report([each.report for each in passed]),
        )

    def _save(self, reports: Sequence[ServiceReport]) -> None:
        self.store.status.save(
            self.project.name,
            directory=self.project.dir,
            services={report.name: service_report(report) for report in reports},
            at=self._clock(),
        )
        forget_gone(self.store, [context.engine for context in self._contexts.values()])


def open_session(
    invocation: Invocation,
    *,
    need_engine: bool,
    on_line: LineProgress,
    clock: Callable[[], float] = time.time,
) -> Session:
    """Find and read the project. Raises ConfigError, EngineUnavailable, StateError."""
    environ = invocation.environ
    locations = locate(environ)
    user = load_user_config(locations.user_config)
    endpoint = resolve(environ, configured=user.engine.host)
    compose = Compose(endpoint, environ)
    located = locate_project(invocation)
    with Engine(endpoint) as engine, ThreadPoolExecutor(1) as beside:
        # Importing the SDK takes as long as `docker compose config`: both at once.
        answer = beside.submit(engine.ping) if need_engine else None
        asked = None if answer is None else _Answered(engine, answer)
        project = load(located, engine=asked, compose=compose)
        if answer is not None:
            answer.result()
    return Session(
        project,
        endpoint=endpoint,
        compose=compose,
        store=kept_store(locations),
        locations=locations,
        on_line=on_line,
        clock=clock,
        memory=engine.memory,
    )


@dataclass(frozen=True, slots=True)
class _Answered:
    """An engine that is only asked once it has answered a first time."""

    engine: Engine
    answer: "Future[EngineVersion]"

    def overview(self) -> tuple[Replica, ...]:
        self.answer.result()
        return self.engine.overview()
