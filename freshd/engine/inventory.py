"""What an engine still has of the objects once seen: ids in, those that went out.

An object is a full container id, an image id, or ``volume:`` and a volume's name.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from freshd.engine.client import Engine
from freshd.engine.transport import sdk_errors
from freshd.model.errors import TargetGone

VOLUME: Final = "volume:"
_NONE: Final = frozenset({"<none>:<none>", "<none>@<none>"})


@dataclass(frozen=True, slots=True)
class Missing:
    """``gone``: it has them no more. ``unused``: images that no tag and no container names."""

    gone: frozenset[str] = frozenset()
    unused: frozenset[str] = frozenset()


def identity(engine: Engine) -> str:
    """Tells engines apart, also those that answer at the same address in turn.

    Made of address, host name and data directory: Podman gives itself another id in each answer.
    """
    info = engine.info()
    return f"{engine.endpoint.host} {info.name} {info.root}"


def missing(engine: Engine, objects: Collection[str]) -> Missing:
    """What of ``objects`` is not there any more; each is asked for before it counts as gone.

    Nothing where there is no container at all: an engine whose disk is not mounted looks like that.
    """
    containers = engine.listing()
    if not containers:
        return Missing()
    with sdk_errors.translated(engine.endpoint, "listing images"):
        images = engine.api.images()
    idle = {str(image["Id"]) for image in images if not any(_names(image))}
    named = {str(image["Id"]) for image in images} - idle
    used = {name for container in containers for name in _used_by(container)}
    doubtful = frozenset(objects) - used - named
    unused = {name for name in doubtful if name in idle}
    return Missing(
        gone=frozenset(name for name in doubtful - unused if not _is_there(engine, name)),
        unused=frozenset(unused),
    )


def _used_by(container: Mapping[str, Any]) -> Iterator[str]:
    yield str(container["Id"])
    yield str(container.get("ImageID") or "")
    for mount in container.get("Mounts") or ():
        yield VOLUME + str(mount.get("Name") or "")


def _names(image: Mapping[str, Any]) -> Iterator[str]:
    for key in ("RepoTags", "RepoDigests"):
        yield from (name for name in image.get(key) or () if name not in _NONE)


def _is_there(engine: Engine, name: str) -> bool:
    ask: Callable[[str], object] = engine.api.inspect_container
    if name.startswith(VOLUME):
        ask, name = engine.api.inspect_volume, name.removeprefix(VOLUME)
    elif ":" in name:
        ask = engine.api.inspect_image
    try:
        with sdk_errors.translated(engine.endpoint, f"inspecting {name[:19]}"):
            ask(name)
    except TargetGone:
        return False
    return True
