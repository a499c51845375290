"""Places in a container: whether a path is below a directory, and whether it can be written."""

from freshd.compare import evidence
from freshd.model.observed.container import Mount, Replica
from freshd.model.observed.surroundings import Covered
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import printable


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


def bind_hides_image(service: str, covered: Covered) -> Finding:
    more = evidence.and_more(covered.paths)
    return Finding(
        cause="bind-hides-image",
        level=Level.NOTE,
        link=LinkName.CONTAINER,
        service=service,
        message=f"{printable(covered.paths[0])}{more} of the image of {service} is hidden by the "
        f"bind mount at {covered.mount.target}, and {printable(covered.source)} has no such thing",
        target=covered.paths[0],
        evidence={**evidence.mounted(covered.mount), **evidence.paths(covered.paths)},
    )
