"""What ``freshd init`` knows of a project: a ``Workspace`` in, its services and a proposal out.

Reads the tree and asks the engine, where there is one, for images. ``proposal`` decides.
"""

import os
from dataclasses import dataclass

from freshd.catalog.runtimes.reload import find_reload
from freshd.catalog.runtimes.servers import command_of_image, is_store
from freshd.commands.init.rules import propose
from freshd.commands.inspection import Mapped, image_config, map_services
from freshd.commands.workspace import Workspace
from freshd.config.compose.build_files import read_build_files
from freshd.config.compose.model import ComposeService
from freshd.mapping.dockerfile.syntax.outline import Outline, read_outline
from freshd.mapping.scripts import make_reader
from freshd.model.errors import ConfigError
from freshd.model.mapping import ServiceMap
from freshd.model.policy import ProjectSettings
from freshd.model.verbs.proposal import DetectedService, Proposal


@dataclass(frozen=True, slots=True)
class DetectedCommand:
    """The command line of a container, and in which words of which file it was found."""

    argv: tuple[str, ...] = ()
    origin: str = ""


def detect(workspace: Workspace) -> tuple[Proposal, tuple[DetectedService, ...]]:
    """The proposed policy, and what of each service it was made of."""
    maps = map_services(workspace)
    services = tuple(_detect_service(workspace, name, mapped) for name, mapped in maps.items())
    proposal = propose(
        workspace.project.name, services, settings=_settings(workspace), unseen=workspace.unseen
    )
    return proposal, services


def _settings(workspace: Workspace) -> ProjectSettings:
    """What must be in the policy so that the same model is found without the options typed now."""
    kept, typed = workspace.project.policy.project, workspace.located
    return ProjectSettings(
        name=typed.project_name or kept.name,
        files=tuple(os.path.relpath(file, workspace.project.dir) for file in typed.files)
        or kept.files,
        profiles=typed.profiles or kept.profiles,
    )


def _detect_service(workspace: Workspace, name: str, mapped: Mapped) -> DetectedService:
    service = workspace.project.services[name]
    made = mapped.made.map if mapped.made is not None else ServiceMap(name)
    sketch = _outline(service, workspace.project.dir)
    command = detect_command(service, sketch, workspace)
    workdir = (
        service.working_dir or (sketch.workdir if sketch else "") or _workdir(service, workspace)
    )
    way = find_reload(
        command.argv,
        settings={**(sketch.env if sketch else {}), **service.switches},
        read=make_reader(workspace.project.dir, made, workdir),
    )
    return DetectedService(
        name=name,
        image=service.image,
        way=way,
        map=made,
        builds=service.build is not None,
        argv=command.argv,
        origin=command.origin,
        runs=sketch.runs if sketch else (),
        store=service.build is None and is_store(service.image),
        built_by=service.built_by,
        held=mapped.held,
        problem=mapped.problem,
    )


def _outline(service: ComposeService, project_dir: str) -> Outline | None:
    build = service.build
    if build is None or build.remote:
        return None
    try:
        files = read_build_files(build, service=service.name, project_dir=project_dir)
        return read_outline(
            files.text,
            target=build.target,
            build_args={key: value for key, value in build.args.items() if value is not None},
            name=files.name,
        )
    except ConfigError:
        return None  # the map says what is wrong with it


def detect_command(
    service: ComposeService, sketch: Outline | None, workspace: Workspace
) -> DetectedCommand:
    """Compose before the Dockerfile, that before the image; at last the image's well-known name."""
    inner = _built_command(sketch, service, workspace)
    if service.entrypoint is not None:
        argv = (*service.entrypoint, *(service.command or ()))
        return DetectedCommand(argv, "entrypoint in the Compose file")
    if service.command is not None:
        entrypoint = inner.entrypoint
        if not entrypoint and service.command[:1] and service.command[0].startswith("-"):
            entrypoint = inner.command[:1]  # options, for a program that only the image names
            if not entrypoint:
                return DetectedCommand()
        return DetectedCommand((*entrypoint, *service.command), "command in the Compose file")
    return DetectedCommand((*inner.entrypoint, *inner.command), inner.origin)


@dataclass(frozen=True, slots=True)
class _Inner:
    """What the image by itself would run."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    origin: str = ""


def _built_command(sketch: Outline | None, service: ComposeService, workspace: Workspace) -> _Inner:
    base = sketch.base if sketch is not None else service.image
    config = image_config(workspace, service.image) or image_config(workspace, base)
    if sketch is not None and (sketch.command or sketch.entrypoint):
        below = config.entrypoint if config is not None else ()
        entrypoint = below if sketch.entrypoint is None else sketch.entrypoint
        word = "CMD" if sketch.command else "ENTRYPOINT"
        origin = f"{word}, line {sketch.line} of its Dockerfile"
        return _Inner(entrypoint, sketch.command or (), origin)
    if config is not None and (config.entrypoint or config.command):
        return _Inner(config.entrypoint, config.command, f"as the image {service.image} says")
    known = command_of_image(base)
    return _Inner((), known, f"as {base} does" if known else "")


def _workdir(service: ComposeService, workspace: Workspace) -> str:
    config = image_config(workspace, service.image)
    return config.workdir if config is not None else ""
