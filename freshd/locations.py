"""Where freshd keeps what is its own: config, state and runtime directories.

``FRESHD_CONFIG_DIR``, ``FRESHD_STATE_DIR`` and ``FRESHD_RUNTIME_DIR`` override the platform's.
State and runtime directories are made private (0700).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from freshd.errors import StateError


@dataclass(frozen=True, slots=True)
class Locations:
    """Absolute directories; ``state`` and ``runtime`` exist and are private after ``prepare``."""

    config: str
    state: str
    runtime: str

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
    """Resolve the three directories from the environment; nothing is created."""
    import warnings

    from platformdirs import PlatformDirs

    dirs = PlatformDirs("freshd", appauthor=False)
    with warnings.catch_warnings():
        # without XDG_RUNTIME_DIR platformdirs warns of its own fallback, which is good enough here
        warnings.simplefilter("ignore")
        runtime = environ.get("FRESHD_RUNTIME_DIR") or dirs.user_runtime_dir
    return Locations(
        config=environ.get("FRESHD_CONFIG_DIR") or dirs.user_config_dir,
        state=environ.get("FRESHD_STATE_DIR") or dirs.user_state_dir,
        runtime=runtime,
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
