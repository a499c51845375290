"""What a trigger is: it listens to one thing outside, and marks services of one project as due.

A mark is a hint: a pass reads the real state, so a mark that is lost, doubled or late does no harm
but time. A trigger decides nothing and changes nothing.
"""

from collections.abc import Collection
from typing import ClassVar, Protocol


class Marks(Protocol):
    """Where a trigger says what is due. No call blocks or raises; any thread may call."""

    def mark(self, service: str, reason: str, paths: Collection[str] | None = None) -> None:
        """Something of ``service`` may have changed: these absolute paths, or anything (None)."""

    def mark_all(self, reason: str) -> None:
        """Anything of any service may have changed."""


class Trigger(Protocol):
    """The daemon starts its triggers in order, asks them all, and stops them in the same order.

    Made without side effects, and started once. Every call comes from the thread that runs the
    daemon; what a trigger listens to is handled in threads of its own.
    """

    died: ClassVar[str]
    """What ``status`` says when it is not alive."""

    status_field: ClassVar[str] = ""
    """The field of ``DaemonState`` that shows its state; "": it is one of the ``problems``."""

    def start(self) -> None:
        """Listen: what happens after the return is marked."""

    def stop(self) -> None:
        """Nothing is marked after the return. Also where it was never started."""

    def alive(self) -> bool:
        """Whether every thread that it needs still runs."""

    def state(self) -> str:
        """One line for a person, "" where there is nothing to say."""
        return ""

    def refresh(self) -> None:
        """The project's files changed: listen to what they say now."""
        return
