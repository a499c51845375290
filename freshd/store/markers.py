"""Small things that must survive a restart: incidents, failures, halts, consent, last runs.

One class for the table of each, values in and out. Whoever decides by them is elsewhere: failures
``decide.brakes``, halts ``decide.halts``, consent ``decide.consent``, last runs ``triggers``. Times
are seconds since the epoch. A service of None means the whole project.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import NUMBER, OBJECT, PATH, TEXT, Table


@dataclass(frozen=True, slots=True)
class Incident:
    service: str
    opened_at: float
    text: str


class Incidents:
    """One run of a service from fresh to not and back: one notice opens it, one closes it."""

    def __init__(self, database: Database) -> None:
        columns = {"project": TEXT, "service": TEXT, "opened_at": NUMBER, "text": TEXT}
        self._table = Table(database, "incident", **columns)

    def open(self, project: str, service: str, *, text: str, at: float) -> bool:
        """True when this opened it: only then a notice is due."""
        return self._table.insert(project, service, at, text)

    def close(self, project: str, service: str) -> Incident | None:
        """The incident this closed, or None when there was none: then no notice is due."""
        fields = ("service", "opened_at", "text")
        rows = self._table.delete(*fields, project=project, service=service)
        return Incident(*rows[0]) if rows else None

    def active(self, project: str) -> tuple[Incident, ...]:
        rows = self._table.select("service", "opened_at", "text", project=project)
        return tuple(Incident(*row) for row in rows)


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

    _FIELDS = ("key", "count", "inputs", "at", "next_try", "detail")

    def __init__(self, database: Database) -> None:
        columns = zip(self._FIELDS, (TEXT, NUMBER, TEXT, NUMBER, NUMBER, TEXT), strict=True)
        self._table = Table(database, "failure", project=TEXT, service=TEXT, **dict(columns))

    def record(self, project: str, service: str, failure: Failure) -> None:
        """Remember; the caller has counted, from ``get``."""
        self._table.replace(project, service, *(getattr(failure, name) for name in self._FIELDS))

    def get(self, project: str, service: str) -> Mapping[str, Failure]:
        """By key."""
        rows = self._table.select(*self._FIELDS, project=project, service=service)
        return {row[0]: Failure(*row) for row in rows}

    def clear(self, project: str, service: str, key: str | None = None) -> None:
        """Forget one key, or with None all of the service."""
        one = {} if key is None else {"key": key}
        self._table.delete(project=project, service=service, **one)


@dataclass(frozen=True, slots=True)
class Halt:
    service: str | None
    reason: str
    at: float


class Halts:
    """Suspected accidents: nothing is done until a person has looked."""

    def __init__(self, database: Database) -> None:
        self._table = Table(database, "halt", project=TEXT, service=TEXT, reason=TEXT, at=NUMBER)
        self._sizes = Table(database, "tree_size", project=TEXT)
        self._recurrences = Table(database, "recurrence", project=TEXT)

    def halt(self, project: str, service: str | None, *, reason: str, at: float) -> bool:
        """True when it was not halted before; the first reason stays."""
        return self._table.insert(project, service or "", reason, at)

    def active(self, project: str) -> tuple[Halt, ...]:
        rows = self._table.select("service", "reason", "at", project=project)
        return tuple(Halt(service or None, reason, at) for service, reason, at in rows)

    def reason(self, project: str, service: str) -> str | None:
        """Why nothing may be done to ``service`` until a person has looked, or None."""
        for halt in self.active(project):
            if halt.service in (None, service):
                return halt.reason
        return None

    def resume(self, project: str) -> tuple[Halt, ...]:
        """Lift every halt of the project; returns those that were lifted.

        The size of the tree before is forgotten with them: as it is now, it is meant. So is what
        remedies were done for last: no loop is left.
        """
        lifted = self.active(project)
        self._recurrences.delete(project=project)
        self._sizes.delete(project=project)  # first: nothing halts again for what it was
        self._table.delete(project=project)
        return lifted


@dataclass(frozen=True, slots=True)
class Consent:
    """File -> digest of what a person agreed to at ``at``."""

    files: Mapping[str, str]
    at: float


class Consents:
    """By project directory."""

    def __init__(self, database: Database) -> None:
        self._table = Table(database, "consent", directory=PATH, files=OBJECT, at=NUMBER)

    def record(self, directory: str, files: Mapping[str, str], at: float) -> None:
        self._table.replace(directory, dict(files), at)

    def get(self, directory: str) -> Consent | None:
        row = self._table.find("files", "at", directory=directory)
        return None if row is None else Consent(*row)


class LastRuns:
    """When each named job of a project last ran, so that a missed one is caught up once."""

    def __init__(self, database: Database) -> None:
        self._table = Table(database, "last_run", project=TEXT, name=TEXT, at=NUMBER)

    def last_run(self, name: str, project: str) -> float | None:
        row = self._table.find("at", project=project, name=name)
        return None if row is None else float(row[0])

    def set(self, name: str, project: str, at: float) -> None:
        self._table.replace(project, name, at)
