"""Asks every part of the world once. In: what was typed. Out: diagnoses, in reading order."""

import time
from collections.abc import Iterator

from freshd.commands.doctor import engine, machine, own, project
from freshd.config.invocation import Invocation
from freshd.config.locate import Located, locate_project
from freshd.config.locations import locate
from freshd.model.errors import ConfigError
from freshd.model.verbs.diagnosis import Diagnosis, problem


def diagnose_all(invocation: Invocation) -> Iterator[Diagnosis]:
    """Works outside a project too; nothing is changed or made."""
    environ = invocation.environ
    located: Located | None = None
    named = bool(invocation.project_dir or invocation.files)
    try:
        located = locate_project(invocation)
    except ConfigError as error:
        if named:  # what was named must be there
            yield problem("project", error.message, error.hint or "name another one")
    locations = locate(environ)
    configured = own.check_user_config(locations.user_config)[0].engine.host
    yield from machine.diagnose(None if located is None else located.directory)
    yield from engine.diagnose(environ, configured, now=time.time)
    yield from own.diagnose(locations, environ)
    if located is not None or not named:
        yield from project.diagnose(located, environ, configured, locks=locations.locks)
