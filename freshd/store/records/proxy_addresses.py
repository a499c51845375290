"""At which addresses a proxy can have found the services it forwards to when it was started."""

from collections.abc import Collection
from typing import cast

from freshd.store.sqlite.codec import pack_json, pack_text, unpack_json
from freshd.store.sqlite.database import Database


class Resolved:
    """By container id and service; of the last start only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, container_id: str, upstream: str, *, started_at: float) -> frozenset[str]:
        """Empty where nothing is known of this start."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT addresses FROM resolved"
                " WHERE container_id = ? AND upstream = ? AND started_at = ?",
                (container_id, pack_text(upstream), started_at),
            ).fetchone()
        return frozenset() if row is None else frozenset(cast("list[str]", unpack_json(row[0])))

    def record(
        self, container_id: str, upstream: str, addresses: Collection[str], *, started_at: float
    ) -> None:
        row = (container_id, pack_text(upstream), started_at, pack_json(sorted(addresses)))
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO resolved VALUES (?, ?, ?, ?)", row)
