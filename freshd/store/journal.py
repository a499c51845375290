"""The journal: what was about to be done, how far it got, and what was observed.

``begin`` and ``phase`` commit before they return, so what a kill interrupts is always found by
``unfinished`` afterwards. Bounded: the oldest finished entries go.
"""

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from freshd.model.json_codec import from_json, to_json
from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.model.text import Json
from freshd.store.sqlite.codec import pack_json, pack_text, unpack_json, unpack_number, unpack_text
from freshd.store.sqlite.database import Database

INTERRUPTED: Final = "interrupted"
MOST_ENTRIES: Final = 10_000

_FILES_KEPT: Final = 50  # of a finished step: the plan text tells the rest
_PRUNE_EVERY: Final = 100
_COLUMNS: Final = (
    "id, project, service, step, files, plan, owner, began_at, finished_at, status, detail,"
    " seconds, output"
)


@dataclass(frozen=True, slots=True)
class Phase:
    """How far a step got. ``data`` may hold ``pid``: a child process started in this phase."""

    name: str
    data: Mapping[str, Json]
    at: float


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One step. ``status`` is a StepStatus value, ``interrupted``, or "" while it is unfinished.

    ``step`` has all its files until it is finished, then the first 50; ``files`` is their number.
    ``owner_pid`` is the freshd process that began it.
    """

    id: int
    project: str
    service: str
    step: Step
    files: int
    plan: str
    owner_pid: int
    began_at: float
    finished_at: float | None
    status: str
    detail: str
    seconds: float
    output: tuple[str, ...]
    phases: tuple[Phase, ...]

    @property
    def causes(self) -> tuple[str, ...]:
        return self.step.causes

    @property
    def last_phase(self) -> Phase | None:
        return self.phases[-1] if self.phases else None

    @property
    def child_pid(self) -> int | None:
        """The last child process the step told of; it may outlive a killed freshd."""
        pids = [phase.data["pid"] for phase in self.phases if "pid" in phase.data]
        return pids[-1] if pids and isinstance(pids[-1], int) else None


class Journal:
    """All times are seconds since the epoch."""

    def __init__(self, database: Database, *, most_entries: int = MOST_ENTRIES) -> None:
        self._database = database
        self._most_entries = most_entries

    def begin(
        self,
        project: str,
        service: str,
        *,
        step: Step,
        plan_text: str,
        at: float,
        asked: bool = False,
    ) -> int:
        """Record the intent, before anything is changed; ``asked``: a person typed it.

        Returns the entry's id.
        """
        row = (
            pack_text(project),
            pack_text(service),
            step.remedy.value,
            pack_json(to_json(step)),
            len(step.files),
            pack_text(plan_text),
            os.getpid(),
            at,
            int(asked),
        )
        with self._database.write() as connection:
            cursor = connection.execute(
                "INSERT INTO journal (project, service, remedy, step, files, plan, owner, began_at,"
                " asked, detail, seconds, output)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, '[]')",
                row,
            )
            number = cast(int, cursor.lastrowid)
            if number % _PRUNE_EVERY == 0:
                self._prune(connection)
        return number

    def phase(
        self, entry_id: int, name: str, *, at: float, data: Mapping[str, Json] | None = None
    ) -> None:
        """Record that the step is about to do ``name``."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO phase SELECT ?1, count(*), ?2, ?3, ?4 FROM phase WHERE entry = ?1",
                (entry_id, name, pack_json(dict(data or {})), at),
            )

    def finish(self, entry_id: int, outcome: Outcome, *, at: float) -> None:
        """Record what was observed; the step's list of files is cut to what history shows."""
        short = replace(outcome.step, files=outcome.step.files[:_FILES_KEPT])
        with self._database.write() as connection:
            connection.execute(
                "UPDATE journal SET finished_at = ?, status = ?, detail = ?, seconds = ?,"
                " output = ?, step = ? WHERE id = ?",
                (
                    at,
                    outcome.status.value,
                    pack_text(outcome.detail),
                    outcome.seconds,
                    pack_json(list(outcome.output)),
                    pack_json(to_json(short)),
                    entry_id,
                ),
            )

    def mark_interrupted(self, entry_id: int, detail: str, *, at: float) -> None:
        """Close an entry whose process is gone, after its traces were dealt with."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE journal SET finished_at = ?1, status = ?2, detail = ?3,"
                " seconds = max(0, ?1 - began_at) WHERE id = ?4 AND finished_at IS NULL",
                (at, INTERRUPTED, pack_text(detail), entry_id),
            )

    def unfinished(self, project: str | None = None) -> tuple[JournalEntry, ...]:
        """Begun and not finished, oldest first: interrupted, or still running in ``owner_pid``."""
        return self._select(
            "finished_at IS NULL AND (?1 IS NULL OR project = ?1) ORDER BY id",
            (None if project is None else pack_text(project),),
        )

    def open_owners(self, project: str) -> frozenset[int]:
        """The processes that began what is unfinished; they may have died."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT DISTINCT owner FROM journal WHERE project = ? AND finished_at IS NULL",
                (pack_text(project),),
            ).fetchall()
        return frozenset(self._database.decoded("journal", rows, lambda row: int(row[0])))

    def close_unreadable(self, project: str, detail: str, *, at: float) -> None:
        """Close what is open and cannot be read: nobody could ever deal with it."""
        readable = {entry.id for entry in self.unfinished(project)}
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id FROM journal WHERE project = ? AND finished_at IS NULL",
                (pack_text(project),),
            ).fetchall()
        for (entry_id,) in rows:
            if entry_id not in readable:
                self.mark_interrupted(entry_id, detail, at=at)

    def history(
        self, project: str | None = None, service: str | None = None, *, limit: int = 50
    ) -> tuple[JournalEntry, ...]:
        """The newest ``limit`` entries, newest first."""
        return self._select(
            "(?1 IS NULL OR project = ?1) AND (?2 IS NULL OR service = ?2)"
            " ORDER BY id DESC LIMIT ?3",
            (
                None if project is None else pack_text(project),
                None if service is None else pack_text(service),
                limit,
            ),
        )

    def injected_into(self, project: str, service: str, *, limit: int = 20) -> tuple[str, ...]:
        """The containers of the newest ``limit`` injections that were done, oldest first."""
        found = self._select(
            "project = ? AND service = ? AND remedy = ? AND status = ? ORDER BY id DESC LIMIT ?",
            (
                pack_text(project),
                pack_text(service),
                Remedy.INJECT.value,
                StepStatus.DONE.value,
                limit,
            ),
        )
        ids = (entry.step.container_id for entry in reversed(found))
        return tuple(dict.fromkeys(one for one in ids if one is not None))

    def all_injected(self) -> frozenset[str]:
        """The containers that ``injected_into`` names, over all services."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT DISTINCT project, service FROM journal WHERE remedy = ?",
                (Remedy.INJECT.value,),
            ).fetchall()
        services = [(unpack_text(project), unpack_text(service)) for project, service in rows]
        return frozenset(name for service in services for name in self.injected_into(*service))

    def starts(
        self, project: str, service: str, *, remedy: Remedy, since: float
    ) -> tuple[float, ...]:
        """When each step of that kind began, from ``since`` on, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT began_at FROM journal WHERE project = ? AND service = ? AND remedy = ?"
                " AND began_at >= ? ORDER BY began_at",
                (pack_text(project), pack_text(service), remedy.value, since),
            ).fetchall()
        return tuple(self._database.decoded("journal", rows, lambda row: unpack_number(row[0])))

    def automatic_starts(
        self, project: str, service: str, *, since: float
    ) -> Mapping[Remedy, tuple[float, ...]]:
        """The same of every kind, but for what a person typed."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT remedy, began_at FROM journal WHERE project = ? AND service = ?"
                " AND began_at >= ? AND NOT asked ORDER BY began_at",
                (pack_text(project), pack_text(service), since),
            ).fetchall()
        starts: dict[Remedy, tuple[float, ...]] = {}
        for remedy, at in rows:
            starts[Remedy(remedy)] = (*starts.get(Remedy(remedy), ()), float(at))
        return starts

    def newest(self, project: str) -> tuple[int, bool]:
        """The last entry's id, 0 before the first, and whether it is finished; cheap to ask."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT id, finished_at IS NOT NULL FROM journal WHERE project = ?"
                " ORDER BY id DESC LIMIT 1",
                (pack_text(project),),
            ).fetchone()
        return (0, True) if row is None else (row[0], bool(row[1]))

    def _select(self, condition: str, values: tuple[Any, ...]) -> tuple[JournalEntry, ...]:
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM journal WHERE {condition}",  # noqa: S608 - our constants
                values,
            ).fetchall()
            every = [(row, self._phases(connection, row[0])) for row in rows]
        return tuple(self._database.decoded("journal", every, lambda pair: _decode(*pair)))

    def _phases(self, connection: sqlite3.Connection, entry_id: int) -> tuple[Phase, ...]:
        rows = connection.execute(
            "SELECT name, data, at FROM phase WHERE entry = ? ORDER BY number", (entry_id,)
        ).fetchall()
        return tuple(self._database.decoded("phase", rows, _phase))

    def _prune(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "DELETE FROM journal WHERE finished_at IS NOT NULL AND id <="
            " (SELECT id FROM journal ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (self._most_entries,),
        )


def _phase(row: tuple[Any, ...]) -> Phase:
    name, data, at = row
    return Phase(name, dict(cast("dict[str, Json]", unpack_json(data))), unpack_number(at))


def _decode(row: tuple[Any, ...], phases: tuple[Phase, ...]) -> JournalEntry:
    number, project, service, step, files, plan, owner, began, finished, status, *rest = row
    detail, seconds, output = rest
    return JournalEntry(
        id=number,
        project=unpack_text(project),
        service=unpack_text(service),
        step=from_json(Step, unpack_json(step)),
        files=int(files),
        plan=unpack_text(plan),
        owner_pid=int(owner),
        began_at=unpack_number(began),
        finished_at=None if finished is None else unpack_number(finished),
        status=status or "",
        detail=unpack_text(detail),
        seconds=unpack_number(seconds),
        output=tuple(cast("list[str]", unpack_json(output))),
        phases=phases,
    )
