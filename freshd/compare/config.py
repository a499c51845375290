"""The config link: how Compose would make a container now against how this one was made.

In go one replica's ``ConfigSeen`` values, findings come out. Values of the environment stay inside:
names come out, and keyed hashes.
"""

from collections.abc import Iterator

from freshd.compare import evidence
from freshd.compare.comparison import Finder, ServingReplica, per_replica
from freshd.compare.finding import make_finding
from freshd.compare.renewal import judge_files, judge_mounts
from freshd.compare.unreadable import UNREADABLE
from freshd.model.observed.config_drift import (
    ENVIRONMENT,
    differing_keys,
    differing_variables,
    sealed,
)
from freshd.model.observed.creation import ConfigSeen, ContentSeen
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import Json, printable

_SHOWN = 3
_WAS = {"changed": "changed", "missing": "is new", "left over": "was removed"}


def config_findings(serving: ServingReplica) -> Iterator[Finding]:
    """At most one of each cause. That the image is another one is a finding of its own."""
    config, other = serving.runtime.config, serving.runtime.made_from
    if other is not None:
        yield judge_files(serving.service, serving.replica, other)
    if config is None:
        return
    variables, keys = differing_variables(config), differing_keys(config)
    tag = serving.facts.tag_image
    if tag is not None and tag.id != serving.replica.image_id:
        keys.pop("image", None)
    if variables:
        yield _env_changed(serving, config, variables)
    moved = judge_mounts(serving.service, serving.replica, config)
    if moved is not None:
        yield moved
    if keys or (config.hinted and not variables and moved is None):
        yield _compose_changed(serving, config, keys)
    if config.contents:
        yield _content_changed(serving, config)
    for content, reason in config.unread:
        what = f"{content.kind} {printable(content.name)}"
        yield _finding(
            UNREADABLE,
            f"the file of {what} could not be read: {printable(reason)}",
            serving,
            config,
            {content.kind: content.name, "target": content.target, "reason": reason},
            link=LinkName.CONFIG,
        )


def _env_changed(serving: ServingReplica, config: ConfigSeen, variables: dict[str, str]) -> Finding:
    wanted, there, key = config.wanted.environment, config.creation.environment, config.key
    words = [f"{printable(name)} {_WAS[how]}" for name, how in sorted(variables.items())]
    hashes: dict[str, Json] = {
        name: {"model": sealed(key, wanted.get(name)), "container": sealed(key, there.get(name))}
        for name in sorted(variables)
    }
    names = {f"{ENVIRONMENT}{name}" for name in variables}
    return _finding(
        "env-changed",
        f"the environment of {serving.replica.name} is not the model's: {_some(words)}"
        f"{_shell(config, names)}",
        serving,
        config,
        {"variables": hashes},
        level=_level(config, names),
    )


def _compose_changed(serving: ServingReplica, config: ConfigSeen, keys: dict[str, str]) -> Finding:
    words = [f"{printable(key)} ({printable(how)})" for key, how in sorted(keys.items())]
    what = _some(words) or "the hash that Compose left on it is another, and nothing tells why"
    return _finding(
        "compose-changed",
        f"{serving.replica.name} was made from another model: {what}{_shell(config, set(keys))}",
        serving,
        config,
        {"keys": dict(sorted(keys.items()))},
        level=_level(config, set(keys)) if keys else Level.NOTE,
    )


def _content_changed(serving: ServingReplica, config: ConfigSeen) -> Finding:
    contents = config.contents
    words = [f"{content.wanted.kind} {printable(content.wanted.name)}" for content in contents]
    return _finding(
        "config-content-changed",
        f"{serving.replica.name} holds other content than the model's: {_some(words)}",
        serving,
        config,
        {
            "contents": [_content(content) for content in contents],
            "drift": evidence.drift((c.wanted.target, c.expected) for c in contents),
        },
    )


def _content(content: ContentSeen) -> dict[str, Json]:
    return {
        content.wanted.kind: content.wanted.name,
        "target": content.wanted.target,
        "model": content.expected,
        "container": content.seen,
    }


def _level(config: ConfigSeen, keys: set[str]) -> Level | None:
    """What comes from the shell alone may be right in the shell that made the container."""
    return Level.NOTE if keys <= config.from_shell else None


def _shell(config: ConfigSeen, keys: set[str]) -> str:
    if not keys or not keys <= config.from_shell:
        return ""
    return "; it comes from the environment of the shell, which may have been another"


def _some(words: list[str]) -> str:
    more = f" and {len(words) - _SHOWN:,} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def _finding(
    cause: str,
    message: str,
    serving: ServingReplica,
    config: ConfigSeen,
    shown: dict[str, Json],
    *,
    level: Level | None = None,
    link: LinkName | None = None,
) -> Finding:
    return make_finding(
        cause,
        serving.service,
        message,
        replica=serving.replica,
        level=level,
        link=link,
        paths=config.inputs,
        evidence={**shown, "changed_since": list(config.inputs)},
    )


FINDERS: tuple[Finder, ...] = (per_replica(config_findings),)
