"""The config link: how Compose would make a container now against how this one was made.

In go one replica's ``ConfigSeen`` values, findings come out. Values of the environment stay inside:
names come out, and keyed hashes.
"""

from collections.abc import Iterator

from freshd.compare import evidence
from freshd.model.observed.config_drift import (
    ENVIRONMENT,
    differing_keys,
    differing_variables,
    sealed,
)
from freshd.model.observed.container import Replica
from freshd.model.observed.creation import ConfigSeen, ContentSeen
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import Json, printable

_SHOWN = 3


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
