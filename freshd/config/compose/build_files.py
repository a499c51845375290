"""The files that say how a service is built: its Dockerfile and its ignore file.

In: a ``build:`` of the Compose model. Out: their text and the paths whose change would change it.
"""

import errno
import os
from dataclasses import dataclass
from typing import Final

from freshd.config.compose.model import ComposeBuild
from freshd.model.errors import ConfigError
from freshd.tree.dockerignore import DockerIgnore, ignore_file_names
from freshd.tree.walk import open_beneath

_MAX_BYTES: Final = 16 << 20
_MAX_LINKS: Final = 40


@dataclass(frozen=True, slots=True)
class BuildFiles:
    """``dockerfile`` and ``ignore_file`` are absolute, "" where there is none (inline, not used).

    ``followed`` are the files that these lead to where they are links; ``looked_at`` are all paths
    whose creation, removal or change would give another result.
    """

    text: str
    name: str
    dockerfile: str
    ignore: DockerIgnore
    ignore_file: str
    looked_at: tuple[str, ...]
    followed: tuple[str, ...] = ()


def read_build_files(build: ComposeBuild, *, service: str, project_dir: str) -> BuildFiles:
    """Read them; ConfigError names the service and the file that is missing or not readable."""
    dockerfile = ""
    if build.dockerfile_inline is None:
        dockerfile = os.path.normpath(os.path.join(build.context, build.dockerfile))
        name = os.path.relpath(dockerfile, project_dir)
        text = _read(dockerfile)
        if text is None:
            raise ConfigError(
                f"service {service}: there is no Dockerfile {name}",
                hint=f"create it, or correct build.dockerfile of {service} in the Compose file",
            )
    else:
        name, text = f"dockerfile_inline of {service}", build.dockerfile_inline
    own, shared = ignore_file_names(dockerfile)
    candidates = [os.path.join(build.context, shared)]
    if dockerfile:
        candidates.insert(0, own)
    ignore_file, ignore = _read_first_ignore(candidates, project_dir)
    named = [path for path in (dockerfile, *candidates) if path]
    looked_at = dict.fromkeys([*named, *map(_follow, named)])
    used = [path for path in (dockerfile, ignore_file) if path]
    followed = tuple(real for path in used if (real := _follow(path)) != path)
    return BuildFiles(text, name, dockerfile, ignore, ignore_file, tuple(looked_at), followed)


def _read_first_ignore(candidates: list[str], project_dir: str) -> tuple[str, DockerIgnore]:
    for path in candidates:
        ignore = read_ignore(path, project_dir=project_dir)
        if ignore is not None:
            return path, ignore
    return "", DockerIgnore()


def read_ignore(path: str, *, project_dir: str) -> DockerIgnore | None:
    """One ignore file, None where there is none; ConfigError names the line that is malformed."""
    text = _read(path)
    if text is None:
        return None
    return DockerIgnore.from_text(text, name=os.path.relpath(path, project_dir))


def _follow(path: str) -> str:
    """Where a link leads as the builder follows it: not out of the directory it is in."""
    root = os.path.dirname(path)
    for _ in range(_MAX_LINKS):
        try:
            text = os.readlink(path)
        except OSError:
            return path
        above = "" if text.startswith("/") else os.path.relpath(os.path.dirname(path), root)
        path = root + os.path.normpath(f"/{above}/{text}")
    return path


def _read(path: str) -> str | None:
    """The text of a regular file; None when it does not exist, or a link leads out."""
    parent, name = os.path.split(path)
    name = os.path.relpath(_follow(path), parent)
    try:
        fd = open_beneath(parent, name)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        why = "it is not a regular file" if error.errno == errno.EINVAL else error.strerror
        raise ConfigError(f"cannot read {path}: {why}") from error
    with os.fdopen(fd, "rb") as file:
        return os.fsdecode(file.read(_MAX_BYTES))
