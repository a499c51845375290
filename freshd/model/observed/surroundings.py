"""What lies around the files of a service and keeps edits out of its containers."""

from dataclasses import dataclass

from freshd.model.files import Entry
from freshd.model.observed.container import Mount
from freshd.model.observed.image import Fetched


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
class Surroundings:
    """What lies around a service's files, and says why an edit does not get into its containers."""

    covered: tuple[Covered, ...] = ()
    links_out: tuple[LinkOut, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    strays: tuple[Stray, ...] = ()
    elsewhere: Elsewhere | None = None
