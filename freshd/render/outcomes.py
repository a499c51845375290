"""What steps did, as lines: one per step with files, time and cause, a failed one with its reason.

In: ``Outcome`` values. Out: ``Line`` tuples.
"""

from collections.abc import Iterable, Iterator

from freshd.decide.text import step_text
from freshd.model.plan import Outcome, StepStatus
from freshd.model.text import printable
from freshd.render.words import Line, lasted

_MARKS = {
    StepStatus.DONE: ("✓", "good"),
    StepStatus.FAILED: ("✗", "bad"),
    StepStatus.REFUSED: ("✗", "bad"),
    StepStatus.UNKNOWN: ("?", "doubt"),
    StepStatus.GONE: ("?", "doubt"),
    StepStatus.SKIPPED: ("-", "dim"),
}
FAILED = frozenset({StepStatus.FAILED, StepStatus.REFUSED, StepStatus.UNKNOWN, StepStatus.GONE})
_OUTPUT_LINES = 12


def choose_mark(status: str) -> tuple[str, str]:
    """The mark and the style of a status; ``""`` is a step that runs, others were interrupted."""
    if status in set(StepStatus):
        return _MARKS[StepStatus(status)]
    return ("?", "doubt") if status else ("…", "")


def outcome_lines(outcomes: Iterable[Outcome]) -> Iterator[Line]:
    """One line per step; the last lines of a build's output under one that did not work."""
    for outcome in outcomes:
        mark, style = _MARKS[outcome.status]
        failed = outcome.status in FAILED
        status = f"   {outcome.status.value}" if outcome.status is not StepStatus.DONE else ""
        yield (
            (f"{mark} {step_text(outcome.step)}", style),
            (status, style),
            (f"   {lasted(outcome.seconds)}", "dim"),
            (f"   {', '.join(outcome.step.causes)}" if outcome.step.causes else "", "dim"),
        )
        if outcome.detail:
            yield ((f"    {printable(outcome.detail)}", "" if failed else "dim"),)
        if failed:
            yield from (
                ((f"    | {printable(line)}", "dim"),) for line in outcome.output[-_OUTPUT_LINES:]
            )
