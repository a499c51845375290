"""What is to be done about a service, step by step, and what came of each step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freshd.model.files import Entry
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import Finding


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file a step writes (``want`` set) or deletes (``want`` None) in one container."""

    target: str
    source: str | None
    want: Entry | None
    seen: Entry | None


@dataclass(frozen=True, slots=True)
class Command:
    """A command that the rule ``name`` runs in a container.

    Its environment may hold secrets, so it is not part of this: see ``freshd.model.policy.Hook``.
    """

    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the policy wants done now, to one service or one container of it.

    ``container_id`` is None for steps on the whole service (recreate, rebuild). ``causes`` are the
    slugs that ask for it; ``rule`` names the policy rule. ``patterns`` are purge patterns,
    ``commands`` what an exec runs, in this order. ``runs_again``: containers of a job that has
    ended are made and run anew, since a person or a rule that names it asks for that.
    """

    remedy: Remedy
    service: str
    causes: tuple[str, ...]
    container: str | None = None
    container_id: str | None = None
    files: tuple[FileChange, ...] = ()
    patterns: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    signal: str | None = None
    rebuild: RebuildMode | None = None
    rule: str = ""
    runs_again: bool = False


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One remedy of one service, and the findings it helped against last.

    ``paths`` are all that they named; ``drift`` and ``wanted`` are 64 hex digits over both sides,
    and over the tree's alone. ``count`` is how often they had come back of their own accord.
    ``probed`` is the drift at the beginning of a pause in which nothing is done, until
    ``probed_until``, "" where there is none. ``stopped_at`` is 0 where it goes on. Times are
    seconds since the epoch.
    """

    remedy: str
    paths: tuple[str, ...]
    drift: str
    wanted: str
    at: float
    count: int = 0
    probed: str = ""
    probed_until: float = 0.0
    stopped_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order they run; ``notices`` are what nothing is done about, and why.

    ``recurrences`` are, by remedy, what was ruled of findings that came back; None: forget it.
    """

    service: str
    steps: tuple[Step, ...] = ()
    notices: tuple[tuple[Finding, str], ...] = ()
    recurrences: Mapping[str, Recurrence | None] = field(default_factory=dict)


class StepStatus(StrEnum):
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was observed after a step. ``seconds`` it took; ``output`` are a build's last lines."""

    step: Step
    status: StepStatus
    detail: str = ""
    seconds: float = 0.0
    output: tuple[str, ...] = ()
