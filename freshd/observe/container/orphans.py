"""Containers beside a service's own that serve in its place, or that nothing takes care of.

In: a service's facts. Out: ``Stray``s, told from one listing of the engine's containers.
"""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from freshd.config.project import Project
from freshd.engine.client import Engine
from freshd.model.observed.container import Replica
from freshd.model.observed.snapshot import ServiceFacts
from freshd.model.observed.surroundings import Stray
from freshd.observe.container.members import is_ours

_SHARED = 0.5  # seconds in which the services of one check share a listing


@dataclass(slots=True)
class Neighbours:
    """One thread at a time."""

    project: Project
    engine: Engine

    def of(self, facts: ServiceFacts) -> Iterator[Stray]:
        """Nothing for a project without Compose files."""
        files, service = self.project.compose_files, facts.service
        if files is None or service not in self.project.model.services:
            return
        own = {seen.replica.id for seen in facts.observations}
        wanted = self._wanted_ports(facts)
        for one in self._running():
            if one.id in own:
                continue
            ours = is_ours(one, directory=files.directory, files=files.files)
            if one.project == self.project.name and ours:
                why = self._left_over(facts, one, files.files)
            elif one.project == self.project.name:
                why = "clone" if one.service == service and not one.oneoff and not own else ""
            else:
                why = next((port for port in sorted(wanted) if _taken(port, one)), "")
            if why:
                yield Stray(one.name, one.id, one.service, one.project, one.working_dir, why)

    def _left_over(self, facts: ServiceFacts, one: Replica, files: Collection[str]) -> str:
        """Whose service is gone is told once, by the first service of the model."""
        services = self.project.model.services
        if one.service not in services:
            same = {os.path.realpath(each) for each in files}
            made_of = {os.path.realpath(each) for each in one.config_files}
            return "orphan" if made_of == same and facts.service == min(services) else ""
        if not one.oneoff or one.service != facts.service or facts.tag_image is None:
            return ""
        return "one-off" if one.image_id != facts.tag_image.id else ""

    def _wanted_ports(self, facts: ServiceFacts) -> frozenset[str]:
        """Host ports of the model, where a container was made and does not run."""
        made = self.project.model.wanted.get(facts.service)
        replicas = [seen.replica for seen in facts.observations]
        if made is None or not replicas or any(one.running for one in replicas):
            return frozenset()
        return frozenset(filter(None, map(_host_port, made.ports)))

    def _running(self) -> tuple[Replica, ...]:
        return tuple(one for one in self.engine.overview(within=_SHARED) if one.state == "running")


def _host_port(words: str) -> str:
    """``IP:8080->80/tcp`` as ``IP:8080/tcp``; "" where the engine chooses."""
    host, _, target = words.partition("->")
    published = host.rpartition(":")[2]
    return f"{host}/{target.rpartition('/')[2]}" if published.isdigit() else ""


def _taken(port: str, one: Replica) -> bool:
    """Whether a container publishes it; no address is every address."""
    host, _, number = port.rpartition(":")
    for each in one.published:
        other, _, taken = each.rpartition(":")
        if number == taken and (host == other or not host or not other):
            return True
    return False
