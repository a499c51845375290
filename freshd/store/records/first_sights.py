"""What the inputs of a build were when an image was first seen whose build nobody recorded.

Such a row proves nothing of the image. What is another later has changed since the image was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from freshd.store.sqlite.database import Database
from freshd.store.sqlite.table import NAME, NUMBER, OBJECT, TEXT, Table

_FIELDS: Final = ("project", "service", "image_id", "inputs", "at")


@dataclass(frozen=True, slots=True)
class FirstSight:
    """``inputs`` are project-relative paths -> digests, as they were ``at`` that moment."""

    image_id: str
    inputs: Mapping[str, str]
    at: float


class FirstSights:
    """One for each service: of the image that it has now."""

    def __init__(self, database: Database) -> None:
        columns = zip(_FIELDS, (TEXT, TEXT, NAME, OBJECT, NUMBER), strict=True)
        self._table = Table(database, "first_sight", **dict(columns))

    def record(self, project: str, service: str, sight: FirstSight) -> None:
        """Replaces what was known of an earlier image."""
        self._table.replace(project, service, sight.image_id, sight.inputs, sight.at)

    def get(self, project: str, service: str) -> FirstSight | None:
        row = self._table.find("image_id", "inputs", "at", project=project, service=service)
        return None if row is None else FirstSight(*row)
