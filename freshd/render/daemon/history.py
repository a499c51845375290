"""The journal as lines and as JSON: what was done where, why, how it ended and how long it took.

In: ``JournalEntry`` and ``Validation`` values, newest first. Out: ``Line`` tuples or one document.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from freshd.decide.text import step_text
from freshd.model.report import Verdict
from freshd.model.text import printable
from freshd.render.daemon.validations import history_row, summary, validation_document
from freshd.render.documents import SCHEMA, Document, step
from freshd.render.outcomes import choose_mark
from freshd.render.words import Line, columns, count, iso, lasted

if TYPE_CHECKING:
    from freshd.store.journal import JournalEntry
    from freshd.store.validations import Validation

_WIDEST = 52  # with the time before it and the causes behind it a row fits into 100 columns


def history_lines(
    entries: "Sequence[JournalEntry]", validations: "Sequence[Validation]" = (), *, limit: int
) -> Iterator[Line]:
    """One row per step or validation, newest first, and under it why it did not end well."""
    events = [(entry.began_at, _row(entry), _why(entry)) for entry in entries]
    events += [
        (validation.began_at, history_row(validation), _left(validation))
        for validation in validations
    ]
    events = sorted(events, key=lambda event: event[0], reverse=True)[:limit]
    rows = columns((row for _, row, _ in events), gap="  ", widest=_WIDEST)
    for (_, _, below), row in zip(events, rows, strict=True):
        yield row
        if below:
            yield ((f"    {printable(below)}", ""),)


def _why(entry: "JournalEntry") -> str:
    return "" if entry.status == "done" else entry.detail


def _left(done: "Validation") -> str:
    return "" if done.verdict is Verdict.FRESH else summary(done).partition("\n")[0]


def _row(entry: "JournalEntry") -> Line:
    mark, style = choose_mark(entry.status)
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


def history_document(
    entries: "Iterable[JournalEntry]", validations: "Iterable[Validation]" = ()
) -> Document:
    """What ``history --json`` prints."""
    return {
        "schema": SCHEMA,
        "entries": [_entry(entry) for entry in entries],
        "validations": [validation_document(validation) for validation in validations],
    }


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
