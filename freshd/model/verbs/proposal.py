"""What is known of a project's services before a policy is proposed, and the proposal. Values only.

``freshd.commands.init.detect`` fills the facts; ``rules`` makes the proposal of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.processes import ReloadMode
from freshd.model.policy import ProjectSettings
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.text import count_files


class Confidence(StrEnum):
    """How sure the map of a service is; NOTHING of the tree is in it, as far as is known."""

    PROVED = "proved"
    INFERRED = "inferred"
    UNTOLD = "untold"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class DetectedService:
    """One service. ``origin`` says where ``argv`` was found, ``runs`` are its build's RUNs.

    ``held`` is how many copied files its image has as the tree does; None: there was no image to
    ask. ``built_by`` names the service that builds the image this one only runs. ``problem`` is
    why there is no map.
    """

    name: str
    image: str
    way: ReloadMode
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
class ProposedNever:
    """What no rule may do, each list with its reason: key of ``[never]`` -> (values, why)."""

    lists: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """All of a proposed policy. ``unseen`` says what could not be read."""

    project: str
    settings: ProjectSettings
    services: tuple[ProposedService, ...] = ()
    rules: tuple[ProposedRule, ...] = ()
    never: ProposedNever = ProposedNever()
    unseen: tuple[str, ...] = ()


def confidence_words(service: DetectedService) -> str:
    """One sentence on how sure it is which file of the tree is where."""
    copies = len(service.copied)
    if service.problem:
        return f"could not be told: {service.problem}"
    if service.built_by:
        own = confidence_words(replace(service, built_by=""))
        return f"it runs the image that {service.built_by} builds: {own}"
    if service.confidence is Confidence.NOTHING:
        return f"{service.image}: nothing of the tree is in it."
    if service.confidence is Confidence.UNTOLD:
        return "could not be told: nothing of its build could be followed."
    if service.bound:
        mounted = f"{count_files(len(service.bound))} mounted from the tree"
        return f"{mounted}; {_copied(service)}" if copies else f"{mounted}."
    if not copies:
        inputs = count_files(len(service.map.inputs))
        return f"nothing of the tree lands as it is; its build reads {inputs}."
    return _copied(service)


def _copied(service: DetectedService) -> str:
    copies = count_files(len(service.copied))
    if service.held is None:
        return f"{copies} copied, read off the Dockerfile; no image to hold that against."
    if service.held == len(service.copied):
        return f"{copies} copied, proved: its image holds each of them byte for byte."
    return (
        f"{copies} copied; its image holds {service.held:,} of them as the tree has them now "
        f"(freshd check {service.name} names the others)."
    )
