"""What a pass remembers, read once before it decides: failures, steps that are pending, halts.

In: a service and its replicas. Out: ``PassMemory``.
"""

from collections.abc import Sequence

from freshd.decide.memory import PassMemory
from freshd.model.observed.container import Replica
from freshd.model.remedy import Remedy
from freshd.reconcile.context import Context


def recall(context: Context, service: str, replicas: Sequence[Replica]) -> PassMemory:
    """What the store and the processes of this machine say now. Raises StateError."""
    store, project = context.store, context.project
    since = context.clock() - project.policy.limits.rebuild_window
    return PassMemory(
        failures=store.failures.get(project.name, service),
        recent_rebuilds=store.journal.starts(
            project.name, service, remedy=Remedy.REBUILD, since=since
        ),
        pending=context.promises.due(service, replicas),
        consent_problem=context.consent_problem(),
        halted=context.halted(service),
        watcher=context.watcher(service),
    )
