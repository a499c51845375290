"""What a container still owes after files were written into it: a purge, a reload, a restart.

And what a service owes: a rebuild that was begun.

Steps come in before the injection that they follow, and go out until they were done: a freshd
that is killed in between, or whose restart fails, does not leave old code in a running process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from freshd.model.json_codec import from_json, to_json
from freshd.model.plan import FileChange, Step
from freshd.store.sqlite.codec import pack_json, unpack_json
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import NAME, NUMBER, TEXT, Column, Table

_STEP: Final = Column(
    lambda step: pack_json(to_json(step)), lambda column: from_json(Step, unpack_json(column))
)


@dataclass(frozen=True, slots=True)
class PendingStep:
    """``started_at`` is the container's last start (seconds) when the promise was made, 0 for a
    step on the whole service."""

    step: Step
    started_at: float


class PendingSteps:
    """By project and service; one step of each remedy for each container."""

    def __init__(self, database: Database) -> None:
        columns = {"container_id": NAME, "remedy": NAME, "project": TEXT, "service": TEXT}
        self._table = Table(database, "owed", **columns, step=_STEP, started_at=NUMBER)

    def add(self, project: str, pending: Sequence[PendingStep]) -> None:
        """Promise the steps; one that its container owes already takes the new files in."""
        for added in pending:
            step = added.step
            before = [
                known.step
                for known in self.get(project, step.service)
                if (known.step.container_id, known.step.remedy) == (step.container_id, step.remedy)
            ]
            key = (_debtor(step), step.remedy.value, project, step.service)
            self._table.replace(*key, _merged(before, step), added.started_at)

    def get(self, project: str, service: str) -> tuple[PendingStep, ...]:
        rows = self._table.select("step", "started_at", project=project, service=service)
        return tuple(PendingStep(step, at) for step, at in rows)

    def settle(self, project: str, step: Step) -> None:
        """It was done, or is not needed any more."""
        self._table.delete(project=project, container_id=_debtor(step), remedy=step.remedy.value)


def _debtor(step: Step) -> str:
    """Who owes it; no container id has a colon."""
    return step.container_id or f"service:{step.service}"


def _merged(before: Sequence[Step], step: Step) -> Step:
    every = (*before, step)
    files: dict[str, FileChange] = {c.target: c for each in every for c in each.files}
    return replace(
        step,
        files=tuple(files[target] for target in sorted(files)),
        patterns=tuple(dict.fromkeys(pattern for each in every for pattern in each.patterns)),
        commands=tuple(dict.fromkeys(command for each in every for command in each.commands)),
        causes=tuple(sorted({cause for each in every for cause in each.causes})),
    )
