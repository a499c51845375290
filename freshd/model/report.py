"""What comparing comes to: findings, links and verdicts of a replica, a service, a project."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freshd.model.files import Entry
from freshd.model.mapping import Via
from freshd.model.remedy import Remedy
from freshd.model.text import Json


class Level(StrEnum):
    STALE = "stale"
    UNVERIFIABLE = "unverifiable"
    NOTE = "note"


class Verdict(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    UNVERIFIABLE = "unverifiable"


class LinkName(StrEnum):
    IMAGE = "image"
    CONTAINER = "container"
    PROCESS = "process"
    CONFIG = "config"


class LinkState(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    UNVERIFIABLE = "unverifiable"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that parts two links. ``remedy`` is the suggestion; the policy decides.

    ``want`` is the tree's entry (mode already the COPY's), ``seen`` the other side's; None is
    absent. ``paths`` are all that it speaks of where it is not about one ``path``; the evidence
    shows some of them.
    """

    cause: str
    level: Level
    link: LinkName
    service: str
    message: str
    remedy: Remedy = Remedy.NOTIFY
    container: str | None = None
    container_id: str | None = None
    path: str | None = None
    paths: tuple[str, ...] = ()
    target: str | None = None
    via: Via | None = None
    want: Entry | None = None
    seen: Entry | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplicaReport:
    id: str
    name: str
    verdict: Verdict
    compared: int
    equal: int


@dataclass(frozen=True, slots=True)
class ServiceReport:
    name: str
    verdict: Verdict
    patched: bool
    links: Mapping[LinkName, LinkState]
    containers: tuple[ReplicaReport, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ProjectReport:
    project: str
    verdict: Verdict
    checked_at: float
    services: tuple[ServiceReport, ...]
