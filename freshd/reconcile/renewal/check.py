"""Whether new containers of a service may be made, asked right before they are: rules 9, 16, 17.

In: a context, a service, and what the person who typed the verb gave up. Out: StepRefused with the
names, or nothing.
"""

from collections.abc import Set

from freshd.decide.renewal.losses import find_loss
from freshd.model.errors import StepRefused
from freshd.model.text import printable
from freshd.observe.container.members import find_members
from freshd.reconcile.context import Context
from freshd.reconcile.renewal.losses import find_losses


class RenewalCheck:
    """Of one service, for the steps of one plan. ``given_up`` are causes."""

    def __init__(self, context: Context, service: str, given_up: Set[str]) -> None:
        self._context = context
        self._service = service
        self._given_up = given_up

    def __call__(self) -> None:
        """Raises StepRefused, and what the engine raises."""
        self._refuse_miscounts()
        context = self._context
        losses = find_losses(context, self._service)
        loss = find_loss(losses, context.project.policy, self._given_up)
        if loss is not None:
            raise StepRefused(loss.reason, hint=loss.hint)

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
