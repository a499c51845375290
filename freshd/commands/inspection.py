"""What is known of a project with its engine or without one: maps and images, as far as they go.

A ``Workspace`` comes in; for verbs that also work where no engine answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from freshd.commands.workspace import Workspace
from freshd.engine.inspect import ImageConfig
from freshd.mapping.service_data import ServiceData
from freshd.mapping.service_map import MapResult, build_map
from freshd.model.errors import ConfigError, EngineFailed
from freshd.model.observed.container import Replica


@dataclass(frozen=True, slots=True)
class Mapped:
    """One service's map, or the ``problem`` that there is none.

    ``held`` is how many of its visible copies the image has as the tree does; None: not known.
    """

    made: MapResult | None
    replicas: tuple[Replica, ...] = ()
    held: int | None = None
    problem: str = ""


def map_services(workspace: Workspace) -> Mapping[str, Mapped]:
    """Every service's map; one that cannot be made says why and hides no other."""
    return {name: _map_service(workspace, name) for name in sorted(workspace.project.services)}


def _map_service(workspace: Workspace, name: str) -> Mapped:
    project = workspace.project
    try:
        if workspace.unseen:
            policy = project.policy.service(name)
            made = build_map(project.service(name), project_dir=project.dir, policy=policy)
            data = ServiceData(project.dir, project.services.values())
            return Mapped(data.without(made))
        context = workspace.context("")
        made, held = context.proof.map_and_held(name)
        return Mapped(made, context.snapshots.replicas(name), held)
    except (ConfigError, EngineFailed) as error:
        return Mapped(None, problem=error.message)


def image_config(workspace: Workspace, ref: str) -> ImageConfig | None:
    """An image's configuration, where there is an engine and it has the image."""
    return workspace.context("").engine.image_config(ref) if ref and not workspace.unseen else None
