"""What ``doctor`` found: ``Diagnosis`` values in, lines for a terminal or JSON out."""

from collections.abc import Iterator, Sequence

from freshd.model.text import printable
from freshd.model.verbs.diagnosis import Diagnosis, State
from freshd.render.documents import SCHEMA, Document
from freshd.render.words import Line, count

_MARKS = {State.OK: ("✓", "good"), State.WARNING: ("!", "doubt"), State.PROBLEM: ("✗", "bad")}


def diagnosis_lines(diagnoses: Sequence[Diagnosis]) -> Iterator[Line]:
    """The verdict, then each diagnosis with its fix below it."""
    states = [diagnosis.state for diagnosis in diagnoses]
    problems, warnings = states.count(State.PROBLEM), states.count(State.WARNING)
    counts = [count(number, word) for number, word in _counts(problems, warnings) if number]
    if problems:
        yield (("freshd cannot work here: ", "bad"), (", ".join(counts), ""))
    else:
        yield (("freshd can work here", "good"), (f": {', '.join(counts)}" if counts else "", ""))
    yield ()
    width = max(len(diagnosis.name) for diagnosis in diagnoses)
    for diagnosis in diagnoses:
        mark, style = _MARKS[diagnosis.state]
        yield (
            (f"  {mark} ", style),
            (diagnosis.name.ljust(width + 2), "strong" if diagnosis.state is not State.OK else ""),
            (printable(diagnosis.message), "" if diagnosis.state is not State.OK else "dim"),
        )
        if diagnosis.fix:
            yield ((" " * (width + 6), ""), ("fix: ", "dim"), (printable(diagnosis.fix), "code"))


def _counts(problems: int, warnings: int) -> tuple[tuple[int, str], ...]:
    return ((problems, "problem"), (warnings, "warning"))


def diagnosis_document(diagnoses: Sequence[Diagnosis], *, status: int) -> Document:
    """What ``doctor --json`` prints."""
    return {
        "schema": SCHEMA,
        "can_work": status == 0,
        "findings": [
            {
                "name": diagnosis.name,
                "state": diagnosis.state.value,
                "message": diagnosis.message,
                "fix": diagnosis.fix or None,
            }
            for diagnosis in diagnoses
        ],
    }
