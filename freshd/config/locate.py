"""Which project: a directory and what was typed in, a ``Located`` out; nothing of it is read."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from freshd.config.compose import names
from freshd.config.compose.files import default_files, setting, split_files
from freshd.model.errors import ConfigError
from freshd.tree.ignore import POLICY_FILE

POLICY_NAME: Final = POLICY_FILE


def of_no_project(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` without what it says of a single project: for whoever means several."""
    return {name: value for name, value in environ.items() if not name.startswith("COMPOSE_")}


@dataclass(frozen=True, slots=True)
class Located:
    """Where a project is and what was said of it, before anything of it is read.

    ``directory`` is what tree paths are relative to. ``files`` (absolute) are empty where Compose's
    own choice in ``directory``, or the policy's, holds. ``project_name`` None: nobody gave one.
    ``underscores``: Compose is told to join names as its first version did.
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
        return os.path.join(self.directory, POLICY_NAME)


def locate(
    start: str,
    *,
    project_dir: str | None = None,
    files: Sequence[str] = (),
    project_name: str | None = None,
    profiles: Sequence[str] = (),
    environ: Mapping[str, str],
) -> Located:
    """Find the project: ``project_dir``, or upwards from ``start`` to a policy or Compose file.

    Command line before environment before policy. Relative paths count from ``start``. Raises
    ConfigError when a named directory or file does not exist, or nothing is found.
    """
    start = os.path.abspath(start)
    separator = environ.get("COMPOSE_PATH_SEPARATOR")
    given = tuple(os.path.normpath(os.path.join(start, file)) for file in files)
    if not given and environ.get("COMPOSE_FILE"):
        given = split_files(environ["COMPOSE_FILE"], directory=start, separator=separator)
    directory = _directory(start, project_dir, given)
    if not given and not default_files(directory):
        named = setting(directory, "COMPOSE_FILE") or ""
        separator = separator or setting(directory, "COMPOSE_PATH_SEPARATOR")
        given = split_files(named, directory=directory, separator=separator)
    for file in given:
        if not os.path.isfile(file):
            raise ConfigError(f"there is no Compose file {file}")
    return Located(
        directory=directory,
        files=given,
        project_name=project_name or environ.get("COMPOSE_PROJECT_NAME") or None,
        profiles=tuple(profiles) or _listed(environ.get("COMPOSE_PROFILES")),
        env_files=tuple(
            os.path.normpath(os.path.join(start, file))
            for file in _listed(environ.get("COMPOSE_ENV_FILES"))
        ),
        underscores=names.is_true(environ.get(names.SETTING) or setting(directory, names.SETTING)),
    )


def _directory(start: str, project_dir: str | None, files: Sequence[str]) -> str:
    if project_dir is not None:
        directory = os.path.normpath(os.path.join(start, project_dir))
        if not os.path.isdir(directory):
            raise ConfigError(f"there is no directory {directory}")
        return directory
    if files:
        # a policy above the file speaks for it; else its own directory is the project
        beside = os.path.dirname(files[0])
        above = next((one for one in _upwards(start) if _has_policy(one)), None)
        return above if above is not None and _within(beside, above) else beside
    found = next((one for one in _upwards(start) if _is_project(one)), None)
    if found is None:
        raise ConfigError(
            f"no {POLICY_NAME} and no Compose file in {start} or above it",
            hint="go into a project, or name one with --project or --file; "
            "`freshd run --all` watches those of config.toml",
        )
    return found


def _upwards(start: str) -> Iterable[str]:
    directory = start
    while True:
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent


def _has_policy(directory: str) -> bool:
    return os.path.isfile(os.path.join(directory, POLICY_NAME))


def _is_project(directory: str) -> bool:
    return (
        _has_policy(directory)
        or bool(default_files(directory))
        or setting(directory, "COMPOSE_FILE") is not None
    )


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _listed(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())
