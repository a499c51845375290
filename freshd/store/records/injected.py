"""What freshd last wrote into containers: (container id, target) -> digest.

What lies on a named volume is kept by the volume's name: it outlives the container, and replicas
share it. A digest of "" is a file that freshd removed. What a ``sync`` rule once brought is kept by
the service as well: it belongs in the containers that come later too.
"""

from collections.abc import Iterable, Mapping

from freshd.model.observed.container import Replica
from freshd.store.sqlite.codec import pack_digest, pack_path, unpack_digest, unpack_path
from freshd.store.sqlite.database import Database

_VOLUME = "volume:"  # no container id has a colon
_SYNCED = "synced:"


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

    def record(self, replica: Replica, digests: Mapping[str, str], at: float) -> None:
        """Record what was written through ``replica``, in the container or on its volumes."""
        places: dict[str, dict[str, str]] = {}
        for target, digest in digests.items():
            key, path = _place(replica, target)
            places.setdefault(key, {})[path] = digest
        for key, found in places.items():
            self.set_many(key, found, at)

    def of(self, replica: Replica) -> Mapping[str, str]:
        """Target -> digest of all that freshd wrote and ``replica`` can see."""
        found = dict(self.get(replica.id))
        for mount in replica.mounts:
            if mount.kind != "volume" or not mount.name:
                continue
            for path, digest in self.get(_VOLUME + mount.name).items():
                target = mount.target.rstrip("/") + path
                if replica.mount_at(target) == mount:
                    found[target] = digest
        return found

    def get(self, container_id: str) -> Mapping[str, str]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT target, digest FROM written WHERE container_id = ?", (container_id,)
            )
            return {unpack_path(target): unpack_digest(digest) for target, digest in rows}

    def times(self, replica: Replica) -> Mapping[str, float]:
        """Target -> when freshd wrote it there (seconds); what lies on volumes is left out."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT target, at FROM written WHERE container_id = ?", (replica.id,)
            )
            return {unpack_path(target): float(at) for target, at in rows}

    def landed(self, container_id: str) -> Mapping[str, tuple[str, float]]:
        """Target -> digest and time of all that was written into a container, gone or not."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT target, digest, at FROM written WHERE container_id = ?", (container_id,)
            )
            return {
                unpack_path(target): (unpack_digest(digest), float(at))
                for target, digest, at in rows
            }

    def synced(self, project: str, service: str) -> Mapping[str, str]:
        """Target -> digest of what ``sync`` rules brought to the containers of a service so far."""
        return self.get(f"{_SYNCED}{project}/{service}")

    def record_synced(
        self, project: str, service: str, digests: Mapping[str, str], at: float
    ) -> None:
        self.set_many(f"{_SYNCED}{project}/{service}", digests, at)

    def remove(self, container_id: str, target: str) -> None:
        self.remove_many(container_id, [target])

    def remove_many(self, container_id: str, targets: Iterable[str]) -> None:
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM written WHERE container_id = ? AND target = ?",
                ((container_id, pack_path(target)) for target in targets),
            )


def _place(replica: Replica, target: str) -> tuple[str, str]:
    """Whose file it is, and its path there."""
    mount = replica.mount_at(target)
    if mount is None or mount.kind != "volume" or not mount.name:
        return replica.id, target
    return _VOLUME + mount.name, target[len(mount.target.rstrip("/")) :]
