"""Places in a container: whether a path is below a directory, and whether it can be written."""

from freshd.model import Mount, Replica


def is_below(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or something in it; both absolute."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def is_anonymous(mount: Mount) -> bool:
    """Whether a volume has no name but the 64 hex digits that the engine gave it."""
    return len(mount.name) == 64 and not set(mount.name) - set("0123456789abcdef")


def unwritable(replica: Replica, mount: Mount | None) -> str | None:
    """Why nothing can be injected there, in words; None when it can."""
    if mount is None:
        return "the root file system is read-only" if replica.read_only else None
    if mount.kind == "tmpfs":
        return f"a tmpfs is mounted at {mount.target}"
    return None if mount.writable else f"the {mount.kind} at {mount.target} is mounted read-only"
