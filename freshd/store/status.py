"""The last report of each service and what the daemon says of itself, for ``freshd status``.

Reports come and go as JSON values; ``freshd.render.documents`` gives them their shape.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from freshd.model.text import Json
from freshd.store.sqlite.codec import pack_json, pack_path, pack_text
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import JSON_OR_NONE, NUMBER, PATH, TEXT, Table


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """``report`` as it was saved at ``checked_at`` (seconds); None where it cannot be read."""

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
        columns = {"project": TEXT, "directory": PATH, "saved_at": NUMBER, "extra": JSON_OR_NONE}
        self._projects = Table(database, "project_status", **columns)
        columns = {"project": TEXT, "service": TEXT, "report": JSON_OR_NONE, "checked_at": NUMBER}
        self._services = Table(database, "service_status", **columns)

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
        row = self._projects.find("directory", "saved_at", "extra", project=project)
        if row is None:
            return None
        directory, saved_at, extra = row
        rows = self._services.select("service", "report", "checked_at", project=project)
        services = {service: ServiceStatus(report, at) for service, report, at in rows}
        return ProjectStatus(
            project, directory, services, saved_at, extra if isinstance(extra, dict) else {}
        )

    def projects(self) -> tuple[tuple[str, str], ...]:
        """Every project ever saved with its directory, by name."""
        return tuple(self._projects.select("project", "directory"))

    def keep(self, project: str, services: Collection[str]) -> None:
        """Forget the services of ``project`` that its model no longer has."""
        for (service,) in self._services.select("service", project=project):
            if service not in services:
                self._services.delete(project=project, service=service)

    def forget(self, project: str) -> None:
        self._projects.delete(project=project)
