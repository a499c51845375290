"""What containers were made with, as keyed hashes, and the key; by full container id.

The key never leaves this machine: whoever sees a hash in a report cannot try values against it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from freshd.store.sqlite.codec import pack_json, unpack_json
from freshd.store.sqlite.database import Database

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Made:
    """``parts``: key of the service -> keyed hash. ``stamp`` names the Compose that resolved it."""

    stamp: str
    parts: Mapping[str, str]


class MadeWith:
    """A record is only as good as the moment it was made: see ``observe.config``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key = b""

    def key(self) -> bytes:
        """The key of this state database, made at the first call."""
        if self._key:
            return self._key
        with self._database.read() as connection:
            row = connection.execute("SELECT key FROM keyring").fetchone()
        if row is None:
            new = (secrets.token_bytes(_KEY_BYTES),)
            with self._database.write() as connection:
                connection.execute("INSERT OR IGNORE INTO keyring VALUES (1, ?)", new)
                row = connection.execute("SELECT key FROM keyring").fetchone()
        self._key = bytes(row[0])
        return self._key

    def get(self, container_id: str) -> Made | None:
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT stamp, parts FROM made_with WHERE container_id = ?", (container_id,)
            ).fetchone()
        return None if row is None else Made(row[0], cast("dict[str, str]", unpack_json(row[1])))

    def record(self, container_id: str, made: Made) -> None:
        row = (container_id, made.stamp, pack_json(dict(made.parts)))
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO made_with VALUES (?, ?, ?)", row)

    def clean(self, container_id: str) -> str:
        """The fingerprint under which the bytecode of a container was last found to be right."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT fingerprint FROM clean_bytecode WHERE container_id = ?", (container_id,)
            ).fetchone()
        return "" if row is None else str(row[0])

    def record_clean(self, container_id: str, fingerprint: str) -> None:
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO clean_bytecode VALUES (?, ?)", (container_id, fingerprint)
            )

    def holds(self, container_id: str, started_at: float) -> bool:
        """Whether it is known what files held when the container was started at that time."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT 1 FROM held WHERE container_id = ? AND started_at = ?",
                (container_id, started_at),
            ).fetchone()
        return row is not None

    def held(self, container_id: str, started_at: float) -> Mapping[str, str]:
        """Path -> digest of files that a process was known to be newer than."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT digests FROM held WHERE container_id = ? AND started_at = ?",
                (container_id, started_at),
            ).fetchone()
        return {} if row is None else cast("dict[str, str]", unpack_json(row[0]))

    def record_held(self, container_id: str, started_at: float, digests: Mapping[str, str]) -> None:
        """Replaces what was known of an earlier start of the same container."""
        row = (container_id, started_at, pack_json(dict(digests)))
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO held VALUES (?, ?, ?)", row)
