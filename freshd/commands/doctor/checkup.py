"""Asks every part of the world once. In: what was typed. Out: diagnoses, in reading order."""

import time
from collections.abc import Iterator, Mapping, Sequence

from freshd.commands.doctor import engine, machine, own, project
from freshd.config.locate import Located
from freshd.config.locate import locate as locate_project
from freshd.config.locations import locate
from freshd.model.errors import ConfigError
from freshd.model.verbs.diagnosis import Diagnosis, problem


def checkup(
    *,
    cwd: str,
    environ: Mapping[str, str],
    project_dir: str | None,
    files: Sequence[str],
    project_name: str | None,
    profiles: Sequence[str],
) -> Iterator[Diagnosis]:
    """Works outside a project too; nothing is changed or made."""
    located: Located | None = None
    try:
        located = locate_project(
            cwd,
            project_dir=project_dir,
            files=files,
            project_name=project_name,
            profiles=profiles,
            environ=environ,
        )
    except ConfigError as error:
        if project_dir is not None or files:  # what was named must be there
            yield problem("project", error.message, error.hint or "name another one")
    locations = locate(environ)
    configured = own.user_config(locations.user_config)[0].engine.host
    yield from machine.look(None if located is None else located.directory)
    yield from engine.look(environ, configured, now=time.time)
    yield from own.look(locations, environ)
    if located is not None or not (project_dir or files):
        yield from project.look(located, environ, configured, locks=locations.locks)
