"""What a pass remembers when it decides: read once, before anything is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshd.decide.backoff import Remembered
from freshd.model.plan import Step


@dataclass(frozen=True, slots=True)
class PassMemory:
    """What earlier passes of one service left, and who else has a say in it.

    ``failures`` are by ``step_key``; ``recent_rebuilds`` are the starts of its rebuilds, seconds
    since the epoch. ``pending`` are steps that an earlier plan has begun, a rebuild or what follows
    an injection, and whose end is not known. ``consent_problem``, ``halted`` and ``watcher``
    (somebody else who keeps the containers up to date) are reasons in words.
    """

    failures: Mapping[str, Remembered] = field(default_factory=dict)
    recent_rebuilds: tuple[float, ...] = ()
    pending: tuple[Step, ...] = ()
    consent_problem: str | None = None
    halted: str | None = None
    watcher: str | None = None
