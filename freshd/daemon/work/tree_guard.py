"""Halts a service whose tree looks like an accident: a disk that is not mounted, a directory gone.

The tree's size comes in, before each pass and before a step that takes something away. A halt goes
out, in the database, the log and a notice; nothing is done until a person has looked and resumed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from freshd.config.project import Project
from freshd.daemon.log import Log
from freshd.decide.halts import halt_reason
from freshd.model.errors import Overtaken
from freshd.model.observed.tree_size import TreeSize
from freshd.model.plan import Step
from freshd.model.remedy import Remedy
from freshd.notify import IncidentNotices
from freshd.reconcile.context import Context
from freshd.store.store import Store


@dataclass(slots=True)
class TreeGuard:
    """One project's. Safe to use from several threads, as one service has one pass at a time."""

    project: Project
    store: Store
    log: Log
    notices: IncidentNotices
    clock: Callable[[], float]
    _sizes: dict[str, TreeSize] = field(init=False, default_factory=dict)
    _halted: set[str] = field(init=False, default_factory=set)

    def check(self, context: Context, service: str) -> None:
        """Compare the service's tree with what it was, and halt where too much of it is gone."""
        now, halts = context.proof.size(service), self.store.halts
        if service in self._halted and halts.reason(self.project.name, service) is None:
            self._halted.discard(service)  # a person has looked: the tree as it is now is meant
            self._sizes.pop(service, None)
        before = self._sizes.get(service) or self._size_before(service)
        reason = halt_reason(before, now)
        if reason is None:
            if halts.reason(self.project.name, service) is None:
                if before is None or before.files != now.files:
                    self.store.tree_sizes.record(self.project.name, service, now.files)
                self._sizes[service] = now
            return
        self._halted.add(service)
        if halts.halt(self.project.name, service, reason=reason, at=self.clock()):
            self.log.warning("halted", service=service, why=reason)
            self.notices.halted(self.project.name, service, reason)

    def check_step(self, context: Context, step: Step) -> None:
        """The tree may have gone since the pass began: then nothing is deleted and none built.

        Raises Overtaken where the service is halted.
        """
        takes_away = any(change.want is None for change in step.files)
        if not takes_away and step.remedy is not Remedy.REBUILD:
            return
        self.check(context, step.service)
        if self.store.halts.reason(self.project.name, step.service) is not None:
            raise Overtaken

    def _size_before(self, service: str) -> TreeSize | None:
        """As it was when freshd ended: a disk may not be mounted when the machine comes up."""
        files = self.store.tree_sizes.get(self.project.name, service)
        return None if files is None else TreeSize(files)
