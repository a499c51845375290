"""Which mount a process sees at a path: a replica and a path in, the mount that covers it out."""

from freshd.model import Mount, Replica


def covering(replica: Replica, target: str) -> Mount | None:
    """The innermost mount at or above ``target``; None: the container's own file system."""
    best: Mount | None = None
    for mount in replica.mounts:
        if is_below(target, mount.target) and (
            best is None or len(mount.target) > len(best.target)
        ):
            best = mount
    return best


def is_below(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or something in it; both absolute."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def unwritable(replica: Replica, mount: Mount | None) -> str | None:
    """Why nothing can be injected there, in words; None when it can."""
    if mount is None:
        return "the root file system is read-only" if replica.read_only else None
    if mount.kind == "tmpfs":
        return f"a tmpfs is mounted at {mount.target}"
    return None if mount.writable else f"the {mount.kind} at {mount.target} is mounted read-only"
