"""Small things that must survive a restart: incidents, failures, halts, consent, last runs.

Times are seconds since the epoch. A service of None means the whole project.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from freshd.store.sqlite.codec import pack_json, pack_path, pack_text, unpack_json, unpack_text
from freshd.store.sqlite.database import Database


@dataclass(frozen=True, slots=True)
class Incident:
    service: str
    opened_at: float
    text: str


class Incidents:
    """One run of a service from fresh to not and back: one notice opens it, one closes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, project: str, service: str, *, text: str, at: float) -> bool:
        """True when this opened it: only then a notice is due."""
        with self._database.write() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO incident VALUES (?, ?, ?, ?)",
                (pack_text(project), pack_text(service), at, pack_text(text)),
            )
            return cursor.rowcount == 1

    def close(self, project: str, service: str) -> Incident | None:
        """The incident this closed, or None when there was none: then no notice is due."""
        key = (pack_text(project), pack_text(service))
        with self._database.write() as connection:
            row = connection.execute(
                "DELETE FROM incident WHERE project = ? AND service = ? RETURNING opened_at, text",
                key,
            ).fetchone()
        return None if row is None else Incident(service, row[0], unpack_text(row[1]))

    def active(self, project: str) -> tuple[Incident, ...]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT service, opened_at, text FROM incident WHERE project = ? ORDER BY service",
                (pack_text(project),),
            ).fetchall()
        return tuple(Incident(unpack_text(row[0]), row[1], unpack_text(row[2])) for row in rows)


@dataclass(frozen=True, slots=True)
class Failure:
    """``count`` failures in a row with the same ``inputs``; not tried again before ``next_try``."""

    key: str
    count: int
    inputs: str
    at: float
    next_try: float
    detail: str


class Failures:
    """Failures are remembered by their inputs: the same drift is not tried again and again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, project: str, service: str, failure: Failure) -> None:
        """Remember; the caller has counted, from ``get``."""
        row = (
            pack_text(project),
            pack_text(service),
            pack_text(failure.key),
            failure.count,
            failure.inputs,
            failure.at,
            failure.next_try,
            pack_text(failure.detail),
        )
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row
            )

    def get(self, project: str, service: str) -> Mapping[str, Failure]:
        """By key."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT key, count, inputs, at, next_try, detail FROM failure"
                " WHERE project = ? AND service = ?",
                (pack_text(project), pack_text(service)),
            ).fetchall()
        failures = (
            Failure(unpack_text(key), count, inputs, at, next_try, unpack_text(detail))
            for key, count, inputs, at, next_try, detail in rows
        )
        return {failure.key: failure for failure in failures}

    def clear(self, project: str, service: str, key: str | None = None) -> None:
        """Forget one key, or with None all of the service."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM failure WHERE project = ?1 AND service = ?2"
                " AND (?3 IS NULL OR key = ?3)",
                (pack_text(project), pack_text(service), None if key is None else pack_text(key)),
            )


@dataclass(frozen=True, slots=True)
class Halt:
    service: str | None
    reason: str
    at: float


class Halts:
    """Suspected accidents: nothing is done until a person has looked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def halt(self, project: str, service: str | None, *, reason: str, at: float) -> bool:
        """True when it was not halted before; the first reason stays."""
        with self._database.write() as connection:
            cursor = connection.execute(
                "INSERT OR IGNORE INTO halt VALUES (?, ?, ?, ?)",
                (pack_text(project), pack_text(service or ""), pack_text(reason), at),
            )
            return cursor.rowcount == 1

    def active(self, project: str) -> tuple[Halt, ...]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT service, reason, at FROM halt WHERE project = ? ORDER BY service",
                (pack_text(project),),
            ).fetchall()
        return tuple(Halt(unpack_text(row[0]) or None, unpack_text(row[1]), row[2]) for row in rows)

    def reason(self, project: str, service: str) -> str | None:
        """Why nothing may be done to ``service`` until a person has looked, or None."""
        for halt in self.active(project):
            if halt.service in (None, service):
                return halt.reason
        return None

    def resume(self, project: str) -> tuple[Halt, ...]:
        """Lift every halt of the project; returns those that were lifted.

        The size of the tree before is forgotten with them: as it is now, it is meant.
        """
        lifted = self.active(project)
        with self._database.write() as connection:
            connection.execute("DELETE FROM halt WHERE project = ?", (pack_text(project),))
            connection.execute("DELETE FROM tree_size WHERE project = ?", (pack_text(project),))
        return lifted


@dataclass(frozen=True, slots=True)
class Consent:
    """File -> digest of what a person agreed to at ``at``."""

    files: Mapping[str, str]
    at: float


class Consents:
    """By project directory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, directory: str, files: Mapping[str, str], at: float) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO consent VALUES (?, ?, ?)",
                (pack_path(directory), pack_json(dict(files)), at),
            )

    def get(self, directory: str) -> Consent | None:
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT files, at FROM consent WHERE directory = ?", (pack_path(directory),)
            ).fetchone()
        return None if row is None else Consent(cast("dict[str, str]", unpack_json(row[0])), row[1])


class ScheduleMemory:
    """When each named job of a project last ran, so that a missed one is caught up once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last_run(self, name: str, project: str) -> float | None:
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT at FROM last_run WHERE project = ? AND name = ?",
                (pack_text(project), pack_text(name)),
            ).fetchone()
        return None if row is None else float(row[0])

    def set(self, name: str, project: str, at: float) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO last_run VALUES (?, ?, ?)",
                (pack_text(project), pack_text(name), at),
            )
