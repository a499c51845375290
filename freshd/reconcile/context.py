"""What a pass needs to know of the world: one project, one engine, the store, the clock, locks.

One ``Context`` serves one pass at a time: its engine client and what it remembers are not shared.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from freshd.config.project import Project
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.observe.compose_watch import ComposeWatches
from freshd.observe.observers import Tools
from freshd.observe.runtime import RuntimeCollector
from freshd.observe.service_maps import ServiceMaps
from freshd.observe.snapshot.collector import SnapshotCollector
from freshd.observe.snapshot.proof import TreeProof
from freshd.store.store import Store


def _no_line(_line: str) -> None:
    """Output that nobody asked for."""


@dataclass(frozen=True)
class Context:
    """Everything around the stages. ``locks`` is a private directory, ``clock`` unix seconds.

    With ``asked`` a person typed the verb: that is consent to the files as they are now.
    """

    project: Project
    engine: Engine
    compose: Compose
    store: Store
    locks: str
    clock: Callable[[], float]
    asked: bool = False
    watches: ComposeWatches = field(default_factory=ComposeWatches)
    on_line: Callable[[str], None] = _no_line

    @cached_property
    def snapshots(self) -> SnapshotCollector:
        """Collects tree, image and containers of a service, and remembers what they were."""
        return SnapshotCollector(self.project, self.engine, self.store, self._maps, self.clock)

    @cached_property
    def proof(self) -> TreeProof:
        """Proves the tree of a service against its tag's image."""
        return TreeProof(self.project, self.engine, self._maps, self.snapshots.manifest)

    @cached_property
    def runtime(self) -> RuntimeCollector:
        """Collects how containers were made, and what runs in them."""
        tools = Tools(self.project, self.engine, self.compose, self.store, self.clock)
        return RuntimeCollector(tools)

    @cached_property
    def _maps(self) -> ServiceMaps:
        return ServiceMaps(self.project, self.engine, self.store)
