"""Proxies that still forward to an address a service had before: what was seen in, findings out."""

from collections.abc import Iterator

from freshd.model.observed.container import Replica
from freshd.model.observed.processes import Moved
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import printable


def upstream_moved(service: str, replica: Replica, seen: tuple[Moved, ...]) -> Iterator[Finding]:
    """A proxy that looked up a service's address once, before the service got another one."""
    for one in seen:
        yield Finding(
            cause="upstream-moved",
            level=Level.STALE,
            link=LinkName.PROCESS,
            service=service,
            message=f"{replica.name} started before {printable(one.upstream)} moved from "
            f"{', '.join(one.before)} to {', '.join(one.now)}, and looks its address up only then",
            remedy=Remedy.RESTART,
            container=replica.name,
            container_id=replica.id,
            evidence={
                "upstream": one.upstream,
                "before": list(one.before),
                "now": list(one.now),
            },
        )
