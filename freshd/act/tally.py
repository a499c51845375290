"""What happened to each file of a step in, the one outcome they add up to out. Pure."""

from dataclasses import dataclass, field

from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.text import count_files, printable

_SHOWN = 3


@dataclass(slots=True)
class Tally:
    """``problems`` is target -> (status, reason); ``notes`` are shown once each."""

    written: int = 0
    deleted: int = 0
    problems: dict[str, tuple[StepStatus, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def refuse(self, target: str, reason: str) -> None:
        self.problems[target] = (StepStatus.REFUSED, reason)

    def fail(self, target: str, reason: str) -> None:
        self.problems[target] = (StepStatus.FAILED, reason)

    def skip(self, target: str, reason: str) -> None:
        """For what the next pass will do by itself, because the tree has changed."""
        self.problems[target] = (StepStatus.SKIPPED, reason)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def outcome(self, step: Step) -> Outcome:
        return Outcome(step, self.status(), "; ".join([*self._counts(), *self._reasons()]))

    def status(self) -> StepStatus:
        """DONE only without any problem; SKIPPED if all that is missing comes by itself."""
        kinds = {status for status, _ in self.problems.values()}
        if not kinds:
            return StepStatus.DONE
        if kinds == {StepStatus.SKIPPED}:
            return StepStatus.SKIPPED
        untouched = not (self.written or self.deleted)
        if untouched and StepStatus.FAILED not in kinds:
            return StepStatus.REFUSED
        return StepStatus.FAILED

    def _counts(self) -> list[str]:
        counts = []
        if self.written or not self.deleted:
            counts.append(f"{count_files(self.written)} written and read back")
        if self.deleted:
            counts.append(f"{count_files(self.deleted)} deleted")
        return counts + self.notes

    def _reasons(self) -> list[str]:
        reasons = [
            f"{printable(target)}: {reason}"
            for target, (_, reason) in sorted(self.problems.items())
        ]
        more = len(reasons) - _SHOWN
        return reasons[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
