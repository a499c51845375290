"""Which bind-mounted files of a container are the very files of the tree: nothing is to compare.

Device and inode in; the paths that have both on both sides out. They mean the same only to one and
the same kernel, which the boot id tells: behind a virtual machine or a remote engine no file is
known to be the tree's.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Place: TypeAlias = tuple[int, int]
"""Device and inode."""

_BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"


def read_kernel() -> str:
    """The boot id of this machine's kernel; "" where it has none."""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""


@dataclass(frozen=True, slots=True)
class HostFiles(Mapping[str, str]):
    """Where bind-mounted files come from: target -> absolute path on this machine.

    ``kernel`` is this machine's boot id.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    kernel: str = ""

    def __getitem__(self, target: str) -> str:
        return self.paths[target]

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def find_same(self, kernel: str, places: Mapping[str, Place]) -> Iterator[str]:
        """The targets whose file here is the one that the container has at ``places``.

        Asked after the container was: a file that took another's place meanwhile is not the same.
        """
        if not self.kernel or kernel != self.kernel:
            return
        for target, place in places.items():
            path = self.paths.get(target)
            if path is not None and place == _place_of(path):
                yield target


NO_FILES: Final = HostFiles()


def _place_of(path: str) -> Place | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
