"""Which sources an artefact was made from when it was first seen as it is now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from freshd.store.sqlite.codec import pack_json, pack_path, pack_text, unpack_json
from freshd.store.sqlite.database import Database


@dataclass(frozen=True, slots=True)
class Derived:
    """``artefact`` is one digest of all it holds; ``sources``: tree path -> digest."""

    artefact: str
    sources: Mapping[str, str]


class DerivedOutputs:
    """By project, service and the artefact's path in the image."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, project: str, service: str, target: str) -> Derived | None:
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT artefact, sources FROM derived"
                " WHERE project = ? AND service = ? AND target = ?",
                (pack_text(project), pack_text(service), pack_path(target)),
            ).fetchone()
        if row is None:
            return None
        return Derived(row[0], cast("dict[str, str]", unpack_json(row[1])))

    def record(self, project: str, service: str, target: str, derived: Derived) -> None:
        row = (
            pack_text(project),
            pack_text(service),
            pack_path(target),
            derived.artefact,
            pack_json(dict(derived.sources)),
        )
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?, ?)", row)
