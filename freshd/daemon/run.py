"""``freshd run``: builds what the daemons of this process share, and runs the main loop.

What was typed and the environment come in, an exit status goes out.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

from freshd.config.invocation import Invocation, without_project
from freshd.config.load import UserConfig, load_user_config
from freshd.config.locate import locate_project
from freshd.config.locations import Locations, locate, prepare
from freshd.daemon.config_file import settings
from freshd.daemon.log import get_log, set_up
from freshd.daemon.main_loop import MainLoop
from freshd.daemon.project import Shared, open_daemon
from freshd.daemon.projects import Projects
from freshd.daemon.sd_notify import VARIABLES, SdNotify
from freshd.engine.cli.compose import sweep_label_files
from freshd.engine.transport.endpoint import resolve
from freshd.model.errors import DiskFull
from freshd.notify import Notifier
from freshd.store.instance_lock import InstanceLock
from freshd.store.store import open_store

_Done = TypeVar("_Done")
_ROOM_EVERY: Final = 1.0
"""Seconds between two looks whether the disk has room."""


def watch_project(invocation: Invocation) -> int:
    """Watch one project until a signal comes; the exit status. Typing this is consent.

    Raises ConfigError, StateError, AlreadyRunning. An engine that is away is waited for.
    """
    environ = invocation.environ
    locations = locate(environ)
    user = load_user_config(locations.user_config)
    located = locate_project(invocation)
    _once_there_is_room(lambda: prepare(locations))
    with (
        InstanceLock(locations.locks, located.directory) as single,
        _shared(locations, user, _for_children(environ)) as shared,
    ):
        daemon = open_daemon(located, shared, lock=single.path, asked=True)
        MainLoop(daemon, SdNotify(environ)).run()
    return 0


def watch_projects(*, environ: Mapping[str, str]) -> int:
    """Watch every project of ``config.toml`` until a signal comes. Typing this is no consent.

    Raises ConfigError, StateError, AlreadyRunning.
    """
    locations = locate(environ)
    config = locations.user_config
    _once_there_is_room(lambda: prepare(locations))
    with (
        InstanceLock(locations.locks, config, what=f"the projects of {config}") as single,
        _shared(locations, settings(config), without_project(_for_children(environ))) as shared,
    ):
        MainLoop(Projects(shared, config=config, lock=single.path), SdNotify(environ)).run()
    return 0


@contextmanager
def _shared(locations: Locations, user: UserConfig, environ: Mapping[str, str]) -> Iterator[Shared]:
    """Log, store and notices, from the user's settings; the engine is resolved once."""
    endpoint = resolve(environ, configured=user.engine.host)
    set_up(sys.stderr, level=user.log.level, form=user.log.format)
    store = _once_there_is_room(lambda: open_store(locations.database, now=time.time()))
    notifier = Notifier(enabled=user.notifications.enabled, quiet=user.notifications.quiet_hours)
    try:
        if store.recovered:
            get_log().warning("state", problem=store.recovered)
        sweep_label_files()
        notifier.start()
        yield Shared(endpoint, environ, store, locations, notifier)
    finally:
        notifier.stop()
        store.close()


def _once_there_is_room(do: Callable[[], _Done]) -> _Done:
    """A full disk is waited for; whoever started this can end it meanwhile."""
    told = False
    while True:
        try:
            return do()
        except DiskFull as error:
            if not told:
                print(f"waits for room on the disk: {error.message}", file=sys.stderr)  # noqa: T201
            told = True
        time.sleep(_ROOM_EVERY)


def _for_children(environ: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in environ.items() if key not in VARIABLES}
