"""What the finders judge: the facts of one service, and of each of its replicas.

A finder is a function from a ``Comparison`` to findings. ``FINDERS`` of a module, or of its link,
lists those that are asked where replicas serve; ``per_replica`` makes one of a function that looks
at one ``ServingReplica``. ``BESIDE`` lists those that are asked even where none serves: they are
about what lies around the containers. What one replica's state and files say, file by file, has no
list: ``container.replica.compare_replica`` finds it.
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
