"""What steps did, as lines: one per step with files, time and cause, a failed one with its reason.

``Step`` and ``Outcome`` values come in, ``Line`` tuples go out.
"""

from collections.abc import Iterable, Iterator

from freshd.model import Outcome, Step, StepStatus
from freshd.report.words import Line, count, escaped, lasted, shown

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


def mark_of(status: str) -> tuple[str, str]:
    """The mark and the style of a status; ``""`` is a step that runs, others were interrupted."""
    if status in set(StepStatus):
        return _MARKS[StepStatus(status)]
    return ("?", "doubt") if status else ("…", "")


def step_words(step: Step, *, files: int | None = None) -> str:
    """``inject 3 files into shop-web-1``: what a step does and to whom.

    ``files`` is the number of files where the step does not carry all of them any more.
    """
    whom = shown(step.container or step.service)
    total = len(step.files) if files is None else files
    if total:
        deletes = sum(change.want is None for change in step.files)
        parts = [count(total - deletes, "file")] if total > deletes else []
        parts += [count(deletes, "deletion")] if deletes else []
        return f"{step.remedy.value} {' and '.join(parts)} in {whom}"
    mode = f" ({step.rebuild.value})" if step.rebuild else ""
    signal = f" ({escaped(step.signal)})" if step.signal else ""
    return f"{step.remedy.value} {whom}{mode}{signal}"


def outcome_lines(outcomes: Iterable[Outcome]) -> Iterator[Line]:
    """One line per step; the last lines of a build's output under one that did not work."""
    for outcome in outcomes:
        mark, style = _MARKS[outcome.status]
        failed = outcome.status in FAILED
        status = f"   {outcome.status.value}" if outcome.status is not StepStatus.DONE else ""
        yield (
            (f"{mark} {step_words(outcome.step)}", style),
            (status, style),
            (f"   {lasted(outcome.seconds)}", "dim"),
            (f"   {', '.join(outcome.step.causes)}" if outcome.step.causes else "", "dim"),
        )
        if outcome.detail:
            yield ((f"    {escaped(outcome.detail)}", "" if failed else "dim"),)
        if failed:
            yield from (
                ((f"    | {escaped(each)}", "dim"),) for each in outcome.output[-_OUTPUT_LINES:]
            )
