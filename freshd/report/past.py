"""The journal as lines and as JSON: what was done, to whom, why, how it ended and how long it took.

``JournalEntry`` values come in, newest first; ``Line`` tuples or one document go out.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from freshd.model import printable
from freshd.policy.text import step_text
from freshd.report.json import SCHEMA, Document, step
from freshd.report.outcomes import mark_of
from freshd.report.words import Line, columns, count, iso, lasted

if TYPE_CHECKING:
    from freshd.store.journal import JournalEntry

_WIDEST = 52  # with the time before it and the causes behind it a row fits into 100 columns


def history_lines(entries: "Sequence[JournalEntry]") -> Iterator[Line]:
    """One row per step, newest first, and under it why a step did not work."""
    rows = columns((_row(each) for each in entries), gap="  ", widest=_WIDEST)
    for entry, row in zip(entries, rows, strict=True):
        yield row
        if entry.detail and entry.status != "done":
            yield ((f"    {printable(entry.detail)}", ""),)


def _row(entry: "JournalEntry") -> Line:
    mark, style = mark_of(entry.status)
    words = step_text(entry.step)
    if entry.files > len(entry.step.files):  # the journal keeps the first names of a long list
        words += f" ({count(entry.files, 'file')} in all)"
    if entry.status != "done":
        words += f" ({entry.status or 'running'})"
    return (
        (iso(entry.began_at), "dim"),
        (f"{mark} {words}", style),
        (lasted(entry.seconds) if entry.finished_at is not None else "", "dim"),
        (", ".join(printable(cause) for cause in entry.causes) or "by hand", "dim"),
    )


def history(entries: "Iterable[JournalEntry]") -> Document:
    """What ``history --json`` prints."""
    return {"schema": SCHEMA, "entries": [_entry(each) for each in entries]}


def _entry(value: "JournalEntry") -> Document:
    return {
        "id": value.id,
        "project": value.project,
        "service": value.service,
        "began_at": iso(value.began_at),
        "finished_at": None if value.finished_at is None else iso(value.finished_at),
        "status": value.status or "running",
        "seconds": round(value.seconds, 6),
        "detail": value.detail,
        "step": step(value.step),
        "files": value.files,
        "output": list(value.output),
        "phases": [
            {"name": phase.name, "at": iso(phase.at), "data": dict(phase.data)}
            for phase in value.phases
        ],
    }
