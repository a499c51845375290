"""One table whose rows are found by equal columns: values in, values out, a codec a column.

Columns are named in the order of the table. Tables of files, found by many paths at once, are not
of this shape: see ``queries``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from freshd.store.sqlite import codec
from freshd.store.sqlite.database import Database

Row: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """``pack`` makes what SQLite holds, ``unpack`` the value again."""

    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _name(column: Any) -> str:
    if not isinstance(column, str):
        raise TypeError(f"no name: {column!r}")
    return column


def _object(column: Any) -> Any:
    value = codec.unpack_json(column)
    if not isinstance(value, dict):
        raise TypeError("no JSON object")
    return value


def _json_or_none(column: Any) -> Any:
    """None for what cannot be read."""
    try:
        return codec.unpack_json(column)
    except (TypeError, ValueError, RecursionError):
        return None


PLAIN: Final = Column(_same, _same)
NUMBER: Final = Column(_same, codec.unpack_number)
NAME: Final = Column(_same, _name)
FLAG: Final = Column(int, bool)
TEXT: Final = Column(codec.pack_text, codec.unpack_text)
PATH: Final = Column(codec.pack_path, codec.unpack_path)
DIGEST: Final = Column(codec.pack_digest, codec.unpack_digest)
JSON: Final = Column(codec.pack_json, codec.unpack_json)
OBJECT: Final = Column(codec.pack_json, _object)
JSON_OR_NONE: Final = Column(codec.pack_json, _json_or_none)


class Table:
    """All names come from the code: only values are ever bound."""

    def __init__(self, database: Database, name: str, /, **columns: Column) -> None:
        self._database = database
        self._name = name
        self._columns = columns

    def select(self, *columns: str, **equal: Any) -> list[Row]:
        """These columns of the rows where all ``equal``, in the order of the table's columns.

        A row that cannot be read is left out: see ``Database.decoded``.
        """
        condition, values = self._where(equal)
        asked, order = ", ".join(columns), ", ".join(self._columns)
        query = f"SELECT {asked} FROM {self._name}{condition} ORDER BY {order}"  # noqa: S608
        with self._database.read() as connection:
            rows = connection.execute(query, values).fetchall()
        return self._unpacked(columns, rows)

    def find(self, *columns: str, **equal: Any) -> Row | None:
        """These columns of the one row where all ``equal``."""
        return next(iter(self.select(*columns, **equal)), None)

    def replace(self, *row: Any) -> None:
        """Put one row, for the one of the same key."""
        self.replace_all([row])

    def replace_all(self, rows: Iterable[Row]) -> None:
        with self._database.write() as connection:
            connection.executemany(self._insert("REPLACE"), map(self._packed, rows))

    def insert(self, *row: Any) -> bool:
        """Whether there was none of the same key; one that is there stays as it is."""
        with self._database.write() as connection:
            return connection.execute(self._insert("IGNORE"), self._packed(row)).rowcount == 1

    def delete(self, *columns: str, **equal: Any) -> list[Row]:
        """Delete the rows where all ``equal``; these columns of theirs."""
        condition, values = self._where(equal)
        query = f"DELETE FROM {self._name}{condition}"  # noqa: S608
        if columns:
            query += f" RETURNING {', '.join(columns)}"
        with self._database.write() as connection:
            rows = connection.execute(query, values).fetchall()
        return self._unpacked(columns, rows)

    def _unpacked(self, columns: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        unpack = [self._columns[name].unpack for name in columns]

        def decode(row: Row) -> Row:
            return tuple(make(column) for make, column in zip(unpack, row, strict=True))

        return list(self._database.decoded(self._name, rows, decode))

    def _insert(self, conflict: str) -> str:
        marks = ", ".join("?" * len(self._columns))
        names = ", ".join(self._columns)
        return f"INSERT OR {conflict} INTO {self._name} ({names}) VALUES ({marks})"  # noqa: S608

    def _packed(self, row: Row) -> Row:
        columns = self._columns.values()
        return tuple(column.pack(value) for column, value in zip(columns, row, strict=True))

    def _where(self, equal: Mapping[str, Any]) -> tuple[str, Row]:
        condition = " AND ".join(f"{name} = ?" for name in equal)
        values = tuple(self._columns[name].pack(value) for name, value in equal.items())
        return f" WHERE {condition}" if condition else "", values
