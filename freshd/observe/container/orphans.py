"""Containers beside a service's own that serve in its place, or that nothing takes care of.

In: a service's facts. Out: ``Stray``s, found in one listing of the engine's containers.
"""

import os
from collections.abc import Collection, Iterator

from freshd.config.project import Project
from freshd.model.observed.container import Replica
from freshd.model.observed.snapshot import Snapshot
from freshd.model.observed.surroundings import Stray
from freshd.observe.container.members import is_ours
from freshd.observe.observers import Tools

_SHARED = 0.5  # seconds in which the services of one check share a listing


def find_strays(tools: Tools, facts: Snapshot) -> Iterator[Stray]:
    """Nothing for a project without Compose files. Raises what the engine raises."""
    project, service = tools.project, facts.service
    files = project.compose_files
    if files is None or service not in project.model.services:
        return
    own = {observation.replica.id for observation in facts.observations}
    wanted = _wanted_ports(project, facts)
    for other in tools.engine.overview(within=_SHARED):
        if other.id in own or other.state != "running":
            continue
        ours = is_ours(other, directory=files.directory, files=files.files)
        if other.project == project.name and ours:
            why = _left_over(project, facts, other, files.files)
        elif other.project == project.name:
            why = "clone" if other.service == service and other.is_replica and not own else ""
        else:
            why = next((port for port in sorted(wanted) if _taken(port, other)), "")
        if why:
            yield Stray(
                *(other.name, other.id, other.service, other.project, other.working_dir, why)
            )


def _left_over(project: Project, facts: Snapshot, other: Replica, files: Collection[str]) -> str:
    """Whose service is gone is reported once, by the first service of the model."""
    services = project.model.services
    if other.service not in services:
        if not other.is_replica:
            return ""
        same = {os.path.realpath(path) for path in files}
        made_of = {os.path.realpath(path) for path in other.config_files}
        return "orphan" if made_of == same and facts.service == min(services) else ""
    if not other.oneoff or other.service != facts.service or facts.tag_image is None:
        return ""
    return "one-off" if other.image_id != facts.tag_image.id else ""


def _wanted_ports(project: Project, facts: Snapshot) -> frozenset[str]:
    """Host ports of the model, where a container was made and does not run."""
    made = project.model.wanted.get(facts.service)
    replicas = [observation.replica for observation in facts.observations]
    if made is None or not replicas or any(replica.running for replica in replicas):
        return frozenset()
    return frozenset(filter(None, map(_host_port, made.ports)))


def _host_port(words: str) -> str:
    """``IP:8080->80/tcp`` as ``IP:8080/tcp``; "" where the engine chooses."""
    host, _, target = words.partition("->")
    published = host.rpartition(":")[2]
    return f"{host}/{target.rpartition('/')[2]}" if published.isdigit() else ""


def _taken(port: str, other: Replica) -> bool:
    """Whether a container publishes it; no address is every address."""
    host, _, number = port.rpartition(":")
    for published in other.published:
        address, _, taken = published.rpartition(":")
        if number == taken and (host == address or not host or not address):
            return True
    return False
