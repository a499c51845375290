"""What went into builds: image id -> BuildRecord. Of build arguments only keyed hashes are kept."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from freshd.model.observed.image import BuildRecord
from freshd.store.records.creation_records import CreationRecords
from freshd.store.sqlite.codec import hashed_values
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import FLAG, NAME, NUMBER, OBJECT, TEXT, Table

_FIELDS: Final = ("image_id", "service", "inputs", "args", "recorded_at", "by_freshd")


class BuildRecords:
    """``keyring`` has the key of the hashes."""

    def __init__(self, database: Database, keyring: CreationRecords) -> None:
        columns = zip(_FIELDS, (NAME, TEXT, OBJECT, OBJECT, NUMBER, FLAG), strict=True)
        self._table = Table(database, "build", **dict(columns))
        self._keyring = keyring

    def record(self, build: BuildRecord) -> None:
        """Add, or replace what was known of the same image."""
        kept = replace(build, args=hashed_values(self._keyring.key(), build.args))
        self._table.replace(*(getattr(kept, name) for name in _FIELDS))

    def get(self, image_id: str, args: Mapping[str, str]) -> BuildRecord | None:
        """The record; an argument that was as it is in ``args`` has its value, others a hash."""
        row = self._table.find(*_FIELDS, image_id=image_id)
        if row is None:
            return None
        found = BuildRecord(*row)
        now = hashed_values(self._keyring.key(), args) if found.args else {}
        same = {name: args[name] for name, kept in found.args.items() if now.get(name) == kept}
        return replace(found, args={**found.args, **same})
