"""The Compose files that a container was made from, where they are not the project's.

In: a project and one replica. Out: ``OtherFiles``, with the service as these files have it. Other
files that make the same container are no difference: Compose leaves a container that a new file
says nothing of as it is, and the names on it too.
"""

import os
from collections.abc import Iterable
from dataclasses import replace

from freshd.config.compose.desired import read_wanted
from freshd.config.compose.model import parse
from freshd.config.project import Project
from freshd.engine.cli.compose import Compose, ComposeFiles
from freshd.engine.client import Engine
from freshd.model.errors import ConfigError
from freshd.model.observed.container import Replica
from freshd.model.observed.creation import OtherFiles


def find_other_files(
    engine: Engine, compose: Compose, project: Project, service: str, replica: Replica
) -> OtherFiles | None:
    """None where the project's files make the same container, or nobody knows what made it."""
    files = project.compose_files
    if files is None or not replica.config_files:
        return None
    own = _of(engine, replica, files)
    if _same(own, files):
        return None
    ours, theirs = set(_real(files.files)), set(_real(own.files))
    found = OtherFiles(
        files=own.files,
        env_files=own.env_files,
        directory=own.directory,
        gone=tuple(f for f in (*own.files, *own.env_files) if not os.path.isfile(f)),
        left_out=tuple(f for f in files.files if os.path.realpath(f) not in theirs),
        extra=tuple(f for f in own.files if os.path.realpath(f) not in ours),
        project_dir=project.dir,
        since=_latest_change(f for f in files.files if os.path.realpath(f) not in theirs),
    )
    if found.gone:
        proved = replica.config_hash and replica.config_hash == compose.config_hash(files, service)
        return None if proved else found
    return _resolved(compose, project, service, own, found)


def compose_files(found: OtherFiles, files: ComposeFiles) -> ComposeFiles:
    """How to call Compose with the container's own files; ``files`` are the project's."""
    return replace(files, directory=found.directory, files=found.files, env_files=found.env_files)


def _of(engine: Engine, replica: Replica, files: ComposeFiles) -> ComposeFiles:
    return replace(
        files,
        directory=replica.working_dir or files.directory,
        files=replica.config_files,
        env_files=engine.creation(replica.id).env_files,
    )


def _resolved(
    compose: Compose, project: Project, service: str, own: ComposeFiles, found: OtherFiles
) -> OtherFiles | None:
    try:
        config = compose.config(replace(own, profiles=("*",)))
    except ConfigError as error:
        return replace(found, problem=error.message)
    wanted, model = read_wanted(config).get(service), parse(config).services.get(service)
    if wanted is None or model is None:
        return replace(found, problem=f"they have no service {service}")
    here = project.model.wanted.get(service)
    same_image = project.service(service).build == model.build
    if same_image and here is not None and replace(wanted, image=here.image) == here:
        return None
    return replace(found, wanted=wanted)


def _same(some: ComposeFiles, others: ComposeFiles) -> bool:
    """The order of files decides which one has the last word."""
    return (
        _real(some.files) == _real(others.files)
        and set(_real(some.env_files)) == set(_real(others.env_files))
        and os.path.realpath(some.directory) == os.path.realpath(others.directory)
    )


def _real(paths: Iterable[str]) -> list[str]:
    return [os.path.realpath(path) for path in paths]


def _latest_change(paths: Iterable[str]) -> float:
    """When the last of the files was written; 0.0 for none."""
    changes = [0.0]
    for path in paths:
        try:
            changes.append(os.stat(path).st_ctime)
        except OSError:
            continue
    return max(changes)
