"""Polling where there are no events: a stat walk, compared with the one before.

Directories come in, the paths that changed between two walks go out. Slow and complete.
"""

import os
from collections.abc import Iterable
from typing import TypeAlias

from freshd.triggers.watch.backend import Skip

_Stats: TypeAlias = dict[str, tuple[int, int, int, int, int]]


class Poll:
    """Remembers the last walk. ``skip(path, is_dir)`` prunes directories, drops files."""

    def __init__(self, skip: Skip) -> None:
        self._skip = skip
        self._known: dict[str, _Stats] = {}

    def changes(self, directories: Iterable[str]) -> set[str]:
        """The paths that came, went or changed since the last walk of the same directory.

        A directory that is walked for the first time is reported itself.
        """
        changed: set[str] = set()
        wanted = set(directories)
        for directory in wanted:
            now = self._walk(directory)
            before = self._known.get(directory)
            if before is None:
                changed.add(directory)
            else:
                changed.update(path for path, _ in before.items() ^ now.items())
            self._known[directory] = now
        for directory in self._known.keys() - wanted:
            del self._known[directory]
        return changed

    def _walk(self, top: str) -> _Stats:
        stats: _Stats = {}
        pending = [top]
        while pending:
            try:
                with os.scandir(pending.pop()) as entries:
                    for entry in entries:
                        is_dir = entry.is_dir(follow_symlinks=False)
                        if self._skip(entry.path, is_dir):
                            continue
                        _note(stats, entry)
                        if is_dir:
                            pending.append(entry.path)
            except OSError:
                # vanished or closed to us while walking: the next walk compares again
                continue
        return stats


def _note(stats: _Stats, entry: "os.DirEntry[str]") -> None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return  # gone since it was listed, which is what its absence says
    stats[entry.path] = (
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_ino,
        status.st_mode,
    )
