"""The store: one accessor per kind of memory, and the three ways to open it."""

import os
import sqlite3
from collections.abc import Collection, Mapping

from freshd.model.errors import StateError
from freshd.store.caches.container_hashes import ContainerHashes
from freshd.store.caches.image_contents import ImageContents
from freshd.store.caches.tree_hashes import TreeHashes
from freshd.store.journal import Journal
from freshd.store.markers import Consents, Failures, Halts, Incidents, LastRuns
from freshd.store.pending_steps import PendingSteps
from freshd.store.projects_state import ProjectsDocument
from freshd.store.records.artefacts import ArtefactRecords
from freshd.store.records.builds import BuildRecords
from freshd.store.records.creation_records import CreationRecords
from freshd.store.records.engine_objects import EngineObjects
from freshd.store.records.first_sights import FirstSights
from freshd.store.records.injected import InjectedFiles
from freshd.store.records.proxy_addresses import ProxyAddresses
from freshd.store.recurrences import Recurrences
from freshd.store.sqlite import opening
from freshd.store.sqlite.database import Database
from freshd.store.status import StatusTable
from freshd.store.tree_sizes import TreeSizes
from freshd.store.validations import Validations


class Store:
    """Shared by all threads. ``recovered`` says what was lost at opening, "" when nothing was.

    ``path`` is None in memory.
    """

    def __init__(self, database: Database, *, recovered: str = "") -> None:
        self.path = database.path
        self.recovered = recovered
        self.tree_hashes = TreeHashes(database)
        self.image_contents = ImageContents(database)
        self.container_hashes = ContainerHashes(database)
        self.injected_files = InjectedFiles(database)
        self.creation_records = CreationRecords(database)
        self.build_records = BuildRecords(database, self.creation_records)
        self.first_sights = FirstSights(database)
        self.artefacts = ArtefactRecords(database)
        self.proxy_addresses = ProxyAddresses(database)
        self.engine_objects = EngineObjects(database)
        self.journal = Journal(database)
        self.pending_steps = PendingSteps(database)
        self.status = StatusTable(database)
        self.incidents = Incidents(database)
        self.failures = Failures(database)
        self.recurrences = Recurrences(database)
        self.halts = Halts(database)
        self.tree_sizes = TreeSizes(database)
        self.consents = Consents(database)
        self.last_runs = LastRuns(database)
        self.validations = Validations(database)
        self.projects_document = ProjectsDocument(database)
        self._database = database

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Tables of which a row was left out because it could not be read, and why."""
        return dict(self._database.unreadable)

    def injected(self, project: str, service: str) -> Mapping[str, tuple[str, float]]:
        """Target -> digest and time of what the last injections wrote, the newest of each."""
        found: dict[str, tuple[str, float]] = {}
        for container_id in self.journal.injected_into(project, service):
            for target, (digest, at) in self.injected_files.read_landed(container_id).items():
                if target not in found or found[target][1] <= at:
                    found[target] = (digest, at)
        return found

    def forget(self, engine: str, *, gone: Collection[str], unused: Collection[str]) -> None:
        """Forget what ``engine`` has no more, and images there that nothing names.

        What the journal's last injections wrote is kept: see ``Journal.injected_into``.
        """
        if gone or unused:
            injected = self.journal.all_injected()
            self.engine_objects.forget(engine, gone=gone, unused=unused, injected=injected)

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        self._database.close()


def open_store(path: str, *, now: float) -> Store:
    """Open or create the database at ``path``; ``now`` (seconds) names a quarantined file.

    A damaged file is renamed to ``<path>.corrupt-<now>`` and a new one made; ``Store.recovered``
    then says so. Raises ``StateError`` for a newer schema or a directory that cannot be written.
    """
    # One process at a time: what another is just making must not look damaged.
    with opening.alone(path):
        empty = opening.is_empty(path)
        recovered = "the state database was empty; a new one was made" if empty else ""
        try:
            connection = opening.open_writer(path)
        except opening.Damaged as damage:
            aside = opening.quarantine(path, now)
            recovered = f"the state database {damage}; it was kept as {aside} and a new one made"
            connection = _open_new(path)
    return Store(Database(path, connection), recovered=recovered)


def open_readonly(path: str) -> Store | None:
    """Open an existing database for reading; None when there is nothing to read yet.

    Never creates the file. Raises ``StateError`` when it is damaged or newer: only ``open_store``
    sets files aside.
    """
    if not os.path.exists(path) or opening.is_empty(path) or not opening.readable(path):
        return None
    return Store(Database(path, None))


def memory_store() -> Store:
    """A store that forgets: for checks where the state directory cannot be written."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    opening.migrate(connection, ":memory:")
    return Store(Database(None, connection))


def _open_new(path: str) -> sqlite3.Connection:
    try:
        return opening.open_writer(path)
    except opening.Damaged as again:
        raise StateError(f"cannot make a new state database {path}: it {again}") from again
