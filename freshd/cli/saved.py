"""What is known of a project without asking an engine: the state database, read or opened.

``App`` comes in; a ``Store`` and the saved status of the project that is meant go out.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from freshd.cli.app import App
from freshd.config.compose.files import default_files, setting, split_files
from freshd.config.locations import locate, prepare
from freshd.model.errors import ConfigError
from freshd.store import open_readonly, open_store

if TYPE_CHECKING:
    from freshd.render.daemon.projects import SeveralState
    from freshd.render.daemon.status import DaemonState
    from freshd.store import Store
    from freshd.store.status import ProjectStatus

_POLICY = "freshd.toml"


@contextmanager
def readable(app: App) -> "Iterator[Store | None]":
    """The database for reading; None while there is none."""
    store = open_readonly(locate(app.environ).database)
    try:
        yield store
    finally:
        if store is not None:
            store.close()


@contextmanager
def writable(app: App) -> "Iterator[Store]":
    """The database for writing, made if need be."""
    locations = locate(app.environ)
    prepare(locations)
    store = open_store(locations.database, now=app.now())
    try:
        yield store
    finally:
        store.close()


def project_of(app: App, store: "Store") -> "ProjectStatus | None":
    """The saved status of the project that is meant; None when nothing was saved of it.

    Raises ``ConfigError`` when its directory was seen under several names.
    """
    name = app.wanted.name or app.environ.get("COMPOSE_PROJECT_NAME")
    if name:
        return store.status.load(name)
    directory = directory_of(app)
    names = [
        project for project, seen in store.status.projects() if os.path.realpath(seen) == directory
    ]
    if len(names) > 1:
        raise ConfigError(
            f"{directory} was seen as several projects",
            problems=tuple(names),
            hint="name one with --project-name",
        )
    return store.status.load(names[0]) if names else None


def directory_of(app: App) -> str:
    """The directory of the project that is meant, without links.

    As ``freshd.config.locate.locate`` finds it (a test holds the two equal), without what makes
    that one slow to import. Where nothing is found, the current directory.
    """
    here = os.path.abspath(app.cwd())
    if app.wanted.directory:
        return os.path.realpath(os.path.join(here, app.wanted.directory))
    above = tuple(_upwards(here))
    files = app.wanted.files or split_files(
        app.environ.get("COMPOSE_FILE", ""),
        directory=here,
        separator=app.environ.get("COMPOSE_PATH_SEPARATOR"),
    )
    if files:
        beside = os.path.dirname(os.path.normpath(os.path.join(here, files[0])))
        spoken = next((each for each in above if _has_policy(each)), None)
        covers = spoken is not None and os.path.commonpath((beside, spoken)) == spoken
        return os.path.realpath(spoken if spoken is not None and covers else beside)
    return os.path.realpath(next((each for each in above if is_project(each)), here))


def _upwards(directory: str) -> Iterator[str]:
    yield directory
    while (parent := os.path.dirname(directory)) != directory:
        yield parent
        directory = parent


def _has_policy(directory: str) -> bool:
    return os.path.isfile(os.path.join(directory, _POLICY))


def is_project(directory: str) -> bool:
    """Whether there is a policy or a Compose file in it."""
    compose = default_files(directory) or setting(directory, "COMPOSE_FILE")
    return _has_policy(directory) or bool(compose)


def several(store: "Store") -> "SeveralState | None":
    """What ``freshd run --all`` says, while it lives."""
    from freshd.render.daemon.projects import SeveralState

    found = SeveralState.from_json(store.several.load())
    return found if alive(found) else None


def alive(daemon: "DaemonState | SeveralState | None") -> bool:
    """Whether the daemon that wrote this still runs: its process exists and it holds its lock."""
    if daemon is None:
        return False
    try:
        os.kill(daemon.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # a process of somebody else took the number
    return _held(daemon.lock) if daemon.lock else True


def _held(path: str) -> bool:
    """Whether another process holds the lock file; the number alone may belong to a newcomer."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
