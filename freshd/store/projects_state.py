"""What ``freshd run --all`` says of itself, for ``status``: one document, the last one written.

Its shape is that of ``freshd.model.daemon_state.ProjectsState``.
"""

from collections.abc import Mapping

from freshd.model.text import Json
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import OBJECT, PLAIN, Table


class ProjectsDocument:
    def __init__(self, database: Database) -> None:
        self._table = Table(database, "several", id=PLAIN, document=OBJECT)

    def save(self, document: Mapping[str, Json]) -> None:
        self._table.replace(1, dict(document))

    def load(self) -> Mapping[str, Json]:
        """The document; empty where none was ever written."""
        row = self._table.find("document")
        return {} if row is None else dict(row[0])
