"""Containers beside the service's own: what was seen in, notes out."""

from freshd.model.observed.surroundings import Stray
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import printable


def orphan_container(service: str, stray: Stray) -> Finding:
    name = printable(stray.container)
    if stray.why == "orphan":
        words = f"{name} runs for {printable(stray.service)}, which the Compose files do not have"
    else:
        words = f"{name} was made by `compose run` and still runs an earlier image of {service}"
    return _of_stray(service, stray, "orphan-container", words)


def wrong_project(service: str, stray: Stray) -> Finding:
    name, where = printable(stray.container), printable(stray.directory) or "no Compose directory"
    if stray.why == "clone":
        words = f"{name} runs as {service} of this project's name and was made from {where}"
    else:
        words = f"port {stray.why} of {service} is published by {name}, made from {where}"
    return _of_stray(service, stray, "wrong-project", words)


def _of_stray(service: str, stray: Stray, cause: str, message: str) -> Finding:
    return Finding(
        cause=cause,
        level=Level.NOTE,
        link=LinkName.CONTAINER,
        service=service,
        message=message,
        evidence={
            "container": stray.container,
            "container_id": stray.container_id,
            "service": stray.service,
            "project": stray.project,
            "directory": stray.directory,
            "why": stray.why,
        },
    )
