"""What new containers of a service would cost, looked for right before they are made.

In: a context and a service. Out: StepRefused with the names, or nothing. Rules 9, 16 and 17.
"""

from freshd.model.errors import StepRefused
from freshd.model.text import printable
from freshd.observe.container.members import find_members
from freshd.reconcile.context import Context


class RenewalCheck:
    """Of one service, for the steps of one plan."""

    def __init__(self, context: Context, service: str) -> None:
        self._context = context
        self._service = service

    def __call__(self) -> None:
        """Raises StepRefused, and what the engine raises."""
        self._refuse_miscounts()

    def _refuse_miscounts(self) -> None:
        """Compose would renew, or remove, what it takes for a replica."""
        context = self._context
        found = find_members(context.engine, context.project, [self._service])
        others = () if found is None else found.mistaken
        if others:
            names = ", ".join(printable(other.name) for other in others)
            raise StepRefused(
                f"Compose takes {names} for a replica of {self._service} by its labels, and would "
                "remove it or make it anew",
                hint="remove it, or start it without the labels of Compose",
            )
