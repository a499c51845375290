"""What is true of a stack, said without freshd."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Landed: TypeAlias = Mapping[str, str]
"""source (relative to the project) -> target (absolute in the container)."""

SLEEP = 'command: ["sleep", "1000000"]\n    init: true\n    stop_grace_period: 0s'
"""The end of a Compose service that stays up and dies at once."""


@dataclass(frozen=True, slots=True)
class Truth:
    """``landed`` is, by service, every file that is in its containers as the tree has it.

    ``unrecorded`` are the services of whose build the image tells too little. ``without`` are the
    services that have no container that is looked into. ``hidden`` are (service, target) that a
    volume covers: the image's file is not what is seen there. ``containers`` names those that
    Compose did not make.
    """

    landed: Mapping[str, Landed]
    unrecorded: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    hidden: frozenset[tuple[str, str]] = frozenset()
    containers: Mapping[str, Sequence[str]] = field(default_factory=dict)


def below(source: str, target: str, *names: str) -> dict[str, str]:
    """Each name below ``source`` lands below ``target``; "" or "." is the project itself."""
    prefix = "" if source in ("", ".") else f"{source}/"
    return {f"{prefix}{name}": f"{target.rstrip('/')}/{name}" for name in names}
