"""What images hold, by chain id. An image's content never changes, so nothing here gets old.

Files (present or known to be absent), complete directory listings, and which line of the history
wrote each path last.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from freshd.model.files import Entry, Kind
from freshd.store.sqlite.codec import (
    pack_entry,
    pack_json,
    pack_path,
    unpack_entry,
    unpack_json,
    unpack_path,
)
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.queries import NO_ROW, of_paths

_Value = TypeVar("_Value")
_COLUMNS: Final = "path, present, kind, digest, size, mode, reason"
_ABSENT = pack_entry(Entry(Kind.OTHER))  # the columns of a path that is not there; never read


class ImageContents:
    """Paths and directories are absolute in the image."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_files(self, chain_id: str, paths: Collection[str]) -> Mapping[str, Entry | None]:
        """What is known of ``paths``: None is known to be absent, not listed is unknown."""
        with self._database.read() as connection:
            owner = ("image", _number(connection, chain_id))
            rows = of_paths(connection, _COLUMNS, "image_file", owner, paths)
            return dict(self._database.decoded("image_file", rows, _decode))

    def put_files(self, chain_id: str, files: Mapping[str, Entry | None]) -> None:
        """Add what was seen; None records that the image has no such path."""
        with self._database.write() as connection:
            number = _ensure(connection, chain_id)
            connection.executemany(
                "INSERT OR REPLACE INTO image_file VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (number, pack_path(path), 0, *_ABSENT)
                    if entry is None
                    else (number, pack_path(path), 1, *pack_entry(entry))
                    for path, entry in files.items()
                ),
            )

    def get_listing(self, chain_id: str, directory: str) -> tuple[str, ...] | None:
        """Every path below ``directory`` as it was put, or None when it was never listed."""
        column = self._column("names", "image_listing", chain_id, directory)
        return None if column is None else next(self._read("image_listing", column, _names), None)

    def put_listing(self, chain_id: str, directory: str, names: Iterable[str]) -> None:
        self._put("image_listing", chain_id, directory, pack_json(list(names)))

    def get_writers(self, chain_id: str, directory: str) -> Mapping[str, str] | None:
        """Path -> history line of the layer that wrote it last, or None when never attributed."""
        column = self._column("lines", "image_writers", chain_id, directory)
        return None if column is None else next(self._read("image_writers", column, _lines), None)

    def _read(self, table: str, column: str, decode: Callable[[str], _Value]) -> Iterator[_Value]:
        return self._database.decoded(table, [column], decode)

    def put_writers(self, chain_id: str, directory: str, lines: Mapping[str, str]) -> None:
        self._put("image_writers", chain_id, directory, pack_json(dict(lines)))

    def _column(self, column: str, table: str, chain_id: str, directory: str) -> str | None:
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT {column} FROM {table} WHERE image = ? AND directory = ?",  # noqa: S608
                (_number(connection, chain_id), pack_path(directory)),
            ).fetchone()
        return None if row is None else str(row[0])

    def _put(self, table: str, chain_id: str, directory: str, value: str) -> None:
        with self._database.write() as connection:
            number = _ensure(connection, chain_id)
            connection.execute(
                f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)",  # noqa: S608
                (number, pack_path(directory), value),
            )


def _decode(row: tuple[Any, ...]) -> tuple[str, Entry | None]:
    path, present, *entry = row
    return unpack_path(path), unpack_entry(*entry) if present else None


def _names(column: str) -> tuple[str, ...]:
    names = unpack_json(column)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("no names")
    return tuple(map(str, names))


def _lines(column: str) -> dict[str, str]:
    lines = unpack_json(column)
    if not isinstance(lines, dict) or not all(isinstance(line, str) for line in lines.values()):
        raise TypeError("no lines")
    return {path: str(line) for path, line in lines.items()}


def _number(connection: sqlite3.Connection, chain_id: str) -> int:
    """The image's row, or one that no row has."""
    row = connection.execute("SELECT id FROM image WHERE chain_id = ?", (chain_id,)).fetchone()
    return NO_ROW if row is None else int(row[0])


def _ensure(connection: sqlite3.Connection, chain_id: str) -> int:
    connection.execute("INSERT OR IGNORE INTO image (chain_id) VALUES (?)", (chain_id,))
    return _number(connection, chain_id)
