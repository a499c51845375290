"""What is known of a project's services before a policy is proposed, and the proposal. Values only.

``freshd.scout`` fills the facts; ``rules`` makes the proposal of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freshd.model import Pair, RebuildMode, Remedy, ServiceMap, Via
from freshd.policy.rules import ProjectSettings
from freshd.proposal.commands import Way


class Confidence(StrEnum):
    """How sure the map of a service is; NOTHING of the tree is in it, as far as can be told."""

    PROVED = "proved"
    INFERRED = "inferred"
    UNTOLD = "untold"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ServiceLook:
    """One service. ``origin`` says where ``argv`` was found, ``runs`` are its build's RUNs.

    ``held`` is how many copied files its image has as the tree does; None: there was no image to
    ask. ``built_by`` names the service that builds the image this one only runs. ``problem`` is
    why there is no map.
    """

    name: str
    image: str
    way: Way
    map: ServiceMap
    builds: bool = False
    argv: tuple[str, ...] = ()
    origin: str = ""
    runs: tuple[str, ...] = ()
    store: bool = False
    built_by: str = ""
    held: int | None = None
    problem: str = ""

    @property
    def copied(self) -> tuple[Pair, ...]:
        """What lands in the image as it is and is seen there: what can be injected."""
        return tuple(p for p in self.map.pairs if p.effective and p.via is not Via.BIND)

    @property
    def bound(self) -> tuple[Pair, ...]:
        return tuple(p for p in self.map.pairs if p.effective and p.via is Via.BIND)

    @property
    def hidden(self) -> tuple[Pair, ...]:
        return tuple(p for p in self.map.pairs if not p.effective)

    @property
    def confidence(self) -> Confidence:
        if self.problem:
            return Confidence.UNTOLD
        if not self.map.pairs and not self.map.inputs:
            return Confidence.UNTOLD if self.builds or self.built_by else Confidence.NOTHING
        if self.bound and not self.copied:
            return Confidence.PROVED  # a mount shows the tree itself
        if self.copied and self.held == len(self.copied):
            return Confidence.PROVED
        return Confidence.INFERRED


@dataclass(frozen=True, slots=True)
class ProposedService:
    """One ``[service.X]`` table, or only a remark where ``table`` is false."""

    name: str
    reload: str
    why: str
    purge: tuple[str, ...] = ()
    purge_why: str = ""
    notes: tuple[str, ...] = ()
    table: bool = True


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """One ``[[rule]]`` and the reason for it."""

    name: str
    why: str
    when: tuple[str, ...]
    do: tuple[Remedy, ...]
    services: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    rebuild: RebuildMode | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """What no rule may do, each list with its reason: key of ``[never]`` -> (values, why)."""

    lists: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """All of a proposed policy. ``unseen`` says what could not be looked at."""

    project: str
    settings: ProjectSettings
    services: tuple[ProposedService, ...] = ()
    rules: tuple[ProposedRule, ...] = ()
    never: Never = Never()
    unseen: tuple[str, ...] = ()
