"""Watching by looking: a stat walk compared with the one before, where nothing tells of changes.

Directories come in, the paths that changed between two looks go out. Slow and complete.
"""

import os
from collections.abc import Iterable
from typing import TypeAlias

from freshd.triggers.watch.backend import Skip

_Seen: TypeAlias = dict[str, tuple[int, int, int, int, int]]


class Poll:
    """Remembers what the last look saw. ``skip(path, is_dir)`` prunes directories, drops files."""

    def __init__(self, skip: Skip) -> None:
        self._skip = skip
        self._seen: dict[str, _Seen] = {}

    def look(self, directories: Iterable[str]) -> set[str]:
        """The paths that came, went or changed since the last look at the same directory.

        A directory looked at for the first time is reported itself.
        """
        changed: set[str] = set()
        wanted = set(directories)
        for directory in wanted:
            now = self._walk(directory)
            before = self._seen.get(directory)
            if before is None:
                changed.add(directory)
            else:
                changed.update(path for path, _ in before.items() ^ now.items())
            self._seen[directory] = now
        for directory in self._seen.keys() - wanted:
            del self._seen[directory]
        return changed

    def _walk(self, top: str) -> _Seen:
        seen: _Seen = {}
        pending = [top]
        while pending:
            try:
                with os.scandir(pending.pop()) as entries:
                    for entry in entries:
                        is_dir = entry.is_dir(follow_symlinks=False)
                        if self._skip(entry.path, is_dir):
                            continue
                        _note(seen, entry)
                        if is_dir:
                            pending.append(entry.path)
            except OSError:
                # vanished or closed to us while walking: the next look compares again
                continue
        return seen


def _note(seen: _Seen, entry: "os.DirEntry[str]") -> None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return  # gone since it was listed, which is what its absence says
    seen[entry.path] = (
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_ino,
        status.st_mode,
    )
