"""Which paths would show other data in a new container: mounts in, pairs of names out. Pure.

Options of a mount, such as `ro` and `z`, change nothing of what a path shows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from freshd.model.observed.container import Mount
from freshd.model.observed.creation import ConfigSeen, WantedMount
from freshd.model.paths import innermost, is_below

# a desktop's virtual machine has the host's files below a directory of its own
_DESKTOP = ("/host_mnt", "/run/desktop/mnt/host", "/mnt/host")


@dataclass(frozen=True, slots=True)
class OtherData:
    """At ``target`` the container shows ``had``, and a new one would show ``gets``: names."""

    target: str
    had: str
    gets: str

    @property
    def words(self) -> str:
        """Both by name."""
        return f"{self.target}: {self.had} -> {self.gets}"


def find_other_data(seen: ConfigSeen) -> Iterator[OtherData]:
    """In the order of their paths. Config and secret files are left to their own findings.

    What is missing in the model, and is a volume of the image, goes on with a new container; so
    does what is at the place of an anonymous one. A tmpfs is nobody's data once it ends.
    """
    wants = {want.target: want for want in seen.wanted.mounts}
    kept = seen.inherited.union(content.target for content in seen.wanted.contents)
    told = seen.wanted.all_mounts
    for have in seen.mounts:
        want = wants.get(have.target)
        if want is not None:
            if not is_same_data(want, have) or _redefined(want, seen):
                yield OtherData(have.target, _had(have, want, seen), _gets(want, seen))
        elif told and have.kind in ("bind", "volume") and have.target not in kept:
            yield OtherData(have.target, _name(have, seen), _below(have.target, wants, seen))


def is_same_data(want: WantedMount, have: Mount) -> bool:
    """Whether a new container shows at ``want`` what the old one has there."""
    if want.kind == "volume" and not want.source:
        return have.kind in ("volume", "bind")  # Compose hands it on to the next container
    if want.kind != have.kind or want.subpath != have.subpath:
        return False
    if want.kind == "bind":
        return have.source in (want.source, *(f"{top}{want.source}" for top in _DESKTOP))
    return want.kind != "volume" or have.name == want.source


def _redefined(want: WantedMount, seen: ConfigSeen) -> bool:
    """Whether the model has the volume of that name otherwise than it was made."""
    made = seen.volumes.get(want.source) if want.kind == "volume" else None
    return made is not None and want.options is not None and dict(want.options) != dict(made)


def _had(have: Mount, want: WantedMount, seen: ConfigSeen) -> str:
    options = seen.volumes.get(have.name) if _redefined(want, seen) else None
    return _name(have, seen) + _options(options)


def _gets(want: WantedMount, seen: ConfigSeen) -> str:
    made = Mount(want.kind, want.target, want.source, name=want.source, subpath=want.subpath)
    return _name(made, seen) + _options(want.options if _redefined(want, seen) else None)


def _name(mount: Mount, seen: ConfigSeen) -> str:
    if mount.kind == "bind":
        return f"bind {_shown(mount.source, seen.directory)}"
    if mount.kind != "volume":
        return mount.kind
    if not mount.name or (mount.target in seen.creation.anonymous and mount in seen.mounts):
        return "an anonymous volume"
    return f"volume {mount.name}{f' ({mount.subpath})' if mount.subpath else ''}"


def _shown(source: str, directory: str) -> str:
    if not directory or not is_below(source, directory):
        return source
    return f".{source.removeprefix(directory)}"


def _below(target: str, wants: Mapping[str, WantedMount], seen: ConfigSeen) -> str:
    """What shows at a place that has no mount of its own."""
    at = innermost(target, wants)
    return "the image's own content" if at is None else f"what {_gets(wants[at], seen)} has there"


def _options(options: Mapping[str, str] | None) -> str:
    if options is None:
        return ""
    return f" ({', '.join(f'{key}={text}' for key, text in sorted(options.items())) or 'plain'})"
