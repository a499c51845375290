"""Failures remembered by their inputs: the same drift is not tried again and again.

A step is known by ``step_key``, its drift by ``step_inputs``; a remembered failure holds the step
back while the drift is the same and ``next_try`` has not come.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Protocol

from freshd.model.files import Entry
from freshd.model.plan import Step
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, ServiceReport
from freshd.model.text import Json

_FIRST_WAIT = {Remedy.REBUILD: 60.0, Remedy.RECREATE: 30.0}
_LONGEST_WAIT = {Remedy.REBUILD: 3600.0, Remedy.RECREATE: 1800.0}


class Remembered(Protocol):
    """One or more failures in a row of one step with the same inputs."""

    @property
    def count(self) -> int: ...
    @property
    def inputs(self) -> str: ...
    @property
    def next_try(self) -> float: ...
    @property
    def detail(self) -> str: ...


def step_key(step: Step) -> str:
    """What is tried and where, the same from pass to pass."""
    return f"{step.remedy} {step.container_id or step.service}"


def step_inputs(step: Step, report: ServiceReport) -> str:
    """64 hex digits over the drift that asks for the step; another drift gives another value."""
    facts = sorted(
        json.dumps(_facts(finding), sort_keys=True)
        for finding in report.findings
        if finding.cause in step.causes
        and (step.container_id is None or finding.container_id in (None, step.container_id))
    )
    mode = str(step.rebuild or step.signal or "")
    return hashlib.sha256("\n".join([mode, *facts]).encode()).hexdigest()


def next_try(now: float, *, count: int, remedy: Remedy) -> float:
    """When to try again after ``count`` failures in a row: the wait doubles up to a longest one.

    ``now`` and the result are seconds since the epoch.
    """
    first = _FIRST_WAIT.get(remedy, 2.0)
    longest = _LONGEST_WAIT.get(remedy, 300.0)
    return now + min(longest, first * 2.0 ** min(max(count, 1) - 1, 20))


def held_back(
    step: Step, report: ServiceReport, failures: Mapping[str, Remembered], now: float
) -> str | None:
    """Why the step is not tried now, or None."""
    failure = failures.get(step_key(step))
    if failure is None or now >= failure.next_try:
        return None
    if failure.inputs != step_inputs(step, report):
        return None
    times = "once" if failure.count == 1 else f"{failure.count} times"
    why = f" ({failure.detail})" if failure.detail else ""
    return (
        f"{step.remedy} failed {times} with the same content{why}; "
        f"waiting for a change or until {clock(failure.next_try)}"
    )


def clock(moment: float) -> str:
    """Seconds since the epoch as a time of day, ``20:14:05 UTC``."""
    seconds = int(moment) % 86400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d} UTC"


def _facts(finding: Finding) -> Json:
    return [
        finding.cause,
        finding.container_id,
        finding.path,
        finding.target,
        _entry(finding.want),
        _entry(finding.seen),
        dict(finding.evidence),
    ]


def _entry(entry: Entry | None) -> Json:
    return None if entry is None else [str(entry.kind), entry.digest, entry.executable]
