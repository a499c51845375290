"""Where freshd keeps its configuration and its state: an environment in, directories out.

``FRESHD_CONFIG_DIR`` and ``FRESHD_STATE_DIR`` override the platform's directories. The state
directory is private (0700).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from freshd.model.errors import StateError


@dataclass(frozen=True, slots=True)
class Locations:
    """Absolute directories; ``state`` exists and is private after ``prepare``."""

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
    """Create the state directories, private to the user.

    Raises ``StateError`` when a directory cannot be made or belongs to someone else.
    """
    for path in (locations.state, locations.locks, locations.reports):
        try:
            os.makedirs(path, mode=0o700, exist_ok=True)
            status = os.stat(path)
        except OSError as error:
            raise StateError(
                f"cannot use the state directory {path}: {error.strerror}",
                hint="set FRESHD_STATE_DIR to a directory you may write to",
            ) from error
        if status.st_uid != os.geteuid():
            raise StateError(
                f"the state directory {path} belongs to another user",
                hint="set FRESHD_STATE_DIR to a directory of your own",
            )
        if status.st_mode & 0o077:
            os.chmod(path, 0o700)
