"""What went into builds: image id -> BuildRecord."""

from freshd.model.observed.image import BuildRecord
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import FLAG, NAME, NUMBER, OBJECT, TEXT, Table

_FIELDS = ("image_id", "service", "inputs", "args", "recorded_at", "by_freshd")


class BuildRecords:
    def __init__(self, database: Database) -> None:
        columns = zip(_FIELDS, (NAME, TEXT, OBJECT, OBJECT, NUMBER, FLAG), strict=True)
        self._table = Table(database, "build", **dict(columns))

    def record(self, build: BuildRecord) -> None:
        """Add, or replace what was known of the same image."""
        self._table.replace(*(getattr(build, name) for name in _FIELDS))

    def get(self, image_id: str) -> BuildRecord | None:
        row = self._table.find(*_FIELDS, image_id=image_id)
        return None if row is None else BuildRecord(*row)
