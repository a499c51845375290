"""The config link: how Compose would make a container now against how this one was made.

In go one replica's ``ConfigSeen`` values, findings come out. Values of the environment stay inside:
names come out, and keyed hashes.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Final

from freshd.causes import evidence
from freshd.living import ConfigSeen, ContentSeen, WantedMount
from freshd.model import Finding, Json, Level, LinkName, Mount, Remedy, Replica, printable

ENVIRONMENT: Final = "environment."
_SHOWN = 3
_SHOWN_HASH = 12
# What the client adds by its own configuration, whatever the model says.
_PROXIES: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"})
# What Podman gives every container, and lists as if it had been asked for.
_PODMANS: Final = frozenset({"container", "HOME", "HOSTNAME", "PATH", "TERM"})


def config_findings(
    service: str, replica: Replica, seen: ConfigSeen, *, other_image: bool
) -> Iterator[Finding]:
    """At most one of each cause. ``other_image``: that the image differs is told elsewhere."""
    variables = differing_variables(seen)
    if variables:
        yield _env_changed(service, replica, seen, variables)
    keys = differing_keys(seen)
    if other_image:
        keys.pop("image", None)
    if keys or (seen.hinted and not variables):
        yield _compose_changed(service, replica, seen, keys)
    if seen.contents:
        yield _content_changed(service, replica, seen)


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
    mounts = sorted(_differing_mounts(seen))
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


def _differing_mounts(seen: ConfigSeen) -> Iterator[str]:
    there = {mount.target: mount for mount in seen.mounts}
    known = {content.target for content in seen.wanted.contents}
    for want in seen.wanted.mounts:
        known.add(want.target)
        have = there.get(want.target)
        if have is None:
            yield f"{want.target} is missing"
        elif not _same_mount(want, have):
            yield f"{want.target} is another {have.kind}"
        elif want.read_only is have.writable and have.kind != "tmpfs":
            yield f"{want.target} is {'writable' if have.writable else 'read-only'}"
    for target, have in there.items():
        gone = target not in known and target not in seen.creation.anonymous
        if gone and have.kind in ("bind", "volume") and seen.wanted.all_mounts:
            yield f"{target} is left over"


def _same_mount(want: WantedMount, have: Mount) -> bool:
    if want.kind != have.kind:
        return False
    if want.kind == "bind":
        # a desktop's virtual machine has the host's files below a directory of its own
        return have.source == want.source or have.source.endswith(want.source)
    return want.kind != "volume" or not want.source or have.name == want.source


def sealed(key: bytes, text: str | None) -> str | None:
    """A keyed hash, which tells whether two values are equal and nothing else of them."""
    if text is None:
        return None
    content = text.encode(errors="surrogateescape")
    return f"keyed:{hmac.new(key, content, hashlib.sha256).hexdigest()[:_SHOWN_HASH]}"


def _env_changed(
    service: str, replica: Replica, seen: ConfigSeen, variables: dict[str, str]
) -> Finding:
    wanted, there, key = seen.wanted.environment, seen.creation.environment, seen.key
    words = [f"{printable(name)} {_was(how)}" for name, how in sorted(variables.items())]
    hashes: dict[str, Json] = {
        name: {"model": sealed(key, wanted.get(name)), "container": sealed(key, there.get(name))}
        for name in sorted(variables)
    }
    names = {f"{ENVIRONMENT}{name}" for name in variables}
    return _finding(
        service,
        replica,
        seen,
        cause="env-changed",
        level=_level(seen, names),
        message=f"the environment of {replica.name} is not the model's: {_some(words)}"
        f"{_shell(seen, names)}",
        found={"variables": hashes},
    )


def _was(how: str) -> str:
    return {"changed": "changed", "missing": "is new", "left over": "was removed"}[how]


def _compose_changed(
    service: str, replica: Replica, seen: ConfigSeen, keys: dict[str, str]
) -> Finding:
    words = [f"{printable(key)} ({printable(how)})" for key, how in sorted(keys.items())]
    what = _some(words) or "the hash that Compose left on it is another, and nothing tells why"
    return _finding(
        service,
        replica,
        seen,
        cause="compose-changed",
        level=_level(seen, set(keys)) if keys else Level.NOTE,
        message=f"{replica.name} was made from another model: {what}{_shell(seen, set(keys))}",
        found={"keys": dict(sorted(keys.items()))},
    )


def _content_changed(service: str, replica: Replica, seen: ConfigSeen) -> Finding:
    words = [f"{one.wanted.kind} {printable(one.wanted.name)}" for one in seen.contents]
    return _finding(
        service,
        replica,
        seen,
        cause="config-content-changed",
        level=Level.STALE,
        message=f"{replica.name} holds other content than the model's: {_some(words)}",
        found={
            "contents": [_content(one) for one in seen.contents],
            "drift": evidence.drift((one.wanted.target, one.expected) for one in seen.contents),
        },
    )


def _content(one: ContentSeen) -> dict[str, Json]:
    return {
        one.wanted.kind: one.wanted.name,
        "target": one.wanted.target,
        "model": one.expected,
        "container": one.seen,
    }


def _level(seen: ConfigSeen, keys: set[str]) -> Level:
    """What comes from the shell alone may be right in the shell that made the container."""
    return Level.NOTE if keys <= seen.from_shell else Level.STALE


def _shell(seen: ConfigSeen, keys: set[str]) -> str:
    if not keys or not keys <= seen.from_shell:
        return ""
    return "; it comes from the environment of the shell, which may have been another"


def _some(words: list[str]) -> str:
    more = f" and {len(words) - _SHOWN:,} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def _finding(
    service: str,
    replica: Replica,
    seen: ConfigSeen,
    *,
    cause: str,
    level: Level,
    message: str,
    found: dict[str, Json],
) -> Finding:
    return Finding(
        cause=cause,
        level=level,
        link=LinkName.CONFIG,
        service=service,
        message=message,
        remedy=Remedy.RECREATE,
        container=replica.name,
        container_id=replica.id,
        paths=seen.inputs,
        evidence={**found, "changed_since": list(seen.inputs)},
    )
