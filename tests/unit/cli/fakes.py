"""A session made of values, with the shape of the real one, and a way to run one command line."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from freshd.cli.app import App
from freshd.cli.boundary import run
from freshd.cli.screen import Screen
from freshd.commands.session import Applied, CountProgress, Session
from freshd.commands.workspace import EngineUse, LineProgress
from freshd.config.invocation import Invocation
from freshd.model.mapping import ServiceMap
from freshd.model.plan import Plan
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import ProjectReport
from freshd.reconcile.reconcile import OnStep
from freshd.render.diffs import FileDiff
from tests.unit.render.values import DONE, FRESH, MAP, PLAN, WHEN


@dataclass(frozen=True)
class FakeProject:
    dir: str = "/src/shop"
    name: str = "shop"
    services: Mapping[str, object] = field(default_factory=lambda: {"web": None, "worker": None})


APPLIED = Applied((PLAN,), (DONE,), FRESH)


@dataclass
class FakeSession(Session):
    """Gives the values it holds and notes what it was asked for in ``calls``."""

    project: Any = field(default_factory=FakeProject)
    report: ProjectReport = FRESH
    plans: tuple[Plan, ...] = ()
    done: Applied = APPLIED
    differences: tuple[FileDiff, ...] = ()
    error: BaseException | None = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def __exit__(self, *_: object, **__: object) -> None:
        """Nothing was opened."""

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error

    def consent(self) -> None:
        self._note("consent")

    def maps(self, services: Sequence[str]) -> tuple[ServiceMap, ...]:
        self._note("map", *services)
        return (MAP,)

    def check(
        self,
        services: Sequence[str],
        *,
        path_globs: Sequence[str] = (),
        full: bool = False,
        progress: CountProgress | None = None,
    ) -> ProjectReport:
        self._note("check", *services, path_globs, full)
        if progress is not None:
            progress("web", 1, 2)
        return self.report

    def check_image(self, ref: str, services: Sequence[str]) -> ProjectReport:
        self._note("check_image", ref, *services)
        return self.report

    def validate(self, *, progress: CountProgress | None = None) -> ProjectReport:
        self._note("validate")
        return self.report

    def plan(self, services: Sequence[str]) -> tuple[Plan, ...]:
        self._note("plan", *services)
        return self.plans

    def apply(self, services: Sequence[str], *, on_line: LineProgress, on_step: OnStep) -> Applied:
        self._note("apply", *services)
        for outcome in self.done.outcomes:
            on_step(outcome.step, None)
            on_line("#5 [2/4] RUN make \x1b[2J")
            on_step(outcome.step, outcome)
        return self.done

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
        self._note(remedy.value, service, *paths, rebuild, *given_up)
        return self.done

    def diff(self, service: str, path: str | None) -> Iterator[FileDiff]:
        self._note("diff", service, path)
        return iter(self.differences)


@dataclass(frozen=True)
class Result:
    """What a command line printed, and its exit status."""

    status: int
    out: str
    err: str


class Line:
    """Runs command lines in one environment; ``opened`` holds how sessions were asked for."""

    def __init__(self, capsys: pytest.CaptureFixture[str], environ: Mapping[str, str]) -> None:
        self._capsys = capsys
        self.environ = dict(environ)
        self.cwd = "/src/shop"
        self.now = WHEN
        self.sleep: Callable[[float], None] = lambda seconds: None
        self.opened: list[dict[str, Any]] = []

    def __call__(self, *argv: str, session: FakeSession | None = None) -> Result:
        def opener(invocation: Invocation, engine: EngineUse, _line: LineProgress) -> FakeSession:
            self.opened.append({"invocation": invocation, "engine": engine})
            return session or FakeSession()

        app = App(
            screen=Screen(self.environ),
            invocation=Invocation(self.cwd, self.environ),
            now=lambda: self.now,
            sleep=self.sleep,
            opener=opener,
        )
        self._capsys.readouterr()
        status = run(argv, app=app)
        captured = self._capsys.readouterr()
        return Result(status, captured.out, captured.err)
