"""What freshd last wrote into containers: (container id, target) -> digest."""

from collections.abc import Collection, Iterable, Mapping

from freshd.store.codec import pack_digest, pack_path, unpack_digest, unpack_path
from freshd.store.database import Database


class Writes:
    """The W of the state table: a file that still is what freshd wrote may be overwritten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, container_id: str, target: str, digest: str, at: float) -> None:
        self.set_many(container_id, {target: digest}, at)

    def set_many(self, container_id: str, digests: Mapping[str, str], at: float) -> None:
        """Record targets and the digests written there at ``at`` (seconds)."""
        with self._database.write() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO written VALUES (?, ?, ?, ?)",
                (
                    (container_id, pack_path(target), pack_digest(digest), at)
                    for target, digest in digests.items()
                ),
            )

    def get(self, container_id: str) -> Mapping[str, str]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT target, digest FROM written WHERE container_id = ?", (container_id,)
            )
            return {unpack_path(target): unpack_digest(digest) for target, digest in rows}

    def remove(self, container_id: str, target: str) -> None:
        self.remove_many(container_id, [target])

    def remove_many(self, container_id: str, targets: Iterable[str]) -> None:
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM written WHERE container_id = ? AND target = ?",
                ((container_id, pack_path(target)) for target in targets),
            )

    def keep(self, container_ids: Collection[str]) -> None:
        """Forget the containers that are not among ``container_ids``: they no longer exist."""
        kept = frozenset(container_ids)
        with self._database.write() as connection:
            rows = connection.execute("SELECT DISTINCT container_id FROM written").fetchall()
            gone = [row for row in rows if row[0] not in kept]
            connection.executemany("DELETE FROM written WHERE container_id = ?", gone)
