"""At which addresses a proxy can have found the services it forwards to when it was started."""

from collections.abc import Collection

from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import JSON, NAME, NUMBER, TEXT, Table


class ProxyAddresses:
    """By container id and service; of the last start only."""

    def __init__(self, database: Database) -> None:
        columns = {"container_id": NAME, "upstream": TEXT, "started_at": NUMBER}
        self._table = Table(database, "resolved", **columns, addresses=JSON)

    def get(self, container_id: str, upstream: str, *, started_at: float) -> frozenset[str]:
        """Empty where nothing is known of this start."""
        key = {"container_id": container_id, "upstream": upstream, "started_at": started_at}
        row = self._table.find("addresses", **key)
        return frozenset() if row is None else frozenset(row[0])

    def record(
        self, container_id: str, upstream: str, addresses: Collection[str], *, started_at: float
    ) -> None:
        self._table.replace(container_id, upstream, started_at, sorted(addresses))
