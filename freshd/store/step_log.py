"""The journal entry of the step that runs now: each call commits before it returns."""

from collections.abc import Callable, Mapping

from freshd.model.plan import Outcome, Step
from freshd.model.text import Json
from freshd.store.journal import Journal


class StepLog:
    """The steps of one plan, one after the other. ``clock`` is unix seconds; ``asked``: typed."""

    def __init__(
        self,
        journal: Journal,
        project: str,
        *,
        plan_text: str,
        clock: Callable[[], float],
        asked: bool,
    ) -> None:
        self._journal = journal
        self._project = project
        self._text = plan_text
        self._clock = clock
        self._asked = asked
        self._entry = 0

    def begin(self, step: Step) -> None:
        self._entry = self._journal.begin(
            *(self._project, step.service),
            step=step,
            plan_text=self._text,
            at=self._clock(),
            asked=self._asked,
        )

    def phase(self, name: str, data: Mapping[str, Json]) -> None:
        self._journal.phase(self._entry, name, at=self._clock(), data=data)

    def finish(self, outcome: Outcome) -> None:
        self._journal.finish(self._entry, outcome, at=self._clock())
