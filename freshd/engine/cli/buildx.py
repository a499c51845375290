"""What buildx notes of the builds it begins on this machine: its directory in, ``Begun`` out.

It keeps a file for each build, below the name of the builder that the build was given to. Whether
the build ended well is not in it.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from freshd.engine.transport.endpoint import DEFAULT_HOST, config_directory, of_context
from freshd.model.errors import ConfigError

DEFAULT: Final = "default"
DOCKER: Final = "docker"


@dataclass(frozen=True, slots=True)
class Builder:
    """``driver`` is "docker" where an engine builds, and keeps what it built; ``host`` is its URL.

    Other drivers keep what they build to themselves unless they are told to hand it on.
    """

    name: str
    driver: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """One build: when it began (seconds), and what of (as it was called, "" for the default)."""

    at: float
    context: str
    dockerfile: str
    target: str


def builders(environ: Mapping[str, str]) -> Iterator[Builder]:
    """Every builder that ever built something here and is still known."""
    directory = _directory(environ)
    for name in _names(os.path.join(directory, "refs")):
        builder = _builder(directory, name, environ)
        if builder is not None:
            yield builder


def begun(environ: Mapping[str, str], builder: str, *, since: float) -> Iterator[Begun]:
    """The builds given to ``builder`` after ``since``, in no order."""
    top = os.path.join(_directory(environ), "refs", builder)
    for node in _names(top):
        directory = os.path.join(top, node)
        if _changed_at(directory) <= since:
            continue  # a new file would have changed it
        for name in _names(directory):
            path = os.path.join(directory, name)
            at = _changed_at(path)
            noted = _read(path) if at > since else None
            if noted is not None:
                words = (noted.get(key) for key in ("LocalPath", "DockerfilePath", "Target"))
                yield Begun(at, *(str(word or "") for word in words))


def _builder(directory: str, name: str, environ: Mapping[str, str]) -> Builder | None:
    """None for one that was removed since."""
    instance = _read(os.path.join(directory, "instances", name))
    if instance is not None:
        nodes = instance.get("Nodes")
        first = nodes[0] if isinstance(nodes, list) and nodes else None
        host = str(first.get("Endpoint") or "") if isinstance(first, dict) else ""
        driver = str(instance.get("Driver") or "")
        return Builder(name, driver, _host(host, environ) if driver == DOCKER else host)
    host = _host(name, environ)
    return Builder(name, DOCKER, host) if host else None


def _host(name: str, environ: Mapping[str, str]) -> str:
    """The URL that an endpoint or a context's name stands for; "" where there is no such context.

    ``default`` is where a build goes that DOCKER_HOST does not send elsewhere.
    """
    if "://" in name:
        return name
    if name == DEFAULT:
        return DEFAULT_HOST
    try:
        return of_context(config_directory(environ), name, "buildx").host
    except ConfigError:
        return ""


def _directory(environ: Mapping[str, str]) -> str:
    return environ.get("BUILDX_CONFIG") or os.path.join(config_directory(environ), "buildx")


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _changed_at(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0


def _read(path: str) -> dict[str, Any] | None:
    """None for what is not there, or is no JSON object."""
    try:
        with open(path, encoding="utf-8") as file:
            read = json.load(file)
    except (OSError, ValueError):
        return None
    return read if isinstance(read, dict) else None
