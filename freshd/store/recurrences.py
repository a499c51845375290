"""What remedies were done for last, by project, service and remedy: loops outlive a restart."""

from collections.abc import Mapping
from dataclasses import fields

from freshd.model.plan import Recurrence
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import JSON, PLAIN, TEXT, Table

_FIELDS = tuple(field.name for field in fields(Recurrence))


class Recurrences:
    """One row a remedy of a service."""

    def __init__(self, database: Database) -> None:
        kinds = {"remedy": TEXT, "paths": JSON}
        columns = {name: kinds.get(name, PLAIN) for name in _FIELDS}
        self._table = Table(database, "recurrence", project=TEXT, service=TEXT, **columns)

    def get(self, project: str, service: str) -> Mapping[str, Recurrence]:
        """By remedy."""
        rows = self._table.select(*_FIELDS, project=project, service=service)
        return {row[0]: Recurrence(row[0], tuple(row[1]), *row[2:]) for row in rows}

    def record(self, project: str, service: str, known: Recurrence) -> None:
        values = (getattr(known, name) for name in _FIELDS)
        row = [list(value) if isinstance(value, tuple) else value for value in values]
        self._table.replace(project, service, *row)

    def clear(self, project: str, service: str, remedy: str) -> None:
        self._table.delete(project=project, service=service, remedy=remedy)

    def stopped(self, project: str) -> Mapping[str, tuple[Recurrence, ...]]:
        """service -> those of its remedies that are stopped."""
        found: dict[str, tuple[Recurrence, ...]] = {}
        for (service,) in set(self._table.select("service", project=project)):
            ended = tuple(r for r in self.get(project, service).values() if r.stopped_at)
            if ended:
                found[service] = ended
        return found
