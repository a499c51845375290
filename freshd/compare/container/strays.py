"""Containers beside the service's own: what was seen in, notes out."""

from collections.abc import Iterator

from freshd.compare.comparison import Comparison
from freshd.compare.finding import make_finding
from freshd.model.observed.surroundings import Stray
from freshd.model.report import Finding
from freshd.model.text import printable


def stray_findings(comparison: Comparison) -> Iterator[Finding]:
    """One note for each container that runs for the service, or in its place."""
    for stray in comparison.runtime.around.strays:
        cause, words = _judge(stray, comparison.service)
        yield make_finding(
            cause,
            comparison.service,
            words,
            evidence={
                "container": stray.container,
                "container_id": stray.container_id,
                "service": stray.service,
                "project": stray.project,
                "directory": stray.directory,
                "why": stray.why,
            },
        )


def _judge(stray: Stray, service: str) -> tuple[str, str]:
    name, where = printable(stray.container), printable(stray.directory) or "no Compose directory"
    if stray.why == "orphan":
        gone = printable(stray.service)
        return "orphan-container", f"{name} runs for {gone}, which the Compose files do not have"
    if stray.why == "one-off":
        words = f"{name} was made by `compose run` and still runs an earlier image of {service}"
        return "orphan-container", words
    if stray.why == "clone":
        words = f"{name} runs as {service} of this project's name and was made from {where}"
    else:
        words = f"port {stray.why} of {service} is published by {name}, made from {where}"
    return "wrong-project", words


BESIDE = (stray_findings,)
