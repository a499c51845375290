"""Loops: findings that come back of their own accord, with other content, right after their remedy.

Somebody who edits is no loop, however quickly: what comes back counts only where the tree stayed
as it was and the container changed, or where the paths are no code and a container of the project
can write them through a bind mount. And of the latter it has to be seen that they change though
nothing is done: freshd pauses, looks, and only then stops.

In: a step, the report that asks for it, what is remembered of its remedy. Out: a reason, and what
is to be remembered.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from freshd.catalog.runtimes.processes import is_code
from freshd.decide.brakes.backoff import clock, step_inputs
from freshd.model.plan import Recurrence, Step
from freshd.model.report import Finding, ServiceReport

RIGHT_AFTER: Final = 90.0
PAUSE: Final = 5.0
STOPPED: Final = "stopped at"
MOST: Final = 3
"""How often findings may come back right after their remedy before it is taken for a loop."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """``reason`` says why the step is not done now, None: it is. ``known`` is to be remembered."""

    known: Recurrence | None
    reason: str | None = None


def judge(
    step: Step,
    report: ServiceReport,
    known: Recurrence | None,
    now: float,
    *,
    writable: Callable[[str], bool],
) -> Ruling:
    """Whether ``step`` is one turn of a loop. ``writable``: a container can write the tree path."""
    if known is None:
        return Ruling(None)
    paths = paths_of(step, report)
    if not paths or not set(paths) <= set(known.paths):
        return Ruling(None)  # the inputs changed in another way
    if known.stopped_at:
        return Ruling(known, _stopped(step, known))
    drift, alone = step_inputs(step, report), wanted(step, report) == known.wanted
    if drift == known.drift or now - known.at > RIGHT_AFTER:
        return Ruling(replace(known, count=0, probed=""))
    if known.count + 1 < MOST:
        return Ruling(known)
    if alone:
        return _stop(step, known, now)
    if not all(writable(path) and not is_code(path) for path in paths):
        return Ruling(replace(known, count=0, probed=""))
    return _probe(step, known, drift, now)


def _probe(step: Step, known: Recurrence, drift: str, now: float) -> Ruling:
    """Whether it changes though nothing is done about it: nobody else tells a program's writes."""
    if not known.probed:
        known = replace(known, probed=drift, probed_until=now + PAUSE)
    elif drift != known.probed:
        return _stop(step, known, now)
    elif now >= known.probed_until:
        return Ruling(replace(known, count=0, probed=""))
    return Ruling(
        known,
        f"it came back {MOST} times right after {step.remedy}: until "
        f"{clock(known.probed_until)} it is seen whether it changes by itself",
    )


def _stop(step: Step, known: Recurrence, now: float) -> Ruling:
    known = replace(known, stopped_at=now, probed="")
    return Ruling(known, _stopped(step, known))


def _stopped(step: Step, known: Recurrence) -> str:
    more = f" and {len(known.paths) - 1:,} more" if len(known.paths) > 1 else ""
    return (
        f"{STOPPED} {clock(known.stopped_at)}: {known.paths[0]}{more} changed again by itself "
        f"right after each {step.remedy}; `freshd resume` lifts that, or a change of another file"
    )


def remedied(
    step: Step,
    report: ServiceReport,
    known: Recurrence | None,
    now: float,
    *,
    writable: Callable[[str], bool],
) -> Recurrence | None:
    """What to remember once ``step`` was done about ``report`` and helped; None: nothing."""
    paths = paths_of(step, report)
    if not paths:
        return None
    drift, wants = step_inputs(step, report), wanted(step, report)
    count = 0
    if (
        known is not None
        and set(paths) <= set(known.paths)
        and drift != known.drift
        and now - known.at <= RIGHT_AFTER
        and (wants == known.wanted or all(writable(p) and not is_code(p) for p in paths))
    ):
        count, paths = known.count + 1, known.paths
    return Recurrence(str(step.remedy), paths, drift, wants, now, count=count)


def paths_of(step: Step, report: ServiceReport) -> tuple[str, ...]:
    """All tree paths that the findings of the step name, sorted; () where one names none."""
    paths: set[str] = set()
    for finding in _asking(step, report):
        named = {finding.path} if finding.path is not None else set(finding.paths)
        if not named:
            return ()
        paths |= named
    return tuple(sorted(paths))


def wanted(step: Step, report: ServiceReport) -> str:
    """64 hex digits over what the tree wants of the step's files."""
    facts = sorted(
        json.dumps([finding.path, finding.target, _tree_side(finding)])
        for finding in _asking(step, report)
    )
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _tree_side(finding: Finding) -> object:
    """A finding on many files has the tree's content in its drift."""
    if finding.want is not None:
        return [str(finding.want.kind), finding.want.digest, finding.want.executable]
    return finding.evidence.get("drift")


def _asking(step: Step, report: ServiceReport) -> list[Finding]:
    return [
        finding
        for finding in report.findings
        if finding.cause in step.causes
        and (step.container_id is None or finding.container_id in (None, step.container_id))
    ]
