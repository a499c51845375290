"""Whether new containers of a service may be made, asked right before they are: rules 9, 16, 17.

In: a context, a service, and what the person who typed the verb gave up. Out: StepRefused with the
names, or nothing.
"""

from collections.abc import Iterable, Sequence, Set

from freshd.decide.renewal.losses import find_loss
from freshd.model.errors import StepRefused
from freshd.model.observed.container import Replica
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
        if found is None:
            return
        if found.mistaken:
            raise StepRefused(
                f"Compose takes {_names(found.mistaken)} for a replica of {self._service} by its "
                "labels, and would remove it or make it anew",
                hint="remove it, or start it without the labels of Compose",
            )
        _refuse_foreign([one for one in found.foreign if one.counted], self._service)


def _refuse_foreign(foreign: Sequence[Replica], service: str) -> None:
    """Both directories build one tag, and Compose tells their containers apart by nothing."""
    if not foreign:
        return
    directory = printable(foreign[0].working_dir) or "other Compose files"
    raise StepRefused(
        f"{_names(foreign)} runs as {service} of this project's name and was made from "
        f"{directory}: it would be taken over, or its image's tag would",
        hint="give this directory a project `name:` of its own, or run `docker compose up` here",
    )


def _names(replicas: Iterable[Replica]) -> str:
    return ", ".join(printable(one.name) for one in replicas)
