"""Where freshd may write in a container. Pure: a path and the container's mounts in, a reason out.

Safety rules 1 to 3 begin here: what is refused is refused before any call to the engine.
"""

import posixpath

from freshd.model.observed.container import Replica
from freshd.model.paths import is_below

STAGING_PREFIX = ".freshd-"
_KERNEL = ("/dev", "/proc", "/sys")
_MADE_BY_ENGINE = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})


def find_top(replica: Replica, path: str) -> str:
    """The top of the file system that ``path`` is on: where its staging directory goes."""
    mount = replica.mount_at(path)
    return mount.target if mount else "/"


def find_objection(replica: Replica, path: str, *, volumes_allowed: bool) -> str | None:
    """Why nothing may be written at ``path``, None where it may."""
    reason = find_malformation(path)
    if reason:
        return reason
    if any(is_below(path, directory) for directory in _KERNEL):
        return "it belongs to the kernel"
    if path in _MADE_BY_ENGINE:
        return "the engine makes this file"
    if path.split("/")[1].startswith(STAGING_PREFIX):
        return "this name is freshd's own"
    below = [mount.target for mount in replica.mounts if is_below(mount.target, path)]
    if below and not is_mount_point(replica, path):
        # A file put where a directory holds a mount would delete what is mounted.
        return f"the mount {below[0]} is below it"
    return _mount_objection(replica, path, volumes_allowed=volumes_allowed)


def find_malformation(path: str) -> str | None:
    """Why this is no exact absolute path."""
    if not path.startswith("/") or path == "/":
        return "it is not an absolute path of a file"
    if "\0" in path or ".." in path.split("/"):
        return "it has `..` or a NUL in it"
    if path != posixpath.normpath(path) or path.startswith("//"):  # POSIX keeps two slashes
        return "it is not a plain path"
    return None


def is_mount_point(replica: Replica, path: str) -> bool:
    """Whether ``path`` itself is where something is mounted."""
    return any(mount.target == path for mount in replica.mounts)


def _mount_objection(replica: Replica, path: str, *, volumes_allowed: bool) -> str | None:
    mount = replica.mount_at(path)
    if mount is None:
        return "the container's root is read-only" if replica.read_only else None
    if mount.kind != "volume":
        return f"it is on the {mount.kind} mount {mount.target}"
    if mount.target == path:
        return f"a volume is mounted on it ({mount.name[:12]})"
    if not volumes_allowed:
        return f"it is on the volume at {mount.target}; `volumes = true` would permit that"
    return None if mount.writable else f"the volume at {mount.target} is mounted read-only"
