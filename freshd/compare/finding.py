"""One finding: its cause and what is special about this one in; the rest is the catalogue's."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from freshd.catalog.causes.registry import CAUSES
from freshd.model.observed.container import Replica
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import Json

_NONE: Final[Mapping[str, Json]] = MappingProxyType({})


def make_finding(
    cause: str,
    service: str,
    message: str,
    *,
    replica: Replica | None = None,
    link: LinkName | None = None,
    level: Level | None = None,
    remedy: Remedy | None = None,
    path: str | None = None,
    paths: Iterable[str] = (),
    target: str | None = None,
    evidence: Mapping[str, Json] = _NONE,
) -> Finding:
    """A finding of ``service``, or of one ``replica``. None: as the entry of the cause has it."""
    entry = CAUSES[cause]
    return Finding(
        cause=cause,
        level=level or entry.level,
        link=link or entry.link,
        service=service,
        message=message,
        remedy=remedy or entry.remedy,
        container=replica.name if replica else None,
        container_id=replica.id if replica else None,
        path=path,
        paths=tuple(paths),
        target=target,
        evidence=evidence,
    )
