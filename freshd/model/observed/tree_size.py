"""How much of a service's tree there is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TreeSize:
    """How much of a mapping's tree there is.

    ``files`` are its files that exist. ``root_exists`` and ``root_empty`` tell of the project
    directory itself, ``identity`` is its (device, inode), None where that is not known.
    ``moved_to`` is where the path leads by which the project was found, if not there any more.
    """

    files: int
    root_exists: bool = True
    root_empty: bool = False
    identity: tuple[int, int] | None = None
    moved_to: str = ""
