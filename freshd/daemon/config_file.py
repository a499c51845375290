"""``config.toml`` as a running process follows it: its projects, and what of their files changed.

A path comes in; settings and configured projects go out, the last good ones while it is invalid.
"""

import os
from typing import Final, TypeAlias

from freshd.config.compose.files import candidates
from freshd.config.load import ConfiguredProject, UserConfig, load_user_config
from freshd.daemon.log import Log
from freshd.model.errors import ConfigError
from freshd.model.policy import POLICY_FILE

Stamp: TypeAlias = tuple[int, int, int] | None
"""Modification time in nanoseconds, size and inode of a file; None where there is none."""

_NEVER_READ: Final = (0, 0, -1)


class ConfigFile:
    """``problem`` is what is wrong with the file now, "" while it is valid."""

    def __init__(self, path: str, log: Log) -> None:
        self.path = path
        self.problem = ""
        self.projects: tuple[ConfiguredProject, ...] = ()
        self._log = log
        self._stamp: Stamp = _NEVER_READ

    def refresh(self) -> None:
        """Read it where it changed. What is wrong is logged once, and kept in ``problem``."""
        stamp = stamp_of(self.path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            user = load_user_config(self.path)
        except ConfigError as error:
            self.problem = "; ".join((error.message, *error.problems))
            self._log.warning("config.toml is invalid", why=self.problem)
            return
        self.problem = ""
        self.projects = user.projects
        if not user.projects:
            self._log.info(
                "nothing to watch",
                config=self.path,
                hint="freshd service install --project DIR adds one",
            )


def settings(path: str) -> UserConfig:
    """Of ``config.toml``; the defaults while it is invalid, which ``ConfigFile`` reports."""
    try:
        return load_user_config(path)
    except ConfigError:
        return UserConfig()


def stamps_of(project: ConfiguredProject) -> tuple[Stamp, ...]:
    """What has to change before a project that could not be read is read again at once."""
    directory = project.dir
    named = [os.path.join(directory, file) for file in project.files]
    policy = os.path.join(directory, POLICY_FILE)
    return tuple(stamp_of(path) for path in (directory, policy, *candidates(directory), *named))


def stamp_of(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
