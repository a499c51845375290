"""What a container still owes after files were written into it: a purge, a reload, a restart.

And what a service owes: a rebuild that was begun.

Steps come in before the injection that they follow, and go out until they were done: a freshd
that is killed in between, or whose restart fails, does not leave old code in a running process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from freshd.model.plan import FileChange, Step
from freshd.store.sqlite.codec import pack_json, pack_text, unpack_json
from freshd.store.sqlite.database import Database
from freshd.store.step_codec import step_from_json, step_to_json


@dataclass(frozen=True, slots=True)
class Owed:
    """``started_at`` is the container's last start (seconds) when the promise was made, 0 for a
    step on the whole service."""

    step: Step
    started_at: float


class OwedSteps:
    """By project and service; one step of each remedy for each container."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def owe(self, project: str, owed: Sequence[Owed]) -> None:
        """Promise the steps; one that its container owes already takes the new files in."""
        for each in owed:
            step = each.step
            known = [
                one.step
                for one in self.get(project, step.service)
                if (one.step.container_id, one.step.remedy) == (step.container_id, step.remedy)
            ]
            row = (
                _debtor(step),
                step.remedy.value,
                pack_text(project),
                pack_text(step.service),
                pack_json(step_to_json(_merged(known, step))),
                each.started_at,
            )
            with self._database.write() as connection:
                connection.execute("INSERT OR REPLACE INTO owed VALUES (?, ?, ?, ?, ?, ?)", row)

    def get(self, project: str, service: str) -> tuple[Owed, ...]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT step, started_at FROM owed WHERE project = ? AND service = ?"
                " ORDER BY container_id, remedy",
                (pack_text(project), pack_text(service)),
            ).fetchall()
        return tuple(Owed(step_from_json(unpack_json(step)), at) for step, at in rows)

    def settle(self, project: str, step: Step) -> None:
        """It was done, or is not needed any more."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM owed WHERE project = ? AND container_id = ? AND remedy = ?",
                (pack_text(project), _debtor(step), step.remedy.value),
            )


def _debtor(step: Step) -> str:
    """Who owes it; no container id has a colon."""
    return step.container_id or f"service:{step.service}"


def _merged(before: Sequence[Step], step: Step) -> Step:
    every = (*before, step)
    files: dict[str, FileChange] = {c.target: c for one in every for c in one.files}
    return replace(
        step,
        files=tuple(files[target] for target in sorted(files)),
        patterns=tuple(dict.fromkeys(pattern for one in every for pattern in one.patterns)),
        commands=tuple(dict.fromkeys(each for one in every for each in one.commands)),
        causes=tuple(sorted({cause for one in every for cause in one.causes})),
    )
