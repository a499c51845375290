"""What a pass remembers when it decides: read once, before anything is decided."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from freshd.decide.brakes.backoff import Remembered
from freshd.model.plan import Recurrence, Step
from freshd.model.remedy import Remedy


def _nothing(_path: str) -> bool:
    """No container can write into the tree."""
    return False


@dataclass(frozen=True, slots=True)
class PassMemory:
    """What earlier passes of one service left, and who else has a say in it.

    ``failures`` are by ``step_key``; ``recent`` are the starts of its steps, seconds since the
    epoch; ``recurrences`` what each remedy was done for last. A container of the project can write
    what is ``writable``. ``pending`` are steps that an earlier plan has begun, a rebuild or what
    follows an injection, and whose end is not known. ``consent_problem``, ``halted`` and
    ``watcher`` (somebody else who keeps the containers up to date) are reasons in words.
    ``by_programs`` are files, by container id and target, that differ and that no person changed.
    """

    failures: Mapping[str, Remembered] = field(default_factory=dict)
    recent: Mapping[Remedy, tuple[float, ...]] = field(default_factory=dict)
    recurrences: Mapping[str, Recurrence] = field(default_factory=dict)
    writable: Callable[[str], bool] = _nothing
    pending: tuple[Step, ...] = ()
    consent_problem: str | None = None
    halted: str | None = None
    watcher: str | None = None
    by_programs: frozenset[tuple[str | None, str | None]] = frozenset()
