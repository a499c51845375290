"""What a service starts: the freshd that was typed, by its absolute path, and its environment."""

import os
from collections.abc import Mapping
from typing import Final

# What decides which engine, which docker command and which freshd directories are used. A service
# gets little of what a shell has, so these are taken along.
_KEPT: Final = (
    "PATH",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "FRESHD_CONFIG_DIR",
    "FRESHD_STATE_DIR",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
)


def find_program(argv0: str, executable: str) -> tuple[str, ...]:
    """The command that was typed; links are kept, as they outlive an upgrade.

    ``python -m freshd`` has no command of its own: then it is that.
    """
    path = os.path.abspath(argv0)
    if os.path.basename(path) == "freshd" and os.access(path, os.X_OK) and os.path.isfile(path):
        return (path,)
    return (os.path.abspath(executable), "-m", "freshd")


def select_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the service is given of ``environ``; of PATH only what means the same everywhere."""
    kept = {name: environ[name] for name in _KEPT if environ.get(name)}
    if "PATH" in kept:
        parts = dict.fromkeys(kept["PATH"].split(os.pathsep))
        kept["PATH"] = os.pathsep.join(part for part in parts if os.path.isabs(part))
    return {name: value for name, value in kept.items() if value and value.isprintable()}
