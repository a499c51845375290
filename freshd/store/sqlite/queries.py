"""Rows of many paths: by name, or in one go where the names are most of what lies between them."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, TypeAlias

from freshd.store.sqlite.codec import pack_path

NO_ROW: Final = -1
"""The number of an owner that has none."""

_Row: TypeAlias = tuple[Any, ...]
_LONGEST: Final = 500  # below SQLite's oldest limit of 999 parameters
_SPARE: Final = 2  # so many rows are read in the time in which one is found by its name


def of_paths(
    connection: sqlite3.Connection,
    select: str,
    table: str,
    owner: tuple[str, int],
    paths: Collection[str],
) -> Iterator[_Row]:
    """The rows of ``table`` that belong to ``owner`` (column, number) and have one of the paths.

    ``select`` are the columns, the path first.
    """
    column, number = owner
    if number == NO_ROW or not paths:
        return
    packed = [pack_path(path) for path in paths]
    where = f"FROM {table} WHERE {column} = {number} AND path"
    if len(packed) > _LONGEST and _is_dense(connection, where, packed):
        wanted = frozenset(packed)
        rows = connection.execute(
            f"SELECT {select} {where} BETWEEN ? AND ?", (min(packed), max(packed))
        )
        yield from (row for row in rows if row[0] in wanted)
        return
    for start in range(0, len(packed), _LONGEST):
        part = packed[start : start + _LONGEST]
        marks = ",".join("?" * len(part))
        yield from connection.execute(f"SELECT {select} {where} IN ({marks})", part)


def _is_dense(connection: sqlite3.Connection, where: str, packed: Sequence[bytes]) -> bool:
    """Whether few other rows lie between the first and the last of the paths."""
    most = _SPARE * len(packed)
    (count,) = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 {where} BETWEEN ? AND ? LIMIT {most})",  # noqa: S608 - names of ours
        (min(packed), max(packed)),
    ).fetchone()
    return bool(count < most)
