"""What ``freshd run --all`` says of itself, for ``status``: one document, the last one written.

Its shape is ``freshd.model.daemon_state.ProjectsState``.
"""

from collections.abc import Mapping
from typing import cast

from freshd.model.text import Json
from freshd.store.sqlite.codec import pack_json, unpack_json
from freshd.store.sqlite.database import Database


class Several:
    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, document: Mapping[str, Json]) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO several VALUES (1, ?)", (pack_json(dict(document)),)
            )

    def load(self) -> Mapping[str, Json]:
        """The document; empty where none was ever written."""
        with self._database.read() as connection:
            row = connection.execute("SELECT document FROM several").fetchone()
        return {} if row is None else cast("dict[str, Json]", unpack_json(row[0]))
