"""A place where triggers mark, which remembers what was marked."""

from collections.abc import Collection
from dataclasses import dataclass, field

from tests.harness.waiting import wait_until

ALL = "*"


@dataclass
class Marked:
    """``made`` are pairs of service and reason, in order; service ``*`` is every one."""

    made: list[tuple[str, str]] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    def mark(self, service: str, reason: str, paths: Collection[str] | None = None) -> None:
        self.made.append((service, reason))
        self.paths.update(paths or ())

    def mark_all(self, reason: str) -> None:
        self.mark(ALL, reason)

    def wait_for(self, service: str, reason: str) -> None:
        wait_until(lambda: (service, reason) in self.made, what=f"a mark: {service}: {reason}")
