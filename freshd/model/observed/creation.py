"""How a container was made, and how Compose would make it now."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshd.model.observed.container import Mount


@dataclass(frozen=True, slots=True)
class WantedMount:
    """``source`` is a bind's host path or a volume's real name; "" for an anonymous volume.

    ``subpath`` is the directory of the volume that is mounted. ``options`` are the driver and its
    options of a named volume that Compose makes, None of any other.
    """

    kind: str
    target: str
    source: str = ""
    read_only: bool = False
    subpath: str = ""
    options: Mapping[str, str] | None = None


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
    """What a container takes from its image where the model says nothing.

    ``volumes`` are the places of the image's VOLUMEs.
    """

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    volumes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ContentSeen:
    """A config or secret whose content in the container is not the model's (hashes are keyed)."""

    wanted: WantedContent
    expected: str
    seen: str | None


@dataclass(frozen=True, slots=True)
class OtherFiles:
    """The Compose files that made a container and are not the project's; all absolute.

    ``gone`` are those of them that are no more, ``left_out`` the project's that were not used,
    ``extra`` those that are not the project's. ``since`` is when one of ``left_out`` was last
    written. ``wanted`` is the service as these files have it; None: it cannot be told, and
    ``problem`` says why, or something is gone.
    """

    files: tuple[str, ...]
    directory: str
    project_dir: str
    env_files: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    since: float = 0.0
    wanted: Wanted | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ConfigSeen:
    """One replica's side of the config link.

    ``mounts`` are the container's, with the sources spelled as ``wanted`` spells them. ``changed``
    are keys of the model that differ from freshd's own record of the container's creation;
    ``hinted``: nobody knows which, but Compose's hash differs from its label. ``from_shell`` are
    keys (``environment.X`` or a key of the service) that depend on the shell freshd was called in.
    ``inputs`` are files of the model that changed after the container was made. ``inherited`` are
    places whose mount Compose hands on to a new container, ``volumes`` the drivers' options of
    named volumes that Compose made. ``directory`` is the project's. ``unread`` are
    configs and secrets whose file cannot be read -> why.
    """

    wanted: Wanted
    creation: Creation
    image: ImageDefaults | None = None
    mounts: tuple[Mount, ...] = ()
    contents: tuple[ContentSeen, ...] = ()
    unread: tuple[tuple[WantedContent, str], ...] = ()
    changed: tuple[str, ...] = ()
    hinted: bool = False
    from_shell: frozenset[str] = frozenset()
    inputs: tuple[str, ...] = ()
    key: bytes = field(default=b"", repr=False)
    inherited: frozenset[str] = frozenset()
    volumes: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    directory: str = ""
