"""What containers were made with, as keyed hashes, and the key; by full container id.

The key never leaves this machine: whoever sees a hash in a report cannot try values against it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import NAME, NUMBER, OBJECT, PLAIN, Table

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class CreationRecord:
    """``parts``: key of the service -> keyed hash. ``stamp`` names the Compose that resolved it."""

    stamp: str
    parts: Mapping[str, str]


class CreationRecords:
    """A record is only as good as the moment it was made: see ``observe.config``."""

    def __init__(self, database: Database) -> None:
        by = {"container_id": NAME}
        self._keyring = Table(database, "keyring", id=PLAIN, key=PLAIN)
        self._made_with = Table(database, "made_with", **by, stamp=NAME, parts=OBJECT)
        self._clean = Table(database, "clean_bytecode", **by, fingerprint=NAME)
        self._held = Table(database, "held", **by, started_at=NUMBER, digests=OBJECT)
        self._key = b""

    def key(self) -> bytes:
        """The key of this state database, made at the first call."""
        if not self._key:
            row = self._keyring.find("key")
            if row is None:
                self._keyring.insert(1, secrets.token_bytes(_KEY_BYTES))
                (row,) = self._keyring.select("key")  # another process may have been faster
            self._key = bytes(row[0])
        return self._key

    def get(self, container_id: str) -> CreationRecord | None:
        row = self._made_with.find("stamp", "parts", container_id=container_id)
        return None if row is None else CreationRecord(*row)

    def record(self, container_id: str, made: CreationRecord) -> None:
        self._made_with.replace(container_id, made.stamp, dict(made.parts))

    def read_clean(self, container_id: str) -> str:
        """The fingerprint under which the bytecode of a container was last found to be right."""
        row = self._clean.find("fingerprint", container_id=container_id)
        return "" if row is None else str(row[0])

    def record_clean(self, container_id: str, fingerprint: str) -> None:
        self._clean.replace(container_id, fingerprint)

    def holds(self, container_id: str, started_at: float) -> bool:
        """Whether it is known what files held when the container was started at that time."""
        key = {"container_id": container_id, "started_at": started_at}
        return self._held.find("started_at", **key) is not None

    def read_held(self, container_id: str, started_at: float) -> Mapping[str, str]:
        """Path -> digest of files that a process was known to be newer than."""
        row = self._held.find("digests", container_id=container_id, started_at=started_at)
        return {} if row is None else dict(row[0])

    def record_held(self, container_id: str, started_at: float, digests: Mapping[str, str]) -> None:
        """Replaces what was known of an earlier start of the same container."""
        self._held.replace(container_id, started_at, dict(digests))
