"""What freshd's own service is, and what was done to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class FileState(StrEnum):
    """What is at the file's place."""

    ABSENT = "absent"
    CURRENT = "current"  # as this freshd would write it now
    OUTDATED = "outdated"  # as another version, or a freshd of another path, wrote it
    EDITED = "edited"  # by a person, or not freshd's at all


@dataclass(frozen=True, slots=True)
class ServiceStep:
    """One thing that was done, in words; ``problem`` is why it did not work, or ""."""

    text: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ManagerState:
    """What the manager says; None where it does not answer."""

    enabled: bool | None = None
    running: bool | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What ``service status`` shows."""

    file: FileState
    manager: ManagerState


class ManagerWords(Protocol):
    """The words for the manager that starts freshd at login."""

    @property
    def name(self) -> str:
        """As people call it."""

    @property
    def path(self) -> str:
        """Its file for freshd."""

    @property
    def later(self) -> Sequence[str]:
        """What to type where it does not answer now, one command a line."""

    @property
    def hint(self) -> str:
        """What else is worth knowing once it is installed, or ""."""
