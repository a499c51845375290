"""How the containers of one service were made and what runs in them, as it was observed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshd.model.observed.creation import ConfigSeen, OtherFiles
from freshd.model.observed.processes import Bytecode, Moved, ProbeAnswer, RunningSeen
from freshd.model.observed.surroundings import Aged, BaseSeen, Hidden, Outdated, Surroundings


@dataclass(frozen=True, slots=True)
class ReplicaRuntime:
    """One container. None, or nothing: it was not observed, or there is nothing to report."""

    config: ConfigSeen | None = None
    made_from: OtherFiles | None = None
    running: RunningSeen | None = None
    bytecode: tuple[Bytecode, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    moved: tuple[Moved, ...] = ()
    answers: tuple[ProbeAnswer, ...] = ()
    logged: tuple[str, ...] = field(default=(), repr=False)


_NOTHING = ReplicaRuntime()


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """What a whole snapshot adds to the facts of a service; ``replicas`` by container id.

    ``forbidden`` are files of the tree that the image holds and the policy never injects.
    """

    replicas: Mapping[str, ReplicaRuntime] = field(default_factory=dict)
    forbidden: tuple[str, ...] = ()
    base: BaseSeen | None = None
    around: Surroundings = field(default_factory=Surroundings)
    outdated: tuple[Outdated, ...] = ()
    aged: Aged | None = None

    def replica(self, container_id: str) -> ReplicaRuntime:
        """What was observed of one container; nothing of one that was not looked at."""
        return self.replicas.get(container_id, _NOTHING)
