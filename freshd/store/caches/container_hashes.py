"""What containers hold, by container id: path -> (stat signature as text, Entry).

The observer writes the signature as its stat printed it, and decides whether it still holds.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from freshd.model.files import Entry
from freshd.store.sqlite.codec import pack_entry, pack_path, unpack_entry, unpack_path
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.queries import NO_ROW, of_paths

_COLUMNS: Final = "path, signature, kind, digest, size, mode, reason"


class ContainerHashes:
    """Paths are absolute in the container; containers are named by full id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_many(
        self, container_id: str, paths: Collection[str] | None
    ) -> Mapping[str, tuple[str, Entry]]:
        """What is known of ``paths`` (None: of all); unknown ones are absent."""
        with self._database.read() as connection:
            number = _number(connection, container_id)
            if paths is None:
                rows: Iterable[Any] = connection.execute(
                    f"SELECT {_COLUMNS} FROM container_file WHERE container = ?",  # noqa: S608
                    (number,),
                )
            else:
                owner = ("container", number)
                rows = of_paths(connection, _COLUMNS, "container_file", owner, paths)
            return dict(self._database.decoded("container_file", rows, _decode))

    def put_many(self, container_id: str, rows: Mapping[str, tuple[str, Entry]]) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO container (container_id) VALUES (?)", (container_id,)
            )
            number = _number(connection, container_id)
            connection.executemany(
                "INSERT OR REPLACE INTO container_file VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (number, pack_path(path), signature, *pack_entry(entry))
                    for path, (signature, entry) in rows.items()
                ),
            )

    def forget(self, container_id: str, paths: Iterable[str] | None = None) -> None:
        """Drop ``paths`` of one container (None: all of it)."""
        with self._database.write() as connection:
            if paths is None:
                connection.execute("DELETE FROM container WHERE container_id = ?", (container_id,))
                return
            number = _number(connection, container_id)
            connection.executemany(
                "DELETE FROM container_file WHERE container = ? AND path = ?",
                ((number, pack_path(path)) for path in paths),
            )


def _number(connection: sqlite3.Connection, container_id: str) -> int:
    """The container's row, or one that no row has."""
    row = connection.execute(
        "SELECT id FROM container WHERE container_id = ?", (container_id,)
    ).fetchone()
    return NO_ROW if row is None else int(row[0])


def _decode(row: tuple[Any, ...]) -> tuple[str, tuple[str, Entry]]:
    path, signature, *entry = row
    return unpack_path(path), (signature, unpack_entry(*entry))
