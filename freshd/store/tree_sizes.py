"""How many files each service's mapping had when all was well, to tell a loss while freshd was off.

A resume forgets it: a person has looked, and the tree as it is then is meant (see ``Halts``).
"""

from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import NUMBER, TEXT, Table


class TreeSizes:
    """By project and service."""

    def __init__(self, database: Database) -> None:
        self._table = Table(database, "tree_size", project=TEXT, service=TEXT, files=NUMBER)

    def record(self, project: str, service: str, files: int) -> None:
        self._table.replace(project, service, files)

    def get(self, project: str, service: str) -> int | None:
        """None where nothing was recorded, or a person has resumed since."""
        row = self._table.find("files", project=project, service=service)
        return None if row is None else int(row[0])
