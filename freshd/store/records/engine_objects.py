"""Which engine has what is remembered by id, and what is forgotten once that engine has it no more.

An object is a full container id, an image id, or ``volume:`` and the name of a volume. The store
serves several engines and projects: that one does not list an object says nothing of another's.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping

from freshd.store.sqlite.database import Database

_BY_CONTAINER = ("container", "made_with", "clean_bytecode", "held", "resolved", "owed")


class EngineObjects:
    """Rows of object and content: the chain id of an image, "" of anything else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unknown(self, objects: Mapping[str, str]) -> Mapping[str, str]:
        """Those of ``objects`` that no engine is known to have."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT object, content FROM engine_object")
            known = frozenset(rows)
        return dict(objects.items() - known)

    def add(self, engine: str, objects: Mapping[str, str]) -> None:
        """``engine`` has these, or had them a moment ago."""
        with self._database.write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO engine_object VALUES (?, ?, ?)",
                ((engine, name, content) for name, content in objects.items()),
            )

    def get(self, engine: str) -> frozenset[str]:
        """All that ``engine`` was known to have."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT object FROM engine_object WHERE engine = ?", (engine,)
            )
            return frozenset(row[0] for row in rows)

    def forget(
        self,
        engine: str,
        *,
        gone: Collection[str],
        unused: Collection[str],
        injected: Collection[str],
    ) -> None:
        """Forget what was remembered of what ``engine`` has no more.

        Of images that are ``unused`` (nothing names them) only what can be read again goes: the
        record of their build goes with them. What was written into the containers ``injected``
        stays, as it tells what their successors lack.
        """
        with self._database.write() as connection:
            _forget_images(connection, engine, gone, unused)
            lost = [(name,) for name in gone if not _is_elsewhere(connection, engine, name)]
            for table in _BY_CONTAINER:
                connection.executemany(f"DELETE FROM {table} WHERE container_id = ?", lost)  # noqa: S608
            connection.executemany("DELETE FROM failure WHERE key LIKE '% ' || ?", lost)
            connection.executemany("DELETE FROM build WHERE image_id = ?", lost)
            connection.executemany(
                "DELETE FROM written WHERE container_id = ?",
                [row for row in lost if row[0] not in injected],
            )
            _drop(connection, engine, (name for name in gone if name not in injected))


def _forget_images(
    connection: sqlite3.Connection, engine: str, gone: Collection[str], unused: Collection[str]
) -> None:
    """Contents that no image has any more which somebody uses."""
    left = [(engine, name) for name in (*gone, *unused)]
    contents = [
        row
        for key in left
        for row in connection.execute(
            "SELECT content FROM engine_object WHERE engine = ? AND object = ?", key
        )
    ]
    connection.executemany(
        "UPDATE engine_object SET content = '' WHERE engine = ? AND object = ?", left
    )
    built = {row[0] for row in connection.execute("SELECT image_id FROM build")}
    _drop(connection, engine, (name for name in unused if name not in built))
    connection.executemany(
        "DELETE FROM image WHERE chain_id = ?1 AND NOT EXISTS"
        " (SELECT 1 FROM engine_object WHERE content = ?1)",
        contents,
    )


def _drop(connection: sqlite3.Connection, engine: str, names: Iterable[str]) -> None:
    """A container is on one engine, which may have been spoken to by two addresses."""
    connection.executemany(
        "DELETE FROM engine_object WHERE object = ?2 AND (engine = ?1 OR instr(?2, ':') = 0)",
        ((engine, name) for name in names),
    )


def _is_elsewhere(connection: sqlite3.Connection, engine: str, name: str) -> bool:
    """Whether another engine has an image or a volume of that name too."""
    row = connection.execute(
        "SELECT 1 FROM engine_object WHERE engine != ?1 AND object = ?2 AND instr(?2, ':') > 0",
        (engine, name),
    ).fetchone()
    return row is not None
