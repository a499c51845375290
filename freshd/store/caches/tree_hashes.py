"""Hashes of tree files by their stat: root and path -> (Signature, Entry).

The caller decides whether a signature still holds; here they are only kept.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from freshd.model.files import Entry, Signature
from freshd.store.sqlite.codec import (
    fits,
    pack_entry,
    pack_path,
    pack_unsigned,
    unpack_entry,
    unpack_path,
    unpack_unsigned,
)
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.queries import NO_ROW, of_paths

_COLUMNS: Final = (
    "path, mtime_ns, ctime_ns, length, inode, device, hashed_at_ns,"
    " kind, digest, size, mode, reason"
)
_PAGE: Final = 2_000


class TreeHashes:
    """Roots are absolute directories, paths relative to their root."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_many(
        self, root: str, paths: Collection[str] | None
    ) -> Mapping[str, tuple[Signature, Entry]]:
        """What is known of ``paths`` (None: of the whole root); unknown ones are absent."""
        if paths is None:
            return dict(self.iterate(root))
        with self._database.read() as connection:
            owner = ("root", _root_number(connection, root))
            rows = of_paths(connection, _COLUMNS, "stat", owner, paths)
            return dict(self._database.decoded("stat", rows, _decode))

    def iterate(self, root: str) -> Iterator[tuple[str, tuple[Signature, Entry]]]:
        """The whole root in the byte order of the names, a page at a time, so memory stays flat."""
        last = b""
        while True:
            with self._database.read() as connection:
                rows = connection.execute(
                    f"SELECT {_COLUMNS} FROM stat WHERE root = ? AND path > ?"  # noqa: S608
                    " ORDER BY path LIMIT ?",
                    (_root_number(connection, root), last, _PAGE),
                ).fetchall()
            yield from self._database.decoded("stat", rows, _decode)
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def put_many(self, root: str, rows: Mapping[str, tuple[Signature, Entry]]) -> None:
        """Add or replace. A file with a time after 2262 does not fit and is not cached."""
        packed = [
            _encode(path, signature, entry)
            for path, (signature, entry) in rows.items()
            if fits(signature.mtime_ns) and fits(signature.ctime_ns)
        ]
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO root (path) VALUES (?)", (pack_path(root),))
            number = _root_number(connection, root)
            connection.executemany(
                f"INSERT OR REPLACE INTO stat (root, {_COLUMNS})"  # noqa: S608
                f" VALUES ({number}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                packed,
            )

    def forget(self, root: str, paths: Iterable[str] | None = None) -> None:
        """Drop ``paths`` (None: the whole root)."""
        with self._database.write() as connection:
            if paths is None:
                connection.execute("DELETE FROM root WHERE path = ?", (pack_path(root),))
                return
            number = _root_number(connection, root)
            connection.executemany(
                "DELETE FROM stat WHERE root = ? AND path = ?",
                ((number, pack_path(path)) for path in paths),
            )


def _root_number(connection: sqlite3.Connection, root: str) -> int:
    """The root's row, or one that no row has."""
    row = connection.execute("SELECT id FROM root WHERE path = ?", (pack_path(root),)).fetchone()
    return NO_ROW if row is None else int(row[0])


def _encode(path: str, signature: Signature, entry: Entry) -> tuple[Any, ...]:
    return (
        pack_path(path),
        signature.mtime_ns,
        signature.ctime_ns,
        signature.size,
        pack_unsigned(signature.inode),
        pack_unsigned(signature.device),
        signature.hashed_at_ns,
        *pack_entry(entry),
    )


def _decode(row: tuple[Any, ...]) -> tuple[str, tuple[Signature, Entry]]:
    mtime_ns, ctime_ns, size, inode, device, hashed_at_ns = row[1:7]
    if inode < 0 or device < 0:
        inode, device = unpack_unsigned(inode), unpack_unsigned(device)
    signature = Signature(mtime_ns, ctime_ns, size, inode, device, hashed_at_ns)
    return unpack_path(row[0]), (signature, unpack_entry(*row[7:]))
