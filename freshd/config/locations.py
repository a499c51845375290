"""Where freshd keeps its configuration and its state: an environment in, directories out.

``FRESHD_CONFIG_DIR`` and ``FRESHD_STATE_DIR`` override the platform's directories. The state
directory is private (0700) where freshd made it; what it writes there is private in any case.
"""

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass

from freshd.model.errors import DiskFull, StateError


@dataclass(frozen=True, slots=True)
class Locations:
    """Absolute directories; ``state`` exists after ``prepare``, private where that made it."""

    config: str
    state: str

    @property
    def database(self) -> str:
        return os.path.join(self.state, "freshd.sqlite3")

    @property
    def user_config(self) -> str:
        return os.path.join(self.config, "config.toml")

    @property
    def locks(self) -> str:
        return os.path.join(self.state, "locks")

    @property
    def reports(self) -> str:
        return os.path.join(self.state, "reports")


def locate(environ: Mapping[str, str]) -> Locations:
    """Resolve the directories from the environment; nothing is created."""
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("freshd", appauthor=False)
    return Locations(
        config=environ.get("FRESHD_CONFIG_DIR") or dirs.user_config_dir,
        state=environ.get("FRESHD_STATE_DIR") or dirs.user_state_dir,
    )


def prepare(locations: Locations) -> None:
    """Create the state directories, private to the user. One that was there stays as it is.

    Raises ``StateError`` when a directory cannot be made or belongs to someone else, ``DiskFull``.
    """
    for path in (locations.state, locations.locks, locations.reports):
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            _make_private(path)
            status = os.stat(path)
        except OSError as error:
            kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else StateError
            raise kind(
                f"cannot use the state directory {path}: {error.strerror}",
                hint="set FRESHD_STATE_DIR to a directory you may write to",
            ) from error
        if status.st_uid != os.geteuid():
            raise StateError(
                f"the state directory {path} belongs to another user",
                hint="set FRESHD_STATE_DIR to a directory of your own",
            )


def _make_private(path: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
