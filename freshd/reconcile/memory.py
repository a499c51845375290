"""What a pass remembers, read once before it decides: failures, steps that are pending, halts.

In: a service and its replicas. Out: ``PassMemory``.
"""

from collections.abc import Sequence

from freshd.decide.memory import PassMemory
from freshd.model.observed.container import Replica
from freshd.model.remedy import Remedy
from freshd.reconcile import consent
from freshd.reconcile.context import Context
from freshd.reconcile.pending import pending_steps


def recall(context: Context, service: str, replicas: Sequence[Replica]) -> PassMemory:
    """What the store and the processes of this machine say now. Raises StateError."""
    store, project = context.store, context.project
    since = context.clock() - project.policy.limits.rebuild_window
    return PassMemory(
        failures=store.failures.get(project.name, service),
        recent_rebuilds=store.journal.starts(
            project.name, service, remedy=Remedy.REBUILD, since=since
        ),
        pending=pending_steps(store, project.name, service, replicas),
        consent_problem=consent.find_problem(context),
        halted=store.halts.reason(project.name, service),
        watcher=context.watches.keeping(project, service),
    )
