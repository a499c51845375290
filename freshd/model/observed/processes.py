"""What runs in a container, and when the code that it runs landed."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a container. It started between ``earliest`` and ``latest`` (seconds).

    ``words`` is its command line as ``ps`` shows it: arguments may be secrets, names are shown.
    """

    pid: int
    parent: int
    words: tuple[str, ...] = field(repr=False)
    earliest: float = 0.0
    latest: float = 0.0


@dataclass(frozen=True, slots=True)
class Landed:
    """A mapped file that got its content in the container between two moments (seconds)."""

    path: str
    target: str
    digest: str
    earliest: float
    latest: float


@dataclass(frozen=True, slots=True)
class Bytecode:
    """What Python takes in place of ``source``; absolute paths.

    ``kind`` of a ``compiled`` file that lies: stale, unchecked or orphan; ``origin`` is the source
    it says it was compiled from, where there is none such in the container. Of an installed copy
    that has other bytes: installed; ``origin`` is the directory that ``source`` is imported from.
    """

    kind: str
    source: str
    compiled: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class RunningSeen:
    """One replica's side of the process link.

    ``mode`` is how the service takes up code: restart, self, per-request or signal:X; ``way`` says
    why. ``landed`` are the files that may have landed after the container was started; without any
    ``processes`` are not asked for. ``reloaded_at`` is when freshd last sent its signal, 0 never.
    ``frozen`` is the setting by which its PHP never looks at a script again: key, value and file.
    """

    mode: str = ""
    way: str = ""
    root: int = 0
    started_at: float = 0.0
    processes: tuple[Process, ...] = ()
    landed: tuple[Landed, ...] = ()
    reloaded_at: float = 0.0
    now: float = 0.0
    frozen: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What came of one probe. ``problem`` is "" where it is as the policy expects.

    ``asked`` is false where the question could not be put. ``text`` is what came.
    """

    name: str
    question: str
    problem: str = ""
    text: str = ""
    expected: str = ""
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Moved:
    """A service that a proxy found at the addresses ``before`` at its start, and is at ``now``."""

    upstream: str
    before: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReloadMode:
    """``mode`` as a policy's ``reload`` has it, and why; ``program`` is what was recognised.

    ``migrates`` is the command by which the container changes its database when it starts;
    ``compiles`` says that starting it compiles what changed.
    """

    mode: str
    why: str
    program: str = ""
    migrates: str = ""
    compiles: bool = False
