"""Where freshd may write in a container. Pure: a path and the container's mounts in, a reason out.

Design rules 1-3 begin here: what is refused is refused before any call to the engine.
"""

import posixpath

from freshd.model.observed.container import Mount, Replica

STAGING_PREFIX = ".freshd-"
_KERNEL = ("/dev", "/proc", "/sys")
_MADE_BY_ENGINE = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})


def is_below(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or lies under it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def covering(replica: Replica, path: str) -> Mount | None:
    """The innermost mount that ``path`` lies on, None for the container's own root."""
    over = [mount for mount in replica.mounts if is_below(path, mount.target)]
    return max(over, key=lambda mount: len(mount.target), default=None)


def top_of(replica: Replica, path: str) -> str:
    """The top of the file system that ``path`` lies on: where its staging directory goes."""
    mount = covering(replica, path)
    return mount.target if mount else "/"


def objection(replica: Replica, path: str, *, volumes_allowed: bool) -> str | None:
    """Why nothing may be written at ``path``, None where it may."""
    reason = malformed(path)
    if reason:
        return reason
    if any(is_below(path, directory) for directory in _KERNEL):
        return "it belongs to the kernel"
    if path in _MADE_BY_ENGINE:
        return "the engine makes this file"
    if path.split("/")[1].startswith(STAGING_PREFIX):
        return "this name is freshd's own"
    below = [mount.target for mount in replica.mounts if is_below(mount.target, path)]
    if below and not covering_exactly(replica, path):
        # A file put where a directory holds a mount would delete what is mounted (E14).
        return f"the mount {below[0]} is below it"
    return _mount_objection(replica, path, volumes_allowed=volumes_allowed)


def malformed(path: str) -> str | None:
    """Why this is no exact absolute path."""
    if not path.startswith("/") or path == "/":
        return "it is not an absolute path of a file"
    if "\0" in path or ".." in path.split("/"):
        return "it has `..` or a NUL in it"
    if path != posixpath.normpath(path) or path.startswith("//"):  # POSIX keeps two slashes
        return "it is not a plain path"
    return None


def covering_exactly(replica: Replica, path: str) -> bool:
    """Whether ``path`` itself is where something is mounted."""
    return any(mount.target == path for mount in replica.mounts)


def _mount_objection(replica: Replica, path: str, *, volumes_allowed: bool) -> str | None:
    mount = covering(replica, path)
    if mount is None:
        return "the container's root is read-only" if replica.read_only else None
    if mount.kind != "volume":
        return f"it is on the {mount.kind} mount {mount.target}"
    if mount.target == path:
        return f"a volume is mounted on it ({mount.name[:12]})"
    if not volumes_allowed:
        return f"it is on the volume at {mount.target}; `volumes = true` would permit that"
    return None if mount.writable else f"the volume at {mount.target} is mounted read-only"
