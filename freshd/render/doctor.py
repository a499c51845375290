"""Diagnoses as lines for a terminal and as JSON."""

from collections.abc import Iterator, Sequence

from freshd.model.text import printable
from freshd.model.verbs.diagnosis import Diagnosis, State
from freshd.render.documents import SCHEMA, Document
from freshd.render.words import Line, count

_MARKS = {State.OK: ("✓", "good"), State.WARNING: ("!", "doubt"), State.PROBLEM: ("✗", "bad")}


def diagnosis_lines(diagnoses: Sequence[Diagnosis]) -> Iterator[Line]:
    """The verdict, then each diagnosis with its fix below it."""
    states = [each.state for each in diagnoses]
    problems, warnings = states.count(State.PROBLEM), states.count(State.WARNING)
    told = [count(number, word) for number, word in _counts(problems, warnings) if number]
    if problems:
        yield (("freshd cannot work here: ", "bad"), (", ".join(told), ""))
    else:
        yield (("freshd can work here", "good"), (f": {', '.join(told)}" if told else "", ""))
    yield ()
    width = max(len(each.name) for each in diagnoses)
    for each in diagnoses:
        mark, style = _MARKS[each.state]
        yield (
            (f"  {mark} ", style),
            (each.name.ljust(width + 2), "strong" if each.state is not State.OK else ""),
            (printable(each.message), "" if each.state is not State.OK else "dim"),
        )
        if each.fix:
            yield ((" " * (width + 6), ""), ("fix: ", "dim"), (printable(each.fix), "code"))


def _counts(problems: int, warnings: int) -> tuple[tuple[int, str], ...]:
    return ((problems, "problem"), (warnings, "warning"))


def diagnosis_document(diagnoses: Sequence[Diagnosis], *, status: int) -> Document:
    """What ``doctor --json`` prints."""
    return {
        "schema": SCHEMA,
        "can_work": status == 0,
        "findings": [
            {
                "name": each.name,
                "state": each.state.value,
                "message": each.message,
                "fix": each.fix or None,
            }
            for each in diagnoses
        ],
    }
