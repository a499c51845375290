"""What an image is built for: a Compose service in, ``linux/amd64`` and the like out."""

import platform as host
from typing import Final

from freshd.config.compose.model import ComposeService

_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def platform_of(service: ComposeService) -> str:
    """What the image is built for: as the model says, else as this machine."""
    if service.platform:
        return service.platform
    if service.build is not None and service.build.platforms:
        return service.build.platforms[0]
    return own_platform()


def own_platform() -> str:
    """What this machine builds for where nothing else is asked for."""
    machine = host.machine().lower()
    return f"linux/{_MACHINES.get(machine, machine)}"
