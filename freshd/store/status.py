"""The last report of each service and what the daemon says of itself, for ``freshd status``.

Reports come and go as JSON values; their shape belongs to ``report/``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from freshd.model.text import Json
from freshd.store.sqlite.codec import (
    pack_json,
    pack_path,
    pack_text,
    unpack_json,
    unpack_path,
    unpack_text,
)
from freshd.store.sqlite.database import Database


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """``report`` as it was saved at ``checked_at`` (seconds)."""

    report: Json
    checked_at: float


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """``extra`` is the daemon's: pid, started_at, watching, notifier, problems."""

    project: str
    directory: str
    services: Mapping[str, ServiceStatus]
    saved_at: float
    extra: Mapping[str, Json]


class StatusTable:
    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        project: str,
        *,
        directory: str,
        services: Mapping[str, Json],
        at: float,
        extra: Mapping[str, Json] | None = None,
    ) -> None:
        """Replace the reports of ``services``, others stay; ``extra`` is replaced if given."""
        name = pack_text(project)
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO project_status VALUES (?1, ?2, ?3, coalesce(?4, '{}'))"
                " ON CONFLICT (project) DO UPDATE SET directory = ?2, saved_at = ?3,"
                " extra = coalesce(?4, extra)",
                (name, pack_path(directory), at, None if extra is None else pack_json(dict(extra))),
            )
            connection.executemany(
                "INSERT OR REPLACE INTO service_status VALUES (?, ?, ?, ?)",
                (
                    (name, pack_text(service), pack_json(report), at)
                    for service, report in services.items()
                ),
            )

    def load(self, project: str) -> ProjectStatus | None:
        """What was saved last, or None for a project never saved."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT directory, saved_at, extra FROM project_status WHERE project = ?",
                (pack_text(project),),
            ).fetchone()
            if row is None:
                return None
            reports = connection.execute(
                "SELECT service, report, checked_at FROM service_status WHERE project = ?"
                " ORDER BY service",
                (pack_text(project),),
            ).fetchall()
        return ProjectStatus(
            project, unpack_path(row[0]), _services(reports), row[1], _extra(row[2])
        )

    def projects(self) -> tuple[tuple[str, str], ...]:
        """Every project ever saved with its directory, by name."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT project, directory FROM project_status ORDER BY project"
            ).fetchall()
        return tuple((unpack_text(project), unpack_path(directory)) for project, directory in rows)

    def keep(self, project: str, services: Collection[str]) -> None:
        """Forget the services of ``project`` that its model no longer has."""
        kept = {pack_text(service) for service in services}
        with self._database.write() as connection:
            rows = connection.execute(
                "SELECT project, service FROM service_status WHERE project = ?",
                (pack_text(project),),
            ).fetchall()
            connection.executemany(
                "DELETE FROM service_status WHERE project = ? AND service = ?",
                [row for row in rows if row[1] not in kept],
            )

    def forget(self, project: str) -> None:
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM project_status WHERE project = ?", (pack_text(project),)
            )


def _services(rows: list[tuple[Any, ...]]) -> Mapping[str, ServiceStatus]:
    return {
        unpack_text(service): ServiceStatus(unpack_json(report), checked_at)
        for service, report, checked_at in rows
    }


def _extra(column: str) -> Mapping[str, Json]:
    return cast("dict[str, Json]", unpack_json(column))
