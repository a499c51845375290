"""What the watcher and the ways to get file events promise each other."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

# (absolute path, is a directory) -> leave it out; a directory with everything below it
Skip: TypeAlias = Callable[[str, bool], bool]


class WatchMode(StrEnum):
    WATCHING = "watching"
    DEGRADED = "degraded"
    POLLING = "polling"


@dataclass(frozen=True, slots=True)
class WatchState:
    """How changes are found now; ``reason`` says why it is not plain watching."""

    mode: WatchMode
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.mode}: {self.reason}" if self.reason else self.mode.value


class Sink(Protocol):
    """Where a backend reports to, from its own threads. No call blocks or raises."""

    def changed(self, paths: Collection[str]) -> None: ...
    def lost(self, reason: str) -> None: ...
    def check_roots(self) -> None: ...


class Backend(Protocol):
    """One source of events for any number of roots (absolute paths)."""

    def add(self, root: str) -> None:
        """Watch from now on; events since the return are not lost. Raises OSError."""

    def remove(self, root: str) -> None: ...

    def refresh(self) -> None:
        """Find out anew which directories to watch: ``skip`` may answer differently now."""

    def alive(self) -> bool:
        """Whether every thread it needs still runs."""

    def limit(self) -> str:
        """Why some directories could not be watched, or ""."""

    def unwatched(self) -> tuple[str, ...]:
        """The directories, with all below them, that have to be polled instead."""

    def close(self) -> None: ...
