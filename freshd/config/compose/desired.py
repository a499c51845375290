"""How Compose would make containers now: ``docker compose config`` in, values out. Pure.

``docker compose config`` writes ``$`` as ``$$``, so that what it prints can be read again.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from freshd.config.compose.names import default_image
from freshd.model.observed.creation import Wanted, WantedContent, WantedMount
from freshd.model.paths import absolute
from freshd.model.text import Json

# Compose leaves these out of its own hash; what they change needs no new container, or is seen in
# the container itself. ``develop`` says how files are synced, not how a container is made.
_NOT_MADE_OF: Final = frozenset(
    {"build", "pull_policy", "scale", "depends_on", "profiles", "develop", "environment", "image"}
)
_HASH_IS_WRONG: Final = ("network_mode", "ipc", "pid")


def read_wanted(
    config: Mapping[str, Json], underscored: Collection[str] = ()
) -> Mapping[str, Wanted]:
    """Service -> how it would be made, for every one of the resolved model.

    ``underscored`` are the services whose names Compose joins as v1 did. What is malformed is left
    out here: ``model.parse`` reports it.
    """
    services = config.get("services")
    if not isinstance(services, Mapping):
        return {}
    name = _text(config.get("name"))
    return {
        key: _wanted(config, default_image(name, key, underscores=key in underscored), raw)
        for key, raw in services.items()
        if isinstance(raw, Mapping)
    }


def _wanted(config: Mapping[str, Json], image: str, raw: Mapping[str, Json]) -> Wanted:
    return Wanted(
        image=_text(raw.get("image")) or image,
        environment={key: _value(value) for key, value in _map(raw.get("environment")).items()},
        command=_words(raw.get("command")),
        entrypoint=_words(raw.get("entrypoint")),
        user=_text(raw.get("user")),
        working_dir=_text(raw.get("working_dir")),
        ports=frozenset() if raw.get("network_mode") else frozenset(_ports(raw.get("ports"))),
        networks=frozenset(_names(config, "networks", _map(raw.get("networks")))),
        mounts=tuple(_mounts(config, raw)),
        contents=tuple(_contents(config, raw)),
        parts={
            key: _canonical(key, value) for key, value in raw.items() if key not in _NOT_MADE_OF
        },
        hash_holds=not _hash_is_wrong(raw),
        all_mounts=not raw.get("volumes_from"),
    )


def _hash_is_wrong(raw: Mapping[str, Json]) -> bool:
    joins = (_text(raw.get(key)).startswith("service:") for key in _HASH_IS_WRONG)
    kinds = {_text(_map(volume).get("type")) for volume in _list(raw.get("volumes"))}
    return any(joins) or bool(raw.get("volumes_from")) or "image" in kinds


def _canonical(key: str, value: Json) -> str:
    """Equal text for equal meaning; how many replicas there are is no part of one container."""
    if key == "deploy" and isinstance(value, Mapping):
        value = {name: part for name, part in value.items() if name != "replicas"}
    return json.dumps(_without_nothing(value), sort_keys=True)


def _without_nothing(value: Json) -> Json:
    """Versions of Compose differ in whether they print what is not set."""
    if isinstance(value, Mapping):
        members = {key: _without_nothing(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member not in (None, {}, [])}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_nothing(member) for member in value]
    return value


def _ports(value: Json) -> Iterator[str]:
    for port in map(_map, _list(value)):
        published = _text(port.get("published"))
        yield port_words(
            _text(port.get("host_ip")),
            published,
            f"{_text(port.get('target'))}/{_text(port.get('protocol')) or 'tcp'}",
        )


def port_words(host: str, published: str, target: str) -> str:
    """A published port as findings name it; "" and 0 are any port of the host."""
    host = "" if host in ("0.0.0.0", "::") else host  # noqa: S104 (it is read, not bound)
    return f"{host}:{'' if published == '0' else published}->{target}"


def _names(config: Mapping[str, Json], kind: str, used: Mapping[str, Json]) -> Iterator[str]:
    defined = _map(config.get(kind))
    for key in used:
        yield _text(_map(defined.get(key)).get("name")) or key


def _mounts(config: Mapping[str, Json], raw: Mapping[str, Json]) -> Iterator[WantedMount]:
    volumes = _map(config.get("volumes"))
    for mount in map(_map, _list(raw.get("volumes"))):
        kind, source = _text(mount.get("type")), _text(mount.get("source"))
        if kind not in ("bind", "volume", "tmpfs"):
            continue
        named = _map(volumes.get(source)) if kind == "volume" and source else None
        yield WantedMount(
            kind,
            absolute(_text(mount.get("target"))),
            source if named is None else _text(named.get("name")) or source,
            read_only=mount.get("read_only") is True,
            subpath=_text(_map(mount.get("volume")).get("subpath")),
            options=None if named is None or named.get("external") else _driver_options(named),
        )
    tmpfs = raw.get("tmpfs")
    for name in [tmpfs] if isinstance(tmpfs, str) else _list(tmpfs):
        yield WantedMount("tmpfs", absolute(_text(name).partition(":")[0]))


def _driver_options(volume: Mapping[str, Json]) -> Mapping[str, str]:
    driver = _text(volume.get("driver")) or "local"
    own = {} if driver == "local" else {"driver": driver}
    return own | {key: _text(text) for key, text in _map(volume.get("driver_opts")).items()}


def _contents(config: Mapping[str, Json], raw: Mapping[str, Json]) -> Iterator[WantedContent]:
    for kind, default in (("configs", "/{}"), ("secrets", "/run/secrets/{}")):
        defined = _map(config.get(kind))
        for use in map(_map, _list(raw.get(kind))):
            name = _text(use.get("source"))
            target = _text(use.get("target")) or default.format(name)
            if not target.startswith("/"):
                target = default.format(target)
            source = _map(defined.get(name))
            content = source.get("content")
            yield WantedContent(
                kind=kind.removesuffix("s"),
                name=name,
                target=absolute(target),
                file=_text(source.get("file")) or None,
                content=_text(content) if isinstance(content, str) else None,
            )


def _words(value: Json) -> tuple[str, ...] | None:
    if value is None:
        return None
    return (_text(value),) if isinstance(value, str) else tuple(map(_text, _list(value)))


def _value(value: Json) -> str | None:
    return None if value is None else _text(value)


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).replace("$$", "$")


def _map(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
