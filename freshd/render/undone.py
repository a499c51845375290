"""What the policy leaves as it is, and why: a plan in; ``status`` keeps and shows it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from freshd.model.plan import Plan
from freshd.model.text import Json


class Undone(NamedTuple):
    """``container`` is a name, None where the cause is the service's; ``why`` is for a person."""

    cause: str
    container: str | None
    why: str


def list_undone(plan: Plan) -> tuple[Undone, ...]:
    """Each reason once, whatever number of files it holds for."""
    return tuple(dict.fromkeys(Undone(f.cause, f.container, why) for f, why in plan.notices))


def undone_document(undone: Iterable[Undone]) -> list[Json]:
    """As ``status --json`` prints it and the status table keeps it, beside a service's report."""
    return [reason._asdict() for reason in undone]


def read_undone(document: Mapping[str, Json]) -> tuple[Undone, ...]:
    """Of a kept service; nothing where nobody decided, as after a check by hand."""
    kept = document.get("undone")
    rows = [row for row in kept if isinstance(row, Mapping)] if isinstance(kept, list) else []
    return tuple(_undone(row) for row in rows if row.keys() >= set(Undone._fields))


def _undone(row: Mapping[str, Json]) -> Undone:
    container = row["container"]
    return Undone(str(row["cause"]), str(container) if container else None, str(row["why"]))
