"""Which project: an ``Invocation`` in, a ``Located`` out; nothing of the project is read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from freshd.config.compose import names
from freshd.config.compose.files import default_files, setting, split_files
from freshd.config.invocation import Invocation
from freshd.model.errors import ConfigError
from freshd.model.paths import is_below
from freshd.model.policy import POLICY_FILE

_SEPARATOR: Final = "COMPOSE_PATH_SEPARATOR"


@dataclass(frozen=True, slots=True)
class Located:
    """Where a project is and which options were given for it, before any file of it is read.

    ``directory`` is what tree paths are relative to. ``files`` (absolute) are empty where Compose's
    own choice in ``directory``, or the policy's, holds. ``project_name`` None: nobody gave one.
    ``underscores``: Compose is configured to join names as its first version did.
    """

    directory: str
    files: tuple[str, ...] = ()
    project_name: str | None = None
    profiles: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    underscores: bool = False

    @property
    def policy_path(self) -> str:
        """Where the policy is, or would be."""
        return os.path.join(self.directory, POLICY_FILE)


def locate_project(invocation: Invocation) -> Located:
    """Find the project: the directory typed, or upwards from ``cwd`` to a policy or Compose file.

    Command line before environment before policy. Raises ConfigError when a named directory or
    file does not exist, or nothing is found.
    """
    environ = invocation.environ
    start = os.path.abspath(invocation.cwd)
    directory = _existing_directory(invocation)
    files = _named_files(invocation)
    if not files and not default_files(directory):
        files = split_files(
            setting(directory, "COMPOSE_FILE") or "",
            directory=directory,
            separator=environ.get(_SEPARATOR) or setting(directory, _SEPARATOR),
        )
    for file in files:
        if not os.path.isfile(file):
            raise ConfigError(f"there is no Compose file {file}")
    return Located(
        directory=directory,
        files=files,
        project_name=invocation.project_name or environ.get("COMPOSE_PROJECT_NAME") or None,
        profiles=invocation.profiles or _split(environ.get("COMPOSE_PROFILES")),
        env_files=tuple(
            os.path.normpath(os.path.join(start, file))
            for file in _split(environ.get("COMPOSE_ENV_FILES"))
        ),
        underscores=names.is_true(environ.get(names.SETTING) or setting(directory, names.SETTING)),
    )


def find_directory(invocation: Invocation) -> str | None:
    """The project's directory, absolute; None where no policy and no Compose file is found.

    A directory that was typed is not checked: it may not exist.
    """
    start = os.path.abspath(invocation.cwd)
    if invocation.project_dir is not None:
        return os.path.normpath(os.path.join(start, invocation.project_dir))
    files = _named_files(invocation)
    if files:
        # a policy above the file speaks for it; else its own directory is the project
        beside = os.path.dirname(files[0])
        above = next((parent for parent in _upwards(start) if _has_policy(parent)), None)
        return above if above is not None and is_below(beside, above) else beside
    parents = (*_upwards(start), *_upwards(os.path.realpath(start)))  # as the shell names it first
    return next((parent for parent in parents if is_project(parent)), None)


def is_project(directory: str) -> bool:
    """Whether there is a policy or a Compose file in it, or its ``.env`` names one."""
    return (
        _has_policy(directory)
        or bool(default_files(directory))
        or setting(directory, "COMPOSE_FILE") is not None
    )


def _existing_directory(invocation: Invocation) -> str:
    directory = find_directory(invocation)
    if directory is None:
        start = os.path.abspath(invocation.cwd)
        raise ConfigError(
            f"no {POLICY_FILE} and no Compose file in {start} or above it",
            hint="go into a project, or name one with --project or --file; "
            "`freshd run --all` watches those of config.toml",
        )
    if invocation.project_dir is not None and not os.path.isdir(directory):
        raise ConfigError(f"there is no directory {directory}")
    return directory


def _named_files(invocation: Invocation) -> tuple[str, ...]:
    """Compose files of the command line, else of the environment; absolute."""
    start = os.path.abspath(invocation.cwd)
    if invocation.files:
        return tuple(os.path.normpath(os.path.join(start, file)) for file in invocation.files)
    return split_files(
        invocation.environ.get("COMPOSE_FILE", ""),
        directory=start,
        separator=invocation.environ.get(_SEPARATOR),
    )


def _upwards(start: str) -> Iterable[str]:
    directory = start
    while True:
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent


def _has_policy(directory: str) -> bool:
    return os.path.isfile(os.path.join(directory, POLICY_FILE))


def _split(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())
