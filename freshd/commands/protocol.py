"""The facade that verbs call: its shape, and the late import of the real one.

``freshd.commands.session`` provides it; a fake with the same shape stands in for it in unit tests.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from freshd.config.invocation import Invocation
    from freshd.model.mapping import ServiceMap
    from freshd.model.plan import Outcome, Plan, Step
    from freshd.model.remedy import RebuildMode, Remedy
    from freshd.model.report import ProjectReport
    from freshd.render.diffs import FileDiff

# what is being done, how much of it, of how much (None: not known)
CountProgress = Callable[[str, int, "int | None"], None]
# a step that begins (outcome None), then the same step with what was observed after it
StepProgress = Callable[["Step", "Outcome | None"], None]
LineProgress = Callable[[str], None]


class Applied(Protocol):
    """What was planned, what came of it, and the look after it."""

    @property
    def plans(self) -> "Sequence[Plan]": ...
    @property
    def outcomes(self) -> "Sequence[Outcome]": ...
    @property
    def report(self) -> "ProjectReport": ...


class Project(Protocol):
    """The part of a project that verbs look at."""

    @property
    def dir(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def services(self) -> Mapping[str, object]: ...


class Session(Protocol):
    """One project on one engine. Services are named as typed, by service
    or container; none means all."""

    @property
    def project(self) -> Project: ...
    def __enter__(self) -> "Session": ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None: ...
    def consent(self) -> None: ...
    def maps(self, services: Sequence[str]) -> "tuple[ServiceMap, ...]": ...
    def check(
        self,
        services: Sequence[str],
        *,
        path_globs: Sequence[str] = (),
        full: bool = False,
        progress: CountProgress | None = None,
    ) -> "ProjectReport": ...
    def check_image(self, ref: str, services: Sequence[str]) -> "ProjectReport": ...
    def validate(self, *, progress: CountProgress | None = None) -> "ProjectReport": ...
    def plan(self, services: Sequence[str]) -> "tuple[Plan, ...]": ...
    def apply(
        self, services: Sequence[str], *, on_line: LineProgress, on_step: StepProgress
    ) -> Applied: ...
    def remedy(
        self,
        remedy: "Remedy",
        service: str,
        *,
        paths: Sequence[str] = (),
        rebuild: "RebuildMode | None" = None,
        on_line: LineProgress,
        on_step: StepProgress,
    ) -> Applied: ...
    def diff(self, service: str, path: str | None) -> "Iterator[FileDiff]": ...


class Opener(Protocol):
    """The shape of ``freshd.commands.session.open_session``."""

    def __call__(
        self, invocation: "Invocation", *, need_engine: bool, on_line: LineProgress
    ) -> Session: ...


def open_session(invocation: "Invocation", *, need_engine: bool, on_line: LineProgress) -> Session:
    """The real session; importing it loads the engine's client, so it happens here and late."""
    from freshd.commands import session

    return session.open_session(invocation, need_engine=need_engine, on_line=on_line)
