"""The Compose model as freshd needs it: the JSON of ``docker compose config`` in, values out. Pure.

Configs and secrets are not read here; ``volumes_from`` is not followed and named in ``unfollowed``.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from freshd.config.compose.desired import read_wanted
from freshd.config.compose.names import default_image
from freshd.model.errors import ConfigError
from freshd.model.observed.creation import Wanted
from freshd.model.paths import absolute
from freshd.model.text import Json

SWITCHES: Final = frozenset(
    {
        *("APP_ENV", "ASPNETCORE_ENVIRONMENT", "FLASK_DEBUG", "FLASK_ENV"),
        *("GUNICORN_CMD_ARGS", "MIX_ENV", "NODE_ENV", "RACK_ENV", "RAILS_ENV", "UVICORN_RELOAD"),
    }
)
"""Environment variables that decide how a server loads new code. No other value is kept."""
_MOUNT_KINDS: Final = frozenset({"bind", "volume", "tmpfs", "npipe", "cluster", "image"})


@dataclass(frozen=True, slots=True)
class ComposeMount:
    """One mount. ``source`` is a bind's host path, a named volume's key, "" if anonymous.

    ``named`` is the host path as the Compose file has it, where links lead from there to it.
    ``device`` is the host path that a named volume is made of, by its driver's options.
    """

    kind: str
    target: str
    source: str = ""
    read_only: bool = False
    named: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class ComposeBuild:
    """One ``build:``. ``context`` is absolute or remote; ``dockerfile`` relative to it or absolute.

    ``named`` is the context as the Compose file has it, where links lead from there to it.
    ``args`` with the value None are taken from the builder's environment.
    """

    context: str
    dockerfile: str = "Dockerfile"
    dockerfile_inline: str | None = None
    args: Mapping[str, str | None] = field(default_factory=dict)
    target: str | None = None
    additional_contexts: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    named: str = ""

    @property
    def remote(self) -> bool:
        """Whether the context is fetched from elsewhere, so that no tree is its source."""
        return is_remote(self.context)


@dataclass(frozen=True, slots=True)
class ComposeExec:
    """What ``sync+exec`` runs; "" and nothing where the image decides."""

    command: tuple[str, ...] = ()
    user: str = ""
    privileged: bool = False
    working_dir: str = ""
    environment: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComposeWatch:
    """One rule of ``develop.watch``. ``path`` is absolute; ``target`` keeps a final slash."""

    path: str
    action: str
    target: str = ""
    ignore: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    initial_sync: bool = False
    exec: ComposeExec = ComposeExec()


@dataclass(frozen=True, slots=True)
class ComposeService:
    """One service. ``image`` is the tag it runs; ``project-service`` where Compose names it.

    ``switches`` are those of its environment variables that ``SWITCHES`` names.
    ``joins`` are the services whose network, process or IPC namespace it shares.
    A service that runs the image which another one builds has that one's ``build``, and its name
    as ``built_by``.
    """

    name: str
    image: str
    build: ComposeBuild | None = None
    mounts: tuple[ComposeMount, ...] = ()
    scale: int = 1
    profiles: tuple[str, ...] = ()
    restart: str = ""
    command: tuple[str, ...] | None = None
    platform: str = ""
    container_name: str = ""
    unfollowed: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    switches: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = ""
    built_by: str = ""
    depends_on: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    watch: tuple[ComposeWatch, ...] = ()


@dataclass(frozen=True, slots=True)
class ComposeModel:
    """``wanted`` is how each service's containers would be made; it holds what may be secret."""

    name: str
    services: Mapping[str, ComposeService]
    wanted: Mapping[str, Wanted] = field(default_factory=dict, repr=False)


def parse(config: Mapping[str, Json], underscored: Collection[str] = ()) -> ComposeModel:
    """Read the JSON of ``docker compose config``; ConfigError says which key is malformed.

    ``underscored`` are the services whose names Compose joins as v1 did.
    """
    name = _text(config.get("name"), "name")
    raw = _mapping(config.get("services"), "services")
    devices = _devices(config)
    parsed = {}
    for key, value in raw.items():
        image = default_image(name, key, underscores=key in underscored)
        service = _service(key, value, image=image)
        mounts = tuple(
            replace(mount, device=devices.get(mount.source, ""))
            if mount.kind == "volume"
            else mount
            for mount in service.mounts
        )
        parsed[key] = replace(service, mounts=mounts)
    built = {key: _with_builder(service, parsed) for key, service in parsed.items()}
    return ComposeModel(name, built, read_wanted(config, underscored))


def _devices(config: Mapping[str, Json]) -> Mapping[str, str]:
    """The directories of this machine that named volumes are, by the volume's key."""
    devices = {}
    for key, value in _mapping(config.get("volumes"), "volumes").items():
        volume = _mapping(value, f"volumes.{key}")
        options = _mapping(volume.get("driver_opts"), f"volumes.{key}.driver_opts")
        device, kind = options.get("device"), options.get("o")
        if isinstance(device, str) and os.path.isabs(device) and "bind" in str(kind).split(","):
            devices[key] = device
    return devices


def normalize_tag(reference: str) -> str:
    """A reference as the engine spells it: ``latest`` if no tag is given, no default registry."""
    if reference and "@" not in reference and ":" not in reference.rpartition("/")[2]:
        reference += ":latest"
    return reference.removeprefix("docker.io/library/").removeprefix("docker.io/")


def _with_builder(
    service: ComposeService, services: Mapping[str, ComposeService]
) -> ComposeService:
    """Several services may run one image; its build is that of the service that builds it."""
    image = normalize_tag(service.image)
    builders = [
        other for other in services.values() if other.build and normalize_tag(other.image) == image
    ]
    if not builders:
        return service
    if any(builder.build != builders[0].build for builder in builders):
        names = ", ".join(builder.name for builder in builders)
        clash = f"image {service.image} is built by {names} in different ways: the last one has it"
        service = replace(service, unfollowed=(*service.unfollowed, clash))
    if service.build is not None:
        return service
    return replace(service, build=builders[0].build, built_by=builders[0].name)


def is_remote(context: str) -> bool:
    """A git repository or URL, as Compose tells them from a path."""
    prefixes = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")
    return context.startswith(prefixes) or "://" in context


def _service(name: str, value: Json, *, image: str) -> ComposeService:
    where = f"services.{name}"
    raw = _mapping(value, where)
    return ComposeService(
        name=name,
        image=_text(raw.get("image"), f"{where}.image") or image,
        build=_build(raw.get("build"), f"{where}.build"),
        mounts=_mounts(raw, where),
        scale=_scale(raw, where),
        profiles=_texts(raw.get("profiles"), f"{where}.profiles"),
        restart=_restart(raw, where),
        command=_command(raw.get("command"), f"{where}.command"),
        platform=_text(raw.get("platform"), f"{where}.platform"),
        container_name=_text(raw.get("container_name"), f"{where}.container_name"),
        unfollowed=tuple(
            f"volumes_from {container}: the mounts of another container are not followed"
            for container in _texts(raw.get("volumes_from"), f"{where}.volumes_from")
        ),
        entrypoint=_command(raw.get("entrypoint"), f"{where}.entrypoint"),
        switches=_switches(raw.get("environment"), f"{where}.environment"),
        working_dir=_text(raw.get("working_dir"), f"{where}.working_dir"),
        depends_on=tuple(_mapping(raw.get("depends_on"), f"{where}.depends_on")),
        joins=_joins(raw, where),
        watch=_watch(raw.get("develop"), f"{where}.develop"),
    )


def find_followers(services: Mapping[str, ComposeService], name: str) -> tuple[str, ...]:
    """The services that share a namespace of ``name``'s, directly or by another, sorted.

    When its containers are recreated or restarted, theirs lose that namespace.
    """
    followers: set[str] = set()
    reached = {name}
    while reached:
        reached = {
            service.name for service in services.values() if reached.intersection(service.joins)
        }
        reached -= {*followers, name}
        followers |= reached
    return tuple(sorted(followers))


def _joins(raw: Mapping[str, Json], where: str) -> tuple[str, ...]:
    modes = (_text(raw.get(key), f"{where}.{key}") for key in ("network_mode", "pid", "ipc"))
    return tuple({m.removeprefix("service:"): None for m in modes if m.startswith("service:")})


def _build(value: Json, where: str) -> ComposeBuild | None:
    if value is None:
        return None
    raw = _mapping(value, where)
    context = _text(raw.get("context"), f"{where}.context")
    if not context:
        raise ConfigError(f"Compose model: {where}.context is missing")
    args = _mapping(raw.get("args"), f"{where}.args")
    contexts = _mapping(raw.get("additional_contexts"), f"{where}.additional_contexts")
    inline = raw.get("dockerfile_inline")
    return ComposeBuild(
        context=context,
        dockerfile=_text(raw.get("dockerfile"), f"{where}.dockerfile") or "Dockerfile",
        dockerfile_inline=None if inline is None else _text(inline, f"{where}.dockerfile_inline"),
        args={key: None if text is None else _scalar(text) for key, text in args.items()},
        target=_text(raw.get("target"), f"{where}.target") or None,
        additional_contexts={key: _scalar(place) for key, place in contexts.items()},
        platforms=_texts(raw.get("platforms"), f"{where}.platforms"),
    )


def _mounts(raw: Mapping[str, Json], where: str) -> tuple[ComposeMount, ...]:
    mounts = [
        _mount(mount, f"{where}.volumes[{number}]")
        for number, mount in enumerate(_sequence(raw.get("volumes"), f"{where}.volumes"))
    ]
    tmpfs = raw.get("tmpfs")
    listed = [tmpfs] if isinstance(tmpfs, str) else _sequence(tmpfs, f"{where}.tmpfs")
    # "/run:size=1m" has its options behind a colon
    mounts += [
        ComposeMount("tmpfs", absolute(_scalar(mount).partition(":")[0])) for mount in listed
    ]
    return tuple(mounts)


def _mount(value: Json, where: str) -> ComposeMount:
    raw = _mapping(value, where)
    kind = _text(raw.get("type"), f"{where}.type")
    target = _text(raw.get("target"), f"{where}.target")
    if kind not in _MOUNT_KINDS:
        raise ConfigError(f"Compose model: {where}.type is {kind!r}, which is not a kind of mount")
    if not target:
        raise ConfigError(f"Compose model: {where}.target is missing")
    source = _text(raw.get("source"), f"{where}.source")
    return ComposeMount(kind, absolute(target), source, read_only=raw.get("read_only") is True)


def _watch(develop: Json, where: str) -> tuple[ComposeWatch, ...]:
    rules = _sequence(_mapping(develop, where).get("watch"), f"{where}.watch")
    return tuple(_watch_rule(rule, f"{where}.watch[{at}]") for at, rule in enumerate(rules))


def _watch_rule(value: Json, where: str) -> ComposeWatch:
    """Keys that this Compose does not know (``include`` before 2.32) are not in what it prints."""
    raw = _mapping(value, where)
    path = _text(raw.get("path"), f"{where}.path")
    target = _text(raw.get("target"), f"{where}.target")
    if not path:
        raise ConfigError(f"Compose model: {where}.path is missing")
    slash = "/" if target.endswith("/") and target.strip("/") else ""
    return ComposeWatch(
        path=path,
        action=_text(raw.get("action"), f"{where}.action"),
        target=absolute(target) + slash if target else "",
        ignore=_texts(raw.get("ignore"), f"{where}.ignore"),
        include=_texts(raw.get("include"), f"{where}.include"),
        initial_sync=raw.get("initial_sync") is True,
        exec=_exec(raw.get("exec"), f"{where}.exec"),
    )


def _exec(value: Json, where: str) -> ComposeExec:
    raw = _mapping(value, where)
    environment = _mapping(raw.get("environment"), f"{where}.environment")
    return ComposeExec(
        command=_texts(raw.get("command"), f"{where}.command"),
        user=_text(raw.get("user"), f"{where}.user"),
        privileged=raw.get("privileged") is True,
        working_dir=_text(raw.get("working_dir"), f"{where}.working_dir"),
        environment={
            key: None if text is None else _scalar(text) for key, text in environment.items()
        },
    )


def _scale(raw: Mapping[str, Json], where: str) -> int:
    deploy = _mapping(raw.get("deploy"), f"{where}.deploy")
    value = raw.get("scale")
    if value is None:
        value = deploy.get("replicas")
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"Compose model: {where}.scale is {value!r}, not a number of replicas")
    return value


def _restart(raw: Mapping[str, Json], where: str) -> str:
    plain = _text(raw.get("restart"), f"{where}.restart")
    if plain:
        return plain
    deploy = _mapping(raw.get("deploy"), f"{where}.deploy")
    policy = _mapping(deploy.get("restart_policy"), f"{where}.deploy.restart_policy")
    return _text(policy.get("condition"), f"{where}.deploy.restart_policy.condition")


def _command(value: Json, where: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    return (value,) if isinstance(value, str) else _texts(value, where)


def _switches(value: Json, where: str) -> Mapping[str, str]:
    """Compose resolves both forms of ``environment`` into a mapping."""
    named = _mapping(value, where)
    return {
        key: _scalar(text) for key, text in named.items() if key in SWITCHES and text is not None
    }


def _mapping(value: Json, where: str) -> Mapping[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"Compose model: {where} is {_kind(value)}, not a mapping")
    return value


def _sequence(value: Json, where: str) -> Sequence[Json]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigError(f"Compose model: {where} is {_kind(value)}, not a list")
    return value


def _texts(value: Json, where: str) -> tuple[str, ...]:
    return tuple(
        _text(text, f"{where}[{number}]") for number, text in enumerate(_sequence(value, where))
    )


def _text(value: Json, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConfigError(f"Compose model: {where} is {_kind(value)}, not text")
    return value


def _scalar(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _kind(value: Json) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) and not isinstance(value, str) else repr(value)
