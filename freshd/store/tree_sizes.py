"""How many files each service's mapping had when all was well, to tell a loss while freshd was off.

A resume forgets it: a person has looked, and the tree as it is then is meant (see ``Halts``).
"""

from freshd.store.sqlite.codec import pack_text
from freshd.store.sqlite.database import Database


class TreeSizes:
    """By project and service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, project: str, service: str, files: int) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO tree_size VALUES (?, ?, ?)",
                (pack_text(project), pack_text(service), files),
            )

    def get(self, project: str, service: str) -> int | None:
        """None where nothing was recorded, or a person has resumed since."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT files FROM tree_size WHERE project = ? AND service = ?",
                (pack_text(project), pack_text(service)),
            ).fetchone()
        return None if row is None else int(row[0])
