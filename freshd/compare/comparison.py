"""What the finders look at: the facts of one service, and of each of its replicas.

A finder is a function from a ``Comparison`` to findings. Each module that has finders lists them
in its ``FINDERS``, and each link those of its modules.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from freshd.model.observed.container import Replica
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.runtime import ReplicaRuntime, RuntimeFacts
from freshd.model.observed.snapshot import Snapshot
from freshd.model.report import Finding


@dataclass(frozen=True, slots=True)
class ServingReplica:
    """One replica that serves, and what was observed of how it was made and what runs in it."""

    facts: Snapshot
    replica: Replica
    runtime: ReplicaRuntime = field(default_factory=ReplicaRuntime)

    @property
    def service(self) -> str:
        return self.facts.service


@dataclass(frozen=True, slots=True)
class Comparison:
    """One service. ``mapped`` are the targets that have a source in the tree.

    ``image`` is None where there is none, or nothing about it to check. Of a narrowed snapshot
    ``runtime`` is empty. ``replicas`` are those that serve.
    """

    facts: Snapshot
    mapped: frozenset[str]
    image: ImageFacts | None = None
    runtime: RuntimeFacts = field(default_factory=RuntimeFacts)
    replicas: tuple[ServingReplica, ...] = ()

    @property
    def service(self) -> str:
        return self.facts.service


Finder: TypeAlias = Callable[[Comparison], Iterable[Finding]]


def per_replica(find: Callable[[ServingReplica], Iterable[Finding]]) -> Finder:
    """A finder that asks each serving replica by itself."""

    def find_in_each(comparison: Comparison) -> Iterator[Finding]:
        for serving in comparison.replicas:
            yield from find(serving)

    return find_in_each
