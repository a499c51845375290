"""Which containers belong to a project's services: engine and names in, replicas out.

Two clones of a project can carry one project name; the labels that Compose leaves tell them apart.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from freshd.engine.client import Engine
from freshd.model.observed.container import Replica


@dataclass(frozen=True, slots=True)
class ProjectContainers:
    """``services``: every asked service, in number order, perhaps without a replica. ``one_offs``:
    made by ``compose run``. ``foreign``: of another directory that uses the same project name.
    """

    services: Mapping[str, tuple[Replica, ...]] = field(default_factory=dict)
    one_offs: tuple[Replica, ...] = ()
    foreign: tuple[Replica, ...] = ()


def replicas_of(
    engine: Engine,
    project: str,
    services: Collection[str],
    *,
    directory: str,
    files: Collection[str] = (),
) -> Mapping[str, tuple[Replica, ...]]:
    """The replicas of each service; see ``containers_of``."""
    return containers_of(engine, project, services, directory=directory, files=files).services


def containers_of(
    engine: Engine,
    project: str,
    services: Collection[str],
    *,
    directory: str,
    files: Collection[str] = (),
) -> ProjectContainers:
    """All containers of these services, sorted out. ``directory`` and ``files`` are this project's
    directory and Compose files, absolute.
    """
    found = engine.replicas(project=project, services=services)
    return sort_out(found, services, directory=directory, files=files)


def sort_out(
    found: Collection[Replica],
    services: Collection[str],
    *,
    directory: str,
    files: Collection[str] = (),
) -> ProjectContainers:
    """The pure part of ``containers_of``, but for resolving links in host paths."""
    ordered = sorted(found, key=lambda replica: (replica.service, replica.number, replica.name))
    ours = [each for each in ordered if is_ours(each, directory=directory, files=files)]
    return ProjectContainers(
        services={
            service: tuple(each for each in ours if each.service == service and not each.oneoff)
            for service in sorted(services)
        },
        one_offs=tuple(each for each in ours if each.oneoff),
        foreign=tuple(each for each in ordered if each not in ours),
    )


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
