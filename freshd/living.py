"""The values of the links beside the files: how a container was made, and what runs in it.

Only a whole look has them. Values of the environment may be secrets: they are in no ``repr``, and
findings carry names and keyed hashes of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshd.model import Entry, Fetched, Mount


@dataclass(frozen=True, slots=True)
class WantedMount:
    """``source`` is a bind's host path or a volume's real name; "" for an anonymous volume."""

    kind: str
    target: str
    source: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class WantedContent:
    """One entry of ``configs`` or ``secrets``: the model's ``file``, or its ``content``.

    Both None: its value comes from elsewhere and is not known.
    """

    kind: str
    name: str
    target: str
    file: str | None = None
    content: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How Compose would make a container of the service now.

    ``environment``: None is a variable that is handed on from the shell, and not set there.
    ``command``, ``entrypoint`` None, ``user`` and ``working_dir`` "": the image decides.
    ``networks`` are real names, ``ports`` as ``IP:8080->80/tcp``. ``parts`` holds each key of the
    service that decides how a container is made, as canonical JSON. ``hash_holds`` is false where
    Compose's own config hash is known to go wrong.
    """

    image: str = ""
    environment: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    user: str = ""
    working_dir: str = ""
    ports: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    mounts: tuple[WantedMount, ...] = ()
    contents: tuple[WantedContent, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict, repr=False)
    hash_holds: bool = True
    all_mounts: bool = True


@dataclass(frozen=True, slots=True)
class Creation:
    """What a container was made with, as inspect tells; it never changes for one container.

    ``anonymous`` are the places of anonymous volumes, ``binds`` the host's paths of bind mounts.
    """

    image: str = ""
    environment: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    ports: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    compose_version: str = ""
    env_files: tuple[str, ...] = ()
    anonymous: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ImageDefaults:
    """What a container takes from its image where the model says nothing."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContentSeen:
    """A config or secret whose content in the container is not the model's (hashes are keyed)."""

    wanted: WantedContent
    expected: str
    seen: str | None


@dataclass(frozen=True, slots=True)
class ConfigSeen:
    """One replica's side of the config link.

    ``mounts`` are the container's, with the sources spelled as ``wanted`` spells them. ``changed``
    are keys of the model that differ from freshd's own record of the container's creation;
    ``hinted``: nobody knows which, but Compose's hash differs from its label. ``from_shell`` are
    keys (``environment.X`` or a key of the service) that depend on the shell freshd was called in.
    ``inputs`` are files of the model that changed after the container was made.
    """

    wanted: Wanted
    creation: Creation
    image: ImageDefaults | None = None
    mounts: tuple[Mount, ...] = ()
    contents: tuple[ContentSeen, ...] = ()
    changed: tuple[str, ...] = ()
    hinted: bool = False
    from_shell: frozenset[str] = frozenset()
    inputs: tuple[str, ...] = ()
    key: bytes = field(default=b"", repr=False)


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
class Answer:
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
class Hidden:
    """A lock file of installed packages that a volume does not have as the image below it has."""

    mount: Mount
    target: str
    in_image: Entry
    seen: Entry | None


@dataclass(frozen=True, slots=True)
class BaseSeen:
    """The image that ``FROM`` names now, and the layers of it and of the image built on it."""

    ref: str
    id: str
    layers: tuple[str, ...]
    built: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """A bind mount over ``paths`` that the image has and ``source`` (on this machine) has not."""

    mount: Mount
    source: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinkOut:
    """A link of the tree, copied as a link, that leads to ``leads_to`` outside the context.

    ``target`` is where it lands; there ``missing``, an absolute path, is not in the container.
    """

    path: str
    target: str
    leads_to: str
    missing: str
    container: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A tracked file that was edited since the build, and the rule that keeps it out of it."""

    path: str
    digest: str
    file: str
    line: int
    pattern: str


@dataclass(frozen=True, slots=True)
class Stray:
    """A running container beside the service's own, and why it is told.

    ``why``: "orphan" (its ``service`` is in no Compose file), "one-off" (an earlier image's),
    "clone" (made from another directory under this project's name), or the port it publishes.
    """

    container: str
    container_id: str
    service: str
    project: str
    directory: str
    why: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A build that began ``at`` (seconds), later than the image here, and did not make that.

    ``driver`` is "docker" where another engine built, at ``host``; another one keeps what it built
    in its cache. The stack runs ``here``. ``edited`` are files that changed between the image here
    and that build.
    """

    builder: str
    driver: str
    host: str
    here: str
    at: float
    edited: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outdated:
    """An artefact, ``target`` in the image, that a build left as it was while ``changed`` changed.

    ``source`` is what the policy says it is made from, ``digest`` one of all that it holds.
    """

    source: str
    target: str
    digest: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Aged:
    """Layers that a network had a part in, made more than ``limit`` seconds before ``now``."""

    layers: tuple[Fetched, ...]
    limit: float
    now: float


@dataclass(frozen=True, slots=True)
class Moved:
    """A service that a proxy found at the addresses ``before`` at its start, and is at ``now``."""

    upstream: str
    before: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies around a service's files, and says why an edit does not get into its containers."""

    covered: tuple[Covered, ...] = ()
    links_out: tuple[LinkOut, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    strays: tuple[Stray, ...] = ()
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True, slots=True)
class Living:
    """What a whole look adds to the facts of a service, by container id.

    ``forbidden`` are files of the tree that the image holds and the policy never injects.
    """

    config: Mapping[str, ConfigSeen] = field(default_factory=dict)
    running: Mapping[str, RunningSeen] = field(default_factory=dict)
    bytecode: Mapping[str, tuple[Bytecode, ...]] = field(default_factory=dict)
    hidden: Mapping[str, tuple[Hidden, ...]] = field(default_factory=dict)
    forbidden: tuple[str, ...] = ()
    base: BaseSeen | None = None
    around: Surroundings = Surroundings()
    outdated: tuple[Outdated, ...] = ()
    moved: Mapping[str, tuple[Moved, ...]] = field(default_factory=dict)
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    logged: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    aged: Aged | None = None
