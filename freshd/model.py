"""The frozen values that cross stages: tree -> observation -> finding -> plan -> outcome.

Paths are ``str`` decoded with surrogateescape. Digests are 64 lower-case hex digits of sha256.
Times are seconds since the epoch as ``float`` unless the name ends in ``_ns``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None


def printable(text: str) -> str:
    """``text`` on one line for a person: control, bidi and undecodable characters as ``\\x..``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8 (surrogateescape)
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Kind(StrEnum):
    """What a path is. Only FILE and LINK carry content; UNREADABLE exists but could not be read."""

    FILE = "file"
    DIR = "dir"
    LINK = "link"
    OTHER = "other"
    UNREADABLE = "unreadable"


class Entry(NamedTuple):
    """One path as tree, image or container has it; a tuple, as ``Pair`` is.

    ``digest`` is the sha256 of a file's content or of a link's text, else "". ``mode`` holds the
    permission bits (0o7777). ``reason`` says why an UNREADABLE entry could not be read.
    """

    kind: Kind
    digest: str = ""
    size: int = 0
    mode: int = 0o644
    reason: str = ""

    @property
    def executable(self) -> bool:
        """Whether the owner may execute it: the one mode bit that decides how code behaves."""
        return bool(self.mode & 0o100)

    def same_content(self, other: "Entry | None") -> bool:
        """Equal kind and bytes; mode is compared apart."""
        return other is not None and self.kind is other.kind and self.digest == other.digest


Manifest: TypeAlias = Mapping[str, Entry]


class Signature(NamedTuple):
    """What a stat said when a tree file was hashed: equal stat means equal content,
    but for racy ones.

    ``hashed_at_ns`` is the wall clock when hashing began; a file whose mtime or ctime is not older
    than that is racy and is hashed again.
    """

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int
    device: int
    hashed_at_ns: int


class Via(StrEnum):
    """How a tree file gets to its place in the container."""

    COPY = "copy"
    BIND = "bind"
    DECLARED = "declared"


class Pair(NamedTuple):
    """One tree file and where it lands; a tuple, since a large tree has a hundred thousand.

    ``source`` is relative to the project directory (``../x`` for a context outside it), ``target``
    absolute in the container. ``effective`` is false where a mount hides it; ``hidden_by`` then
    names that mount's destination. ``mode`` is the COPY's ``--chmod``. ``also_input`` marks a file
    that the build also consumes, so that injecting it is not enough. With ``free_mode`` the build
    sets a mode that the tree does not tell: modes are not to be compared. With ``on_change`` the
    file belongs there once it changed after the container was made; before that the image decides.
    """

    source: str
    target: str
    via: Via
    effective: bool = True
    hidden_by: str | None = None
    mode: int | None = None
    also_input: bool = False
    free_mode: bool = False
    on_change: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """Where the tree's files land in one service, and what else its build reads.

    ``pairs`` are sorted by (target, via); ``inputs`` are project-relative and include the
    Dockerfile and its ignore file; ``traceless`` is the part of the inputs of which the image
    keeps no verbatim trace. ``opaque`` says in words what could not be followed, ``lasting`` the
    part of it that no record of a build settles either.
    ``copied_into`` are the container directories COPY lands in, where leftovers are looked for.
    ``origins`` inverts a leftover: container directory -> project-relative source directory.
    ``copy_lines`` are the history lines of the Dockerfile's COPYs -> whether the line brings files
    of the tree and nothing else, so that what it wrote and the tree lacks has left the tree.
    """

    service: str
    pairs: tuple[Pair, ...] = ()
    inputs: tuple[str, ...] = ()
    traceless: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    run_after_copy: bool = False
    copied_into: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    copy_lines: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount of a container. ``source`` is a host path for binds; ``name`` a volume's name."""

    kind: str
    target: str
    source: str = ""
    name: str = ""
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Replica:
    """What inspect says of one container, addressed by its full ``id``.

    ``state`` is Docker's: created, running, paused, restarting, exited, dead, removing.
    ``health`` is "", starting, healthy or unhealthy. ``mounts`` include tmpfs. ``joins`` are the
    full ids of containers whose network, process or IPC namespace it shares. ``published`` are
    host ports as ``IP:8080/tcp``, no IP for any; only a listing tells them.
    """

    id: str
    name: str
    service: str
    project: str = ""
    number: int = 1
    oneoff: bool = False
    image_id: str = ""
    image_ref: str = ""
    state: str = "running"
    health: str = ""
    exit_code: int = 0
    created_at: float = 0.0
    started_at: float = 0.0
    restart_policy: str = ""
    read_only: bool = False
    user: str = ""
    mounts: tuple[Mount, ...] = ()
    config_hash: str = ""
    working_dir: str = ""
    config_files: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    published: frozenset[str] = frozenset()

    @property
    def running(self) -> bool:
        return self.state == "running"

    def mount_at(self, target: str) -> Mount | None:
        """The innermost mount at or above ``target``; None: the container's own file system."""
        best: Mount | None = None
        for mount in self.mounts:
            at = mount.target.rstrip("/")
            below = target == at or target.startswith(f"{at}/")
            if below and (best is None or len(at) > len(best.target.rstrip("/"))):
                best = mount
        return best


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of an image's history, oldest first; ``empty`` ones made no layer.

    ``created_at``: when the builder made it (seconds); a cached one keeps its time. 0: not known.
    """

    created_by: str
    empty: bool = False
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A layer of the image that was made ``at`` (seconds) by what a network answered.

    ``command`` is the one that asked it, in ``line`` of the Dockerfile or in a stage that this line
    copies from.
    """

    line: int
    command: str
    at: float


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What one image is and holds. ``tagged_at``: when this engine last gave it a name, 0 unknown.

    ``files`` has the asked-for paths that exist (absent = not in the image); it is complete for
    the paths in question only. ``writers`` maps a path to the history line of the layer that wrote
    or removed it last ("" when not attributed); None when attribution was not needed.
    ``flags_shown``: this engine's builder writes the flags of COPY into the history.
    """

    id: str
    chain_id: str
    created_at: float = 0.0
    tagged_at: float = 0.0
    history: tuple[HistoryEntry, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    files: Manifest = field(default_factory=dict)
    writers: Mapping[str, str] | None = None
    flags_shown: bool = True


@dataclass(frozen=True, slots=True)
class Observation:
    """What one replica says now of the paths it was asked for.

    ``files`` holds the paths that exist; a path in ``asked`` and not in ``files`` is missing.
    ``problem`` says why the content could not be observed at all (then nothing was compared).
    """

    replica: Replica
    asked: frozenset[str] = frozenset()
    files: Manifest = field(default_factory=dict)
    problem: str = ""

    def joined(self, more: "Observation") -> "Observation":
        """This and another one of the same replica, of other paths."""
        files = {**self.files, **more.files}
        problem = self.problem or more.problem
        return Observation(self.replica, self.asked | more.asked, files, problem)


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """The inputs of one build, by image id: project-relative path -> digest, and build args.

    ``by_freshd`` is false for a build that was only witnessed.
    """

    image_id: str
    service: str
    inputs: Mapping[str, str]
    args: Mapping[str, str] = field(default_factory=dict)
    recorded_at: float = 0.0
    by_freshd: bool = True


class Trace(StrEnum):
    """Whether an image's history tells of the Dockerfile as it is now."""

    EQUAL = "equal"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """Everything ``causes`` looks at for one service: values only, nothing is fetched from here.

    ``tag_image`` is the image the service's tag names now (None: no such image). ``images`` holds
    the facts of every image a replica runs, by id. ``tree`` maps sources and inputs to entries
    (absent = not in the tree). ``written`` is what freshd last wrote: (container id, target) ->
    digest. ``injected`` is what it wrote into any container of the service, gone ones too: target
    -> (digest, seconds); only asked for where files differ. ``trace`` compares the image's history
    with the Dockerfile; ``trace_arguments`` are all that it differs in, where that is so;
    ``built_from`` compares the identity that the image carries with the tree's. ``newer`` are
    inputs that a rule names and that changed after an image was made whose build is not recorded;
    ``restarts`` (by container id) are files that ask for a restart and changed after the process
    had started. ``settled`` are tree files that were written a while ago, asked for as
    ``injected`` is. ``fetched`` are layers of the image that a network had a part in.
    """

    service: str
    builds: bool
    mapping: ServiceMap
    tree: Manifest
    observations: tuple[Observation, ...] = ()
    tag_image: ImageFacts | None = None
    images: Mapping[str, ImageFacts] = field(default_factory=dict)
    record: BuildRecord | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[tuple[str, str], str] = field(default_factory=dict)
    trace: Trace = Trace.UNKNOWN
    trace_evidence: str = ""
    built_from: Trace = Trace.UNKNOWN
    trace_arguments: tuple[str, ...] = ()
    fresh_build: bool = False
    newer: tuple[str, ...] = ()
    restarts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    injected: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    fetched: tuple[Fetched, ...] = ()


class Level(StrEnum):
    STALE = "stale"
    UNVERIFIABLE = "unverifiable"
    NOTE = "note"


class Verdict(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    UNVERIFIABLE = "unverifiable"


class LinkName(StrEnum):
    IMAGE = "image"
    CONTAINER = "container"
    PROCESS = "process"
    CONFIG = "config"


class LinkState(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    UNVERIFIABLE = "unverifiable"
    UNCHECKED = "unchecked"


class Remedy(StrEnum):
    """What a rule may do. The order is the order in which a plan runs them.

    EXEC is what ``sync+exec`` of a Compose file asks for; freshd's own policy has no word for it.
    """

    NOTIFY = "notify"
    REBUILD = "rebuild"
    RECREATE = "recreate"
    INJECT = "inject"
    PURGE = "purge"
    RELOAD = "reload"
    RESTART = "restart"
    EXEC = "exec"


class RebuildMode(StrEnum):
    CACHED = "cached"
    FRESH_CONTEXT = "fresh-context"
    NO_CACHE = "no-cache"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that parts two links. ``remedy`` is the suggestion; the policy decides.

    ``want`` is the tree's entry (mode already the COPY's), ``seen`` the other side's; None is
    absent. ``paths`` are all that it speaks of where it is not about one ``path``; the evidence
    shows some of them.
    """

    cause: str
    level: Level
    link: LinkName
    service: str
    message: str
    remedy: Remedy = Remedy.NOTIFY
    container: str | None = None
    container_id: str | None = None
    path: str | None = None
    paths: tuple[str, ...] = ()
    target: str | None = None
    via: Via | None = None
    want: Entry | None = None
    seen: Entry | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplicaReport:
    id: str
    name: str
    verdict: Verdict
    compared: int
    equal: int


@dataclass(frozen=True, slots=True)
class ServiceReport:
    name: str
    verdict: Verdict
    patched: bool
    links: Mapping[LinkName, LinkState]
    containers: tuple[ReplicaReport, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ProjectReport:
    project: str
    verdict: Verdict
    checked_at: float
    services: tuple[ServiceReport, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file a step writes (``want`` set) or deletes (``want`` None) in one container."""

    target: str
    source: str | None
    want: Entry | None
    seen: Entry | None


@dataclass(frozen=True, slots=True)
class Command:
    """A command that the rule ``name`` runs in a container.

    Its environment may hold secrets, so it is not part of this: see ``freshd.policy.rules.Hook``.
    """

    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the policy wants done now, to one service or one container of it.

    ``container_id`` is None for steps on the whole service (recreate, rebuild). ``causes`` are the
    slugs that ask for it; ``rule`` names the policy rule. ``patterns`` are purge patterns,
    ``commands`` what an exec runs, in this order.
    """

    remedy: Remedy
    service: str
    causes: tuple[str, ...]
    container: str | None = None
    container_id: str | None = None
    files: tuple[FileChange, ...] = ()
    patterns: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    signal: str | None = None
    rebuild: RebuildMode | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order they run; ``notices`` are what nothing is done about, and why."""

    service: str
    steps: tuple[Step, ...] = ()
    notices: tuple[tuple[Finding, str], ...] = ()


class StepStatus(StrEnum):
    DONE = "done"
    FAILED = "failed"
    GONE = "gone"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was observed after a step. ``seconds`` it took; ``output`` are a build's last lines."""

    step: Step
    status: StepStatus
    detail: str = ""
    seconds: float = 0.0
    output: tuple[str, ...] = ()
