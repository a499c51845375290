"""Proxies that still forward to an address a service had before: what was seen in, findings out."""

from collections.abc import Iterator

from freshd.compare.comparison import ServingReplica, per_replica
from freshd.compare.finding import make_finding
from freshd.model.report import Finding
from freshd.model.text import printable


def upstream_moved(serving: ServingReplica) -> Iterator[Finding]:
    """A proxy that looked up a service's address once, before the service got another one."""
    for moved in serving.runtime.moved:
        yield make_finding(
            "upstream-moved",
            serving.service,
            f"{serving.replica.name} started before {printable(moved.upstream)} moved from "
            f"{', '.join(moved.before)} to {', '.join(moved.now)}, and looks its address up only "
            "then",
            replica=serving.replica,
            evidence={
                "upstream": moved.upstream,
                "before": list(moved.before),
                "now": list(moved.now),
            },
        )


FINDERS = (per_replica(upstream_moved),)
