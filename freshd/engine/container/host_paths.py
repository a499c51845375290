"""What the engine would do to this machine's files while it only looks into a container.

To read or write a container's files, and to start it, the engine mounts what the container mounts.
Where the source of a bind mount is gone it makes an empty directory of that name first: in the tree
of a developer who has just switched branches.
"""

import os
from typing import Final

from freshd.engine.client import Engine
from freshd.model.errors import HostPathGone

# What lies there is the system's. Where the engine runs in a virtual machine it is that one's, such
# as its own socket or time zone, and is not to be looked for here.
_SYSTEM: Final = ("dev", "etc", "proc", "run", "sys", "usr", "var/lib", "var/run")


def gone_sources(engine: Engine, container_id: str) -> tuple[str, ...]:
    """Bind sources that were there when the container was made, and are not now; sorted.

    Nothing of an engine that is not on this machine, or that names its sources otherwise. Raises
    TargetGone.
    """
    if engine.endpoint.scheme != "unix":
        return ()
    return tuple(sorted(filter(_is_gone, engine.creation(container_id).binds)))


def spare_the_host(engine: Engine, container_id: str, what: str) -> None:
    """Raises HostPathGone where ``what`` would make directories on this machine."""
    for source in gone_sources(engine, container_id):
        raise HostPathGone(
            f"{what}: it mounts {source}, which is gone, and the engine would make a directory of "
            "that name",
            hint="bring it back, or make the container anew without that mount",
        )


def _is_gone(source: str) -> bool:
    """What lies in no directory of this machine is another's: a desktop's virtual machine."""
    if os.path.lexists(source) or source.startswith(tuple(f"/{name}/" for name in _SYSTEM)):
        return False
    above = os.path.dirname(source)
    if os.path.isdir(above):
        return True
    while not os.path.isdir(above):
        above = os.path.dirname(above)
    return above.count("/") > 1
