"""What freshd last wrote into containers: (container id, target) -> digest.

What lies on a named volume is kept by the volume's name: it outlives the container, and replicas
share it. A digest of "" is a file that freshd removed. What a ``sync`` rule once brought is kept by
the service as well: it belongs in the containers that come later too.
"""

from collections.abc import Mapping

from freshd.model.observed.container import Replica
from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import DIGEST, NAME, NUMBER, PATH, Table

_VOLUME = "volume:"  # no container id has a colon
_SYNCED = "synced:"


class InjectedFiles:
    """What freshd wrote itself: a file that still is that may be overwritten."""

    def __init__(self, database: Database) -> None:
        columns = {"container_id": NAME, "target": PATH, "digest": DIGEST, "at": NUMBER}
        self._table = Table(database, "written", **columns)

    def set_many(self, container_id: str, digests: Mapping[str, str], at: float) -> None:
        """Record targets and the digests written there at ``at`` (seconds)."""
        rows = ((container_id, target, digest, at) for target, digest in digests.items())
        self._table.replace_all(rows)

    def record(self, replica: Replica, digests: Mapping[str, str], at: float) -> None:
        """Record what was written through ``replica``, in the container or on its volumes."""
        self._table.replace_all(
            (*_place(replica, target), digest, at) for target, digest in digests.items()
        )

    def read_all(self, replica: Replica) -> Mapping[str, str]:
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
        return dict(self._table.select("target", "digest", container_id=container_id))

    def read_times(self, replica: Replica) -> Mapping[str, float]:
        """Target -> when freshd wrote it there (seconds); what lies on volumes is left out."""
        return dict(self._table.select("target", "at", container_id=replica.id))

    def read_landed(self, container_id: str) -> Mapping[str, tuple[str, float]]:
        """Target -> digest and time of all that was written into a container, gone or not."""
        rows = self._table.select("target", "digest", "at", container_id=container_id)
        return {target: (digest, at) for target, digest, at in rows}

    def read_synced(self, project: str, service: str) -> Mapping[str, str]:
        """Target -> digest of what ``sync`` rules brought to the containers of a service so far."""
        return self.get(f"{_SYNCED}{project}/{service}")

    def record_synced(
        self, project: str, service: str, digests: Mapping[str, str], at: float
    ) -> None:
        self.set_many(f"{_SYNCED}{project}/{service}", digests, at)


def _place(replica: Replica, target: str) -> tuple[str, str]:
    """Whose file it is, and its path there."""
    mount = replica.mount_at(target)
    if mount is None or mount.kind != "volume" or not mount.name:
        return replica.id, target
    return _VOLUME + mount.name, target[len(mount.target.rstrip("/")) :]
