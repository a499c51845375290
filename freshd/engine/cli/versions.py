"""Versions of the docker command and its plugins: an environment in, texts out; "" is absent."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

_PATIENCE = 15.0
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class CliVersions:
    """``docker``, ``compose`` and ``buildx`` as ``28.2.2``."""

    docker: str = ""
    compose: str = ""
    buildx: str = ""


def versions(environ: Mapping[str, str]) -> CliVersions:
    """Asks the command; the engine is not needed for it."""
    return CliVersions(
        docker=_version(["docker", "--version"], environ),
        compose=_version(["docker", "compose", "version", "--short"], environ),
        buildx=_version(["docker", "buildx", "version"], environ),
    )


def _version(argv: list[str], environ: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=dict(environ),
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    if done.returncode != 0:
        return ""
    found = _VERSION.search(done.stdout.decode("utf-8", "replace"))
    return found[0] if found else ""


def release(version: str) -> tuple[int, ...]:
    """``2.26.1-4`` as (2, 26, 1); () for no version."""
    found = _VERSION.match(version.removeprefix("v"))
    return tuple(map(int, found[0].split("."))) if found else ()
