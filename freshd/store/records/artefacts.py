"""Which sources an artefact was made from when it was first seen as it is now."""

from collections.abc import Mapping
from dataclasses import dataclass

from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import NAME, OBJECT, PATH, TEXT, Table


@dataclass(frozen=True, slots=True)
class ArtefactRecord:
    """``artefact`` is one digest of all it holds; ``sources``: tree path -> digest."""

    artefact: str
    sources: Mapping[str, str]


class ArtefactRecords:
    """By project, service and the artefact's path in the image."""

    def __init__(self, database: Database) -> None:
        columns = {"project": TEXT, "service": TEXT, "target": PATH}
        self._table = Table(database, "derived", **columns, artefact=NAME, sources=OBJECT)

    def get(self, project: str, service: str, target: str) -> ArtefactRecord | None:
        key = {"project": project, "service": service, "target": target}
        row = self._table.find("artefact", "sources", **key)
        return None if row is None else ArtefactRecord(*row)

    def record(self, project: str, service: str, target: str, made: ArtefactRecord) -> None:
        self._table.replace(project, service, target, made.artefact, dict(made.sources))
