"""What is known of a project without asking an engine: the state database, read or opened.

An ``Invocation`` comes in; a ``Store`` and the saved status of the project meant go out.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from freshd.config.invocation import Invocation
from freshd.config.locate import find_directory
from freshd.config.locations import locate, prepare
from freshd.model.errors import ConfigError
from freshd.store import open_readonly, open_store
from freshd.store.instance_lock import lock_holder

if TYPE_CHECKING:
    from freshd.model.daemon_state import DaemonState, ProjectsState, ProjectState
    from freshd.store import Store
    from freshd.store.status import ProjectStatus


@contextmanager
def open_readable(environ: Mapping[str, str]) -> "Iterator[Store | None]":
    """The database for reading; None while there is none."""
    store = open_readonly(locate(environ).database)
    try:
        yield store
    finally:
        if store is not None:
            _say_unreadable(store)
            store.close()


@contextmanager
def open_writable(environ: Mapping[str, str], *, now: float) -> "Iterator[Store]":
    """The database for writing, made if need be."""
    locations = locate(environ)
    prepare(locations)
    store = open_store(locations.database, now=now)
    try:
        yield store
    finally:
        _say_unreadable(store)
        store.close()


def _say_unreadable(store: "Store") -> None:
    for table, why in store.unreadable.items():
        sys.stderr.write(f"note: a row of {table} cannot be read and is left out: {why}\n")


def load_status(invocation: Invocation, store: "Store") -> "ProjectStatus | None":
    """The saved status of the project that is meant; None when nothing was saved of it.

    Raises ``ConfigError`` when its directory was seen under several names.
    """
    name = invocation.project_name or invocation.environ.get("COMPOSE_PROJECT_NAME")
    if name:
        return store.status.load(name)
    directory = resolve_directory(invocation)
    saved = store.status.projects()
    names = [project for project, place in saved if os.path.realpath(place) == directory]
    if len(names) > 1:
        raise ConfigError(
            f"{directory} was seen as several projects",
            problems=tuple(names),
            hint="name one with --project-name",
        )
    return store.status.load(names[0]) if names else None


def resolve_directory(invocation: Invocation) -> str:
    """The directory of the project that is meant, without links; else the current directory."""
    return os.path.realpath(find_directory(invocation) or invocation.cwd)


def load_projects_state(store: "Store") -> "ProjectsState | None":
    """What ``freshd run --all`` says, while it lives."""
    from freshd.model.daemon_state import ProjectsState

    state = ProjectsState.from_json(store.projects_document.load())
    return state if is_alive(state) else None


def project_in(directory: str, together: "ProjectsState") -> "ProjectState | None":
    """What ``freshd run --all`` says of the project in ``directory``, links followed."""
    real = os.path.realpath(directory)
    return next((p for p in together.projects if os.path.realpath(p.directory) == real), None)


def is_alive(daemon: "DaemonState | ProjectsState | None") -> bool:
    """Whether the daemon that wrote this still runs: its process exists and it holds its lock."""
    if daemon is None:
        return False
    try:
        os.kill(daemon.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # a process of somebody else took the number
    # the number alone may belong to a newcomer
    return not daemon.lock or lock_holder(daemon.lock) is not None
