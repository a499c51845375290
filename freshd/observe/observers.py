"""What an observer gets and gives. Each adds its part to a record, and knows nothing of the others.

In: a service or one replica of it, as a whole snapshot has it. Out: the record with one more part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from freshd.config.project import Project
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.model.mapping import Pair
from freshd.model.observed.container import Observation, Replica
from freshd.model.observed.runtime import ReplicaRuntime, RuntimeFacts
from freshd.model.observed.snapshot import Snapshot
from freshd.store.store import Store


@dataclass(frozen=True, slots=True)
class Tools:
    """What observers ask. ``clock`` is in unix seconds."""

    project: Project
    engine: Engine
    compose: Compose
    store: Store
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class ReplicaView:
    """One serving replica of ``facts``.

    ``visible`` are the pairs that say what its process reads: target -> pair. With ``full`` nothing
    that is remembered is believed. ``first``: no other replica has answered a probe yet.
    """

    tools: Tools
    facts: Snapshot
    observation: Observation
    visible: Mapping[str, Pair]
    full: bool
    first: bool

    @property
    def replica(self) -> Replica:
        return self.observation.replica


# Both may keep what they learn between snapshots, and raise what the engine raises.
ReplicaObserver = Callable[[ReplicaView, ReplicaRuntime], ReplicaRuntime]
ServiceObserver = Callable[[Tools, Snapshot, RuntimeFacts], RuntimeFacts]
