"""Where paths in a container really are: links followed, as whoever reads the path has them.

In: a container and absolute paths. Out: paths without links on the way.
"""

from dataclasses import replace

from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.model.files import Kind
from freshd.model.observed.container import Mount, Replica
from freshd.model.paths import follow


def real_path(engine: Engine, container_id: str, path: str) -> str:
    """The path without links, its last component's included; what is missing stays as it is.

    Raises what ``archive.stat`` raises.
    """

    def link_at(prefix: str) -> str:
        stat = archive.stat(engine, container_id, prefix)
        return stat.link_target if stat is not None and stat.kind is Kind.LINK else ""

    return follow(path, link_at)


def with_real_mounts(engine: Engine, replica: Replica) -> Replica:
    """The replica with its mounts where they are: a destination that leads through a link of the
    image (``/var/run -> /run``) is mounted on what is behind it.
    """
    if not replica.mounts:
        return replica
    return replace(
        replica, mounts=tuple(_really_at(engine, replica, mount) for mount in replica.mounts)
    )


def _really_at(engine: Engine, replica: Replica, mount: Mount) -> Mount:
    known = engine.memory.places
    key = (replica.id, replica.started_at, mount.target)
    if key not in known:
        known[key] = real_path(engine, replica.id, mount.target)
    return replace(mount, target=known[key], named=mount.named or mount.target)
