"""Which containers belong to a project's services: engine and names in, replicas out.

Two clones of a project can carry one project name; the labels that Compose leaves tell them apart.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from freshd.config.compose.model import find_followers
from freshd.config.compose.names import joint
from freshd.config.project import Project
from freshd.engine.client import Engine
from freshd.model.observed.container import Replica


@dataclass(frozen=True, slots=True)
class ProjectContainers:
    """``services``: every asked service, in number order, perhaps without a replica. ``one_offs``:
    made by ``compose run``. ``mistaken``: no replica, and Compose would count it as one.
    ``foreign``: of another directory that uses the same project name.
    """

    services: Mapping[str, tuple[Replica, ...]] = field(default_factory=dict)
    one_offs: tuple[Replica, ...] = ()
    mistaken: tuple[Replica, ...] = ()
    foreign: tuple[Replica, ...] = ()


def replicas_of(engine: Engine, project: Project, service: str) -> tuple[Replica, ...]:
    """The containers of ``service`` now, one-offs left out, by number."""
    return find_replicas(engine, project, [service])[service]


def find_replicas(
    engine: Engine, project: Project, services: Collection[str]
) -> Mapping[str, tuple[Replica, ...]]:
    """The containers of each of ``services`` now, from one listing."""
    replicas: dict[str, tuple[Replica, ...]] = {}
    ours = find_members(engine, project, services)
    if ours is not None:
        replicas |= ours.services
        project.follow_names(replica for several in replicas.values() for replica in several)
    for service in services:
        name = project.policy.service(service).container
        if name is not None:
            replicas[service] = engine.replicas(names=[name])
    return {service: replicas.get(service, ()) for service in services}


def find_members(
    engine: Engine, project: Project, services: Collection[str]
) -> ProjectContainers | None:
    """All that has the labels of these services now, sorted out; None without Compose files."""
    files = project.compose_files
    if files is None:
        return None
    every = engine.replicas(project=project.name, services=services)
    return sort_out(every, services, directory=files.directory, files=files.files)


def find_running_followers(
    engine: Engine, project: Project, service: str
) -> Mapping[str, tuple[Replica, ...]]:
    """The running containers of the services that share a namespace of ``service``'s."""
    names = find_followers(project.services, service)
    replicas = find_replicas(engine, project, names) if names else {}
    running = {
        name: tuple(replica for replica in replicas[name] if replica.running) for name in replicas
    }
    return {name: several for name, several in running.items() if several}


def sort_out(
    replicas: Collection[Replica],
    services: Collection[str],
    *,
    directory: str,
    files: Collection[str] = (),
) -> ProjectContainers:
    """All containers of these services, sorted out. ``directory`` and ``files`` are this project's
    directory and Compose files, absolute.

    Pure but for resolving links in host paths.
    """
    ordered = sorted(replicas, key=lambda replica: (replica.service, replica.number, replica.name))
    ours = [member for member in ordered if is_ours(member, directory=directory, files=files)]
    numbered = {
        service: tuple(_one_each([member for member in ours if member.service == service]))
        for service in sorted(services)
    }
    known = {member.id for several in numbered.values() for member in several}
    return ProjectContainers(
        services=numbered,
        one_offs=tuple(member for member in ours if member.oneoff),
        mistaken=tuple(
            member
            for member in ours
            if member.counted and member.service in numbered and member.id not in known
        ),
        foreign=tuple(member for member in ordered if member not in ours),
    )


def _one_each(members: Collection[Replica]) -> Iterator[Replica]:
    """The replicas of one service, by number; of several with one number the one so named.

    A container of an image that was committed from a replica has all labels of that replica.
    """
    numbers: dict[int, list[Replica]] = {}
    for member in members:
        if member.is_replica:
            numbers.setdefault(member.number, []).append(member)
    for several in numbers.values():
        named = [one for one in several if one.name.endswith(f"{joint(one) or '/'}{one.number}")]
        yield from named if len(named) == 1 else several


def is_ours(replica: Replica, *, directory: str, files: Collection[str] = ()) -> bool:
    """Whether the labels name this project directory, or a Compose file of this project.

    A container without these labels is ours: older Compose versions and other tools leave none.
    """
    if not replica.working_dir and not replica.config_files:
        return True
    if replica.working_dir and _real(replica.working_dir) == _real(directory):
        return True
    known = {_real(file) for file in files}
    return any(_real(file) in known for file in replica.config_files)


def _real(path: str) -> str:
    return os.path.realpath(path)
