"""What each validation of a whole stack came to: the weekly ones, and those that were typed.

Times are seconds since the epoch. Bounded: the oldest of a project go.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from freshd.model.json_codec import from_json, to_json
from freshd.model.report import Verdict
from freshd.store.sqlite.codec import pack_json, pack_text, unpack_number
from freshd.store.sqlite.database import Database

MOST_KEPT: Final = 200  # of a project: almost four years of weeks


@dataclass(frozen=True, slots=True)
class Validation:
    """``services`` are verdicts by name, ``causes`` what still parts them, ``steps`` what was done.

    ``compared`` is how many files were, over all services. ``by_hand``: somebody typed the verb.
    """

    began_at: float
    finished_at: float
    verdict: Verdict
    services: Mapping[str, Verdict] = field(default_factory=dict)
    causes: Sequence[str] = ()
    compared: int = 0
    steps: int = 0
    by_hand: bool = False


class Validations:
    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, project: str, done: Validation) -> None:
        name, details = pack_text(project), pack_json(to_json(done))
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO validation (project, began_at, finished_at, verdict, details)"
                " VALUES (?, ?, ?, ?, ?)",
                (name, done.began_at, done.finished_at, done.verdict.value, details),
            )
            connection.execute(
                "DELETE FROM validation WHERE project = ?1 AND id NOT IN"
                " (SELECT id FROM validation WHERE project = ?1 ORDER BY id DESC LIMIT ?2)",
                (name, MOST_KEPT),
            )

    def history(self, project: str, *, limit: int) -> tuple[Validation, ...]:
        """The last of a project, newest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT began_at, finished_at, verdict, details FROM validation"
                " WHERE project = ? ORDER BY id DESC LIMIT ?",
                (pack_text(project), limit),
            ).fetchall()
        columns = ("began_at", "finished_at", "verdict")

        def decode(row: Sequence[Any]) -> Validation:
            *known, details = row
            known[:2] = map(unpack_number, known[:2])
            return from_json(
                Validation, {**json.loads(details), **dict(zip(columns, known, strict=True))}
            )

        return tuple(self._database.decoded("validation", rows, decode))

    def last(self, project: str) -> Validation | None:
        return next(iter(self.history(project, limit=1)), None)
