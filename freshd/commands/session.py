"""What verbs ask for, in terms of passes: services and paths as typed in, reports and plans out.

``Workspace`` holds the project, ``reconcile`` does the work.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

from freshd.commands.check_image import check_image
from freshd.commands.diff import diff_files
from freshd.commands.remedy import carry_out
from freshd.commands.workspace import (
    EngineUse,
    LineProgress,
    Workspace,
    ignore_line,
    open_workspace,
)
from freshd.compare.verdict import worst
from freshd.config.invocation import Invocation
from freshd.model.errors import ConfigError
from freshd.model.mapping import ServiceMap
from freshd.model.patterns import matcher
from freshd.model.plan import Outcome, Plan
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import ProjectReport, ServiceReport
from freshd.reconcile.consent import agree
from freshd.reconcile.forgetting import forget_gone
from freshd.reconcile.reconcile import OnStep, Passed, check_service, make_plan, reconcile
from freshd.reconcile.recovery import recover
from freshd.reconcile.validation import result
from freshd.render.diffs import FileDiff
from freshd.render.documents import service_report

_T = TypeVar("_T")

_WORKERS = 4

CountProgress: TypeAlias = Callable[[str, int, int | None], None]
"""What is being done, how much of it, and of how much; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was planned, what came of it, and the report of the check after it."""

    plans: tuple[Plan, ...]
    outcomes: tuple[Outcome, ...]
    report: ProjectReport


class Session:
    """A context manager. Services are named as typed, by service or container; none means all."""

    def __init__(self, workspace: Workspace) -> None:
        self.project = workspace.project
        self.workspace = workspace
        self._store = workspace.store
        self._clock = workspace.clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.workspace.__exit__(kind, error, trace)

    def consent(self) -> None:
        """Somebody typed a verb that is consent to the project's files as they are now."""
        agree(self.workspace.context(""))

    def maps(self, services: Sequence[str]) -> tuple[ServiceMap, ...]:
        """The map of each service."""
        contexts = map(self.workspace.context, names := self.workspace.resolve_names(services))
        return tuple(context.proof.map(name) for name, context in zip(names, contexts, strict=True))

    def check(
        self,
        services: Sequence[str],
        *,
        path_globs: Sequence[str] = (),
        full: bool = False,
        progress: CountProgress | None = None,
    ) -> ProjectReport:
        """Compare once. ``full`` believes no earlier hash. Changes nothing."""

        def check_paths(name: str) -> ServiceReport:
            context = self.workspace.context(name)
            paths = None
            if path_globs:
                chosen = matcher(tuple(path_globs))
                mapping = context.proof.map(name)
                paths = {pair.source for pair in mapping.pairs if chosen(pair.source)}
            return check_service(context, name, paths=paths, full=full).report

        names = self.workspace.resolve_names(services)
        reports = self._for_each(names, check_paths, progress)
        if not path_globs:
            self._save(reports)
        return self._report(reports)

    def check_image(self, ref: str, services: Sequence[str]) -> ProjectReport:
        """Compare one image with the tree; no container is asked, and no state is needed."""
        names = self.workspace.resolve_names(services) if services else ()
        report = check_image(self.workspace.context(""), ref, names)
        return self._report([report])

    def validate(self, *, progress: CountProgress | None = None) -> ProjectReport:
        """Compare all of the stack, believing no earlier hash, and remember what it came to."""
        began_at = self._clock()
        report = self.check((), full=True, progress=progress)
        done = result(report.services, began_at=began_at, finished_at=self._clock(), by_hand=True)
        self._store.validations.record(self.project.name, done)
        self.workspace.context("").snapshots.manifest.forget_gone()
        return report

    def plan(self, services: Sequence[str]) -> tuple[Plan, ...]:
        """What the policy would do now; changes nothing."""

        def plan_service(name: str) -> Plan:
            context = self.workspace.context(name)
            return make_plan(context, check_service(context, name))

        return self._for_each(self.workspace.resolve_names(services), plan_service)

    def apply(self, services: Sequence[str], *, on_line: LineProgress, on_step: OnStep) -> Applied:
        """Do once what the policy wants, verified; typing it is consent to the files now."""
        names = self.workspace.resolve_names(services)
        if not self.project.policy.exists:
            raise ConfigError(
                f"{self.project.dir} has no policy, so there is nothing to apply",
                hint="write a freshd.toml (docs/policy.md), or act by hand: freshd inject SERVICE",
            )
        self.workspace.on_line = on_line
        if names:
            self.consent()
            self._recover(names[0])

        def apply_to(name: str) -> Passed:
            return reconcile(self.workspace.context(name), name, on_step=on_step)

        return self._applied(self._for_each(names, apply_to))

    def remedy(
        self,
        remedy: Remedy,
        service: str,
        *,
        paths: Sequence[str] = (),
        rebuild: RebuildMode | None = None,
        given_up: Collection[str] = (),
        on_line: LineProgress,
        on_step: OnStep,
    ) -> Applied:
        """One remedy by hand: the same steps that a plan has. ``given_up`` are flags that were
        typed with a recreate or rebuild."""
        (name,) = self.workspace.resolve_names([service])
        self.workspace.on_line = on_line
        self._recover(name)
        context = self.workspace.context(name)
        passed = carry_out(
            *(context, name, remedy),
            paths=paths,
            rebuild=rebuild,
            given_up=given_up,
            on_step=on_step,
        )
        return self._applied([passed])

    def _recover(self, name: str) -> None:
        """What a killed freshd left is dealt with before anything new is begun."""
        if self._store.journal.open_owners(self.project.name):
            recover(self.workspace.context(name), say=self.workspace.on_line)

    def diff(self, service: str, path: str | None) -> Iterator[FileDiff]:
        """Every file that differs in the containers of ``service``, with both contents."""
        (name,) = self.workspace.resolve_names([service])
        yield from diff_files(self.workspace.context(name), name, path)

    def _for_each(
        self,
        names: Sequence[str],
        run: Callable[[str], _T],
        progress: CountProgress | None = None,
    ) -> tuple[_T, ...]:
        """``run`` for every service, a few at a time; results in order."""
        if len(names) < 2:
            return tuple(run(name) for name in names)
        for name in names:
            self.workspace.context(name)  # made here: they are not made in several threads
        done = []
        with ThreadPoolExecutor(min(_WORKERS, len(names))) as pool:
            for result in pool.map(run, names):
                done.append(result)
                if progress is not None:
                    progress("services", len(done), len(names))
        return tuple(done)

    def _report(self, reports: Sequence[ServiceReport]) -> ProjectReport:
        verdict = worst(report.verdict for report in reports)
        return ProjectReport(self.project.name, verdict, self._clock(), tuple(reports))

    def _applied(self, passes: Sequence[Passed]) -> Applied:
        """What the passes came to; their reports are saved for ``freshd status``."""
        report = self._report([passed.report for passed in passes])
        self._save(report.services)
        plans = (plan for passed in passes for plan in passed.plans if plan.steps or plan.notices)
        outcomes = (outcome for passed in passes for outcome in passed.outcomes)
        return Applied(tuple(plans), tuple(outcomes), report)

    def _save(self, reports: Sequence[ServiceReport]) -> None:
        self._store.status.save(
            self.project.name,
            directory=self.project.dir,
            services={report.name: service_report(report) for report in reports},
            at=self._clock(),
        )
        forget_gone(self._store, self.workspace.engines)


def open_session(
    invocation: Invocation,
    engine: EngineUse = "required",
    on_line: LineProgress = ignore_line,
    *,
    clock: Callable[[], float] = time.time,
) -> Session:
    """Find and read the project. Raises ConfigError, EngineUnavailable."""
    return Session(open_workspace(invocation, engine=engine, on_line=on_line, clock=clock))
