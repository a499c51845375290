"""What is freshd's own: the state directory, the database, the user's configuration, notices."""

import os
import stat
import sys
from collections.abc import Iterator, Mapping

from freshd.commands.doctor.machine import check_disk, find_free_space, nearest_directory
from freshd.config.load import UserConfig, load_user_config
from freshd.config.locations import Locations
from freshd.model.errors import ConfigError, StateError
from freshd.model.verbs.diagnosis import Diagnosis, ok, problem, warning
from freshd.notify.desktop import session_bus
from freshd.store.sqlite.opening import damage, readable

_MB = 1 << 20


def diagnose(locations: Locations, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    user, diagnosis = check_user_config(locations.user_config)
    yield diagnosis
    yield check_state_directory(locations.state)
    free = find_free_space(locations.state)
    if free is not None:
        yield check_disk("state disk", locations.state, free, wanted=200 * _MB, needed=20 * _MB)
    yield check_database(locations.database)
    yield check_notices(user, session_bus(environ), platform=sys.platform)


def check_user_config(path: str) -> tuple[UserConfig, Diagnosis]:
    """The user's configuration, or the defaults where it is broken."""
    try:
        user = load_user_config(path)
    except ConfigError as error:
        return UserConfig(), report_broken("config", error)
    there = os.path.lexists(path)
    return user, ok("config", path if there else f"none; {path} would be read")


def report_broken(name: str, error: ConfigError) -> Diagnosis:
    """A file that does not load, with the first of its mistakes."""
    first, more = error.problems[:1], len(error.problems) - 1
    words = f"{error.message}: {first[0]}" if first else error.message
    words += f" (and {more} more)" if more > 0 else ""
    return problem(name, words, error.hint or "mend the file; docs/policy.md has every key")


def check_state_directory(path: str) -> Diagnosis:
    """Nothing is made for the sake of looking."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return _to_be_made(path)
    except OSError as error:
        return _unusable(path, error.strerror or str(error))
    if not stat.S_ISDIR(status.st_mode):
        return _unusable(path, "it is not a directory")
    if status.st_uid != os.geteuid():
        return _unusable(path, "it belongs to another user")
    if not os.access(path, os.W_OK | os.X_OK):
        return _unusable(path, "it cannot be written")
    if status.st_mode & 0o077:
        return warning(
            "state", f"{path} can be read by others", "the next verb makes it private: freshd check"
        )
    return ok("state", f"{path}, private")


def _to_be_made(path: str) -> Diagnosis:
    above = nearest_directory(os.path.dirname(path))
    if os.access(above, os.W_OK | os.X_OK):
        return ok("state", f"{path} will be made")
    return _unusable(path, f"it cannot be made in {above}")


def _unusable(path: str, why: str) -> Diagnosis:
    return problem("state", f"{path}: {why}", "set FRESHD_STATE_DIR to a directory of your own")


def check_database(path: str) -> Diagnosis:
    if not os.path.exists(path):
        return ok("database", "none yet")
    try:
        current = readable(path)
    except StateError as error:
        return problem("database", error.message, error.hint or f"move {path} away")
    why = damage(path) if current else ""
    if why:
        return warning(
            "database", f"{path} {why}", "the next `freshd run` sets it aside and begins anew"
        )
    return ok("database", "healthy" if current else "of an older freshd; it is brought up to date")


def check_notices(user: UserConfig, bus: str | None, *, platform: str) -> Diagnosis:
    if not user.notifications.enabled:
        return ok("notices", "turned off in config.toml")
    if platform == "darwin" or bus is not None:
        return ok("notices", "the notification centre" if bus is None else f"on the bus {bus}")
    return warning(
        "notices",
        "no session bus: nothing can be shown on the desktop; `freshd status` has it all",
        "start freshd inside the desktop session, or turn notices off in config.toml",
    )
