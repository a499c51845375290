"""In what a container differs from one that Compose would make now: values in, names out. Pure."""

import hashlib
import hmac
from collections.abc import Iterator, Set
from typing import Final

from freshd.model.observed.creation import ConfigSeen
from freshd.model.observed.mounts.other_data import find_other_data

ENVIRONMENT: Final = "environment."


_SHOWN_HASH = 12


# What the client adds by its own configuration, whatever the model says.
_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"})


# What Podman gives every container, and lists as if it had been asked for.
_PODMANS: Final = frozenset({"container", "HOME", "HOSTNAME", "PATH", "TERM"})


def differing_variables(seen: ConfigSeen) -> dict[str, str]:
    """Variables that a new container would have otherwise: name -> changed, missing, left over."""
    wanted, there = seen.wanted.environment, seen.creation.environment
    found = {}
    for name, value in wanted.items():
        if name not in there:
            if value is not None:
                found[name] = "missing"
        elif there[name] != value and not _from_image(seen, name, value):
            found[name] = "changed"
    if seen.image is None:
        return found
    its_own = _PODMANS if there.get("container") in ("podman", "oci") else frozenset()
    for name, held in there.items():
        if name in wanted or name.upper() in _PROXIES:
            continue
        if name in its_own and name not in seen.image.environment:
            continue
        if held is not None and seen.image.environment.get(name) != held:
            found[name] = "left over"
    return found


def _from_image(seen: ConfigSeen, name: str, wanted: str | None) -> bool:
    """A variable that the shell does not set is left to the image."""
    image = seen.image
    return wanted is None and (
        image is None or image.environment.get(name) == seen.creation.environment[name]
    )


def differing_keys(seen: ConfigSeen) -> dict[str, str]:
    """Keys of the service that a new container would be made with otherwise, and how."""
    wanted, made = seen.wanted, seen.creation
    found = dict.fromkeys(seen.changed, "changed since the container was made")
    for key in _TOLD_BY_VALUES & found.keys():
        del found[key]
    if wanted.image != made.image:
        found["image"] = f"{made.image} and not {wanted.image}"
    for key, want, have in (
        ("entrypoint", _entrypoint(seen), made.entrypoint),
        ("command", _command(seen), made.command),
    ):
        if want is not None and want != have:
            found[key] = "the container was made with another"
    for key, text, held in (
        ("user", wanted.user, made.user),
        ("working_dir", wanted.working_dir, made.working_dir),
    ):
        if text and text.rstrip("/") != held.rstrip("/"):
            found[key] = f"{held or 'none'} and not {text}"
    if wanted.ports != made.ports:
        odd = wanted.ports ^ made.ports
        found["ports"] = ", ".join(sorted(odd))
    absent = wanted.networks - made.networks
    if absent and made.networks:
        found["networks"] = f"not connected to {', '.join(sorted(absent))}"
    other = {each.target for each in find_other_data(seen)}
    if other:
        found.pop("volumes", None)
    mounts = sorted(_differing_mounts(seen, other))
    if mounts:
        found["volumes"] = ", ".join(mounts)
    return found


_TOLD_BY_VALUES: Final = frozenset({"command", "entrypoint"})


def _entrypoint(seen: ConfigSeen) -> tuple[str, ...] | None:
    if seen.wanted.entrypoint is not None:
        return seen.wanted.entrypoint or None  # an empty one is told apart by nobody
    return None if seen.image is None else seen.image.entrypoint


def _command(seen: ConfigSeen) -> tuple[str, ...] | None:
    """An entrypoint of the model's own takes the image's command away."""
    if seen.wanted.command is not None:
        return seen.wanted.command or None
    if seen.wanted.entrypoint is not None:
        return ()
    return None if seen.image is None else seen.image.command


def _differing_mounts(seen: ConfigSeen, other: Set[str]) -> Iterator[str]:
    """Those that show the same data in another way, or where nothing was shown before.

    ``other`` are the places that would show other data: that is a finding of its own.
    """
    there = {mount.target: mount for mount in seen.mounts}
    for want in seen.wanted.mounts:
        have = there.get(want.target)
        if have is None:
            yield f"{want.target} is missing"
        elif want.target not in other and want.read_only is have.writable and have.kind != "tmpfs":
            yield f"{want.target} is {'writable' if have.writable else 'read-only'}"


def sealed(key: bytes, text: str | None) -> str | None:
    """A keyed hash, which tells whether two values are equal and nothing else of them."""
    if text is None:
        return None
    content = text.encode(errors="surrogateescape")
    return f"keyed:{hmac.new(key, content, hashlib.sha256).hexdigest()[:_SHOWN_HASH]}"
