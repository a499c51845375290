"""Looks at a project for ``freshd init``: a ``Sight`` in, facts of its services and a proposal out.

Reads the tree and asks the engine, where there is one, for images. ``proposal`` decides.
"""

import os
import posixpath
from dataclasses import dataclass

from freshd.errors import ConfigError
from freshd.model import ServiceMap
from freshd.policy.rules import ProjectSettings
from freshd.proposal.commands import way_of
from freshd.proposal.facts import Proposal, ServiceLook
from freshd.proposal.rules import propose
from freshd.proposal.servers import command_of_image, is_store
from freshd.proposal.unwrap import Read
from freshd.sight import Mapped, Sight
from freshd.tree.buildfiles import read_build_files
from freshd.tree.compose import ComposeService
from freshd.tree.dockerfile.outline import Outline, outline
from freshd.tree.walk import open_beneath

_MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Command:
    """What a container runs, and where that is said."""

    argv: tuple[str, ...] = ()
    origin: str = ""


def scouted(sight: Sight) -> tuple[Proposal, tuple[ServiceLook, ...]]:
    """The proposed policy, and what of each service it was made of."""
    maps = sight.maps()
    looks = tuple(_look(sight, name, mapped) for name, mapped in maps.items())
    proposal = propose(
        sight.project.name, looks, settings=_settings(sight), unseen=tuple(sight.unseen)
    )
    return proposal, looks


def _settings(sight: Sight) -> ProjectSettings:
    """What must be in the policy so that the same model is found without the options typed now."""
    kept, typed = sight.project.policy.project, sight.located
    return ProjectSettings(
        name=typed.project_name or kept.name,
        files=tuple(os.path.relpath(file, sight.project.dir) for file in typed.files) or kept.files,
        profiles=typed.profiles or kept.profiles,
    )


def _look(sight: Sight, name: str, mapped: Mapped) -> ServiceLook:
    service = sight.project.services[name]
    made = mapped.made.map if mapped.made is not None else ServiceMap(name)
    sketch = _outline(service, sight.project.dir)
    command = command_of(service, sketch, sight)
    workdir = service.working_dir or (sketch.workdir if sketch else "") or _workdir(service, sight)
    way = way_of(
        command.argv,
        settings={**(sketch.env if sketch else {}), **service.switches},
        read=reader(sight.project.dir, made, workdir),
    )
    return ServiceLook(
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
        return outline(
            files.text,
            target=build.target,
            build_args={key: value for key, value in build.args.items() if value is not None},
            name=files.name,
        )
    except ConfigError:
        return None  # the map says what is wrong with it


def command_of(service: ComposeService, sketch: Outline | None, sight: Sight) -> Command:
    """Compose before the Dockerfile, that before the image; at last the image's well-known name."""
    inner = _built_command(sketch, service, sight)
    if service.entrypoint is not None:
        argv = (*service.entrypoint, *(service.command or ()))
        return Command(argv, "entrypoint in the Compose file")
    if service.command is not None:
        entrypoint = inner.entrypoint
        if not entrypoint and service.command[:1] and service.command[0].startswith("-"):
            entrypoint = inner.command[:1]  # options, for a program that only the image names
            if not entrypoint:
                return Command()
        return Command((*entrypoint, *service.command), "command in the Compose file")
    return Command((*inner.entrypoint, *inner.command), inner.origin)


@dataclass(frozen=True, slots=True)
class _Inner:
    """What the image by itself would run."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    origin: str = ""


def _built_command(sketch: Outline | None, service: ComposeService, sight: Sight) -> _Inner:
    base = sketch.base if sketch is not None else service.image
    config = sight.image_config(service.image) or sight.image_config(base)
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


def _workdir(service: ComposeService, sight: Sight) -> str:
    config = sight.image_config(service.image)
    return config.workdir if config is not None else ""


def reader(project_dir: str, mapping: ServiceMap, workdir: str) -> Read:
    """Reads a small file of the tree by where it is in the container.

    A relative name counts from ``workdir``; where that is not known, from where the name fits best.
    """
    sources = {pair.target: pair.source for pair in mapping.pairs}

    def read(path: str) -> str | None:
        if path.startswith("/") or workdir.startswith("/"):
            source = sources.get(posixpath.normpath(posixpath.join(workdir or "/", path)))
        else:
            ending = "/" + posixpath.normpath(path).lstrip("/")
            fitting = [target for target in sources if target.endswith(ending)]
            best = min(fitting, key=lambda target: (target.count("/"), target), default=None)
            source = sources.get(best) if best is not None else None
        return _text(project_dir, source) if source is not None else None

    return read


def _text(project_dir: str, source: str) -> str | None:
    try:
        with os.fdopen(open_beneath(project_dir, source), "rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
