"""The engine's JSON in; replicas, creations and image facts out. Pure: no call is made here."""

import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from freshd.engine.container.needs import Needs
from freshd.model.observed.container import Mount, Replica
from freshd.model.observed.creation import Creation, ImageDefaults
from freshd.model.observed.image import HistoryEntry, ImageFacts

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NUMBER = "com.docker.compose.container-number"
_ONEOFF = "com.docker.compose.oneoff"
_HOOK = "com.docker.compose.hook"
_VOLUME = "com.docker.compose.volume"
_CONFIG_HASH = "com.docker.compose.config-hash"
_WORKING_DIR = "com.docker.compose.project.working_dir"
_CONFIG_FILES = "com.docker.compose.project.config_files"
_VERSION = "com.docker.compose.version"
_ENV_FILES = "com.docker.compose.project.environment_file"

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_METADATA_ONLY = re.compile(
    r"^(?:/bin/sh -c )?(?:#\(nop\)\s+)?"
    r"(?:ENV|CMD|LABEL|EXPOSE|ENTRYPOINT|USER|ARG|VOLUME|STOPSIGNAL|HEALTHCHECK|SHELL|ONBUILD"
    r"|MAINTAINER)\b"
)


def listed(data: Mapping[str, Any]) -> Replica:
    """One container as ``GET /containers/json`` lists it: mounts, times and exit code unknown."""
    labels: Mapping[str, str] = data.get("Labels") or {}
    names = data.get("Names") or [""]
    name = str(names[0]).removeprefix("/")
    return Replica(
        id=data["Id"],
        name=name,
        service=labels.get(SERVICE, name),
        project=labels.get(PROJECT, ""),
        number=int(number) if (number := labels.get(_NUMBER, "1")).isdigit() else 1,
        oneoff=is_oneoff(labels),
        numbered=is_numbered(labels),
        counted=is_counted(labels),
        image_id=data.get("ImageID") or "",
        image_ref=data.get("Image") or "",
        state=data.get("State") or "",
        config_hash=labels.get(_CONFIG_HASH, ""),
        working_dir=labels.get(_WORKING_DIR, ""),
        config_files=_config_files(labels),
        published=frozenset(_published(data.get("Ports") or ())),
    )


def is_oneoff(labels: Mapping[str, str]) -> bool:
    """Whether `compose run` made the container with these labels."""
    return labels.get(_ONEOFF, "").lower() == "true"


def is_numbered(labels: Mapping[str, str]) -> bool:
    """Whether Compose made it as a replica: it numbers those, and nothing else.

    A hook's container has the labels of project and service, and so has what somebody labelled.
    """
    return labels.get(_NUMBER, "").isdigit() and _HOOK not in labels and not is_oneoff(labels)


def is_counted(labels: Mapping[str, str]) -> bool:
    """Whether `compose up` counts it among the replicas: it goes by labels, not by the number."""
    return labels.get(_ONEOFF, "").lower() == "false" and _HOOK not in labels


def _published(ports: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for port in ports:
        host = port.get("IP") or ""
        host = "" if host in ("0.0.0.0", "::") else host  # noqa: S104 (it is read, not bound)
        if port.get("PublicPort"):
            yield f"{host}:{port['PublicPort']}/{port.get('Type') or 'tcp'}"


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What a build inherits from its base image, and what a container of it runs.

    ``history`` are created_by texts, oldest first.
    """

    workdir: str
    env: Mapping[str, str]
    onbuild: tuple[str, ...]
    shell: tuple[str, ...]
    history: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    id: str = ""
    chain_id: str = ""


def image_config(data: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> ImageConfig:
    """The inheritable part of an image's inspection and its history (newest first)."""
    config = data.get("Config") or {}
    pairs = (text.partition("=") for text in config.get("Env") or ())
    layers: list[str] = (data.get("RootFS") or {}).get("Layers") or []
    return ImageConfig(
        workdir=config.get("WorkingDir") or "/",
        env={name: value for name, _, value in pairs},
        onbuild=tuple(config.get("OnBuild") or ()),
        shell=tuple(config.get("Shell") or ()),
        history=tuple(str(line.get("CreatedBy") or "") for line in reversed(history)),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        id=str(data.get("Id") or ""),
        chain_id=chain_id(layers, platform_of(data)),
    )


def replica_of(data: Mapping[str, Any]) -> Replica:
    """One container as ``GET /containers/ID/json`` describes it."""
    config, host, state = data["Config"], data["HostConfig"], data["State"]
    labels: Mapping[str, str] = config.get("Labels") or {}
    name = str(data["Name"]).removeprefix("/")
    return Replica(
        id=data["Id"],
        name=name,
        service=labels.get(SERVICE, name),
        project=labels.get(PROJECT, ""),
        number=int(number) if (number := labels.get(_NUMBER, "1")).isdigit() else 1,
        oneoff=is_oneoff(labels),
        numbered=is_numbered(labels),
        counted=is_counted(labels),
        image_id=data["Image"],
        image_ref=config.get("Image") or "",
        state=state["Status"],
        health=_health(state),
        exit_code=int(state.get("ExitCode") or 0),
        created_at=seconds(data.get("Created")),
        started_at=seconds(state.get("StartedAt")),
        restart_policy=(host.get("RestartPolicy") or {}).get("Name", ""),
        read_only=bool(host.get("ReadonlyRootfs")),
        user=config.get("User") or "",
        mounts=_mounts(data.get("Mounts") or (), host),
        config_hash=labels.get(_CONFIG_HASH, ""),
        working_dir=labels.get(_WORKING_DIR, ""),
        config_files=_config_files(labels),
        command=(data.get("Path") or "", *(data.get("Args") or ())),
        joins=_joins(host),
        publishes=bool(host.get("PortBindings")),
    )


def needs_of(data: Mapping[str, Any]) -> Needs:
    """What of one container's files it names itself: commands, and where they run."""
    config = data["Config"]
    check = tuple((config.get("Healthcheck") or {}).get("Test") or ())
    environment = dict(map(_variable, config.get("Env") or ()))
    search = environment.get("PATH") or _DEFAULT_PATH
    return Needs(
        commands=(
            (data.get("Path") or "", *(data.get("Args") or ())),
            tuple(config.get("Entrypoint") or ()),
            tuple(config.get("Cmd") or ()),
            check[1:],  # the first word says what they are: CMD, CMD-SHELL or NONE
        ),
        working_dir=config.get("WorkingDir") or "/",
        search=tuple(filter(None, search.split(":"))),
    )


def _config_files(labels: Mapping[str, str]) -> tuple[str, ...]:
    """Absolute: Compose v1 wrote them as they were typed, relative to the project's directory."""
    directory = labels.get(_WORKING_DIR, "")
    named = (name for name in labels.get(_CONFIG_FILES, "").split(",") if name)
    return tuple(posixpath.normpath(posixpath.join(directory, name)) for name in named)


def _joins(host: Mapping[str, Any]) -> tuple[str, ...]:
    modes = (str(host.get(key) or "") for key in ("NetworkMode", "PidMode", "IpcMode"))
    start = "container:"
    return tuple({mode.removeprefix(start): None for mode in modes if mode.startswith(start)})


def creation_of(data: Mapping[str, Any]) -> Creation:
    """What one container was made with; its networks are those it is connected to now."""
    config, host = data["Config"], data["HostConfig"]
    labels: Mapping[str, str] = config.get("Labels") or {}
    networks = (data.get("NetworkSettings") or {}).get("Networks") or {}
    mounts: Sequence[Mapping[str, Any]] = data.get("Mounts") or ()
    return Creation(
        image=config.get("Image") or "",
        environment=dict(map(_variable, config.get("Env") or ())),
        command=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        user=config.get("User") or "",
        working_dir=config.get("WorkingDir") or "",
        ports=frozenset(_bindings(host.get("PortBindings") or {})),
        networks=frozenset(networks),
        compose_version=labels.get(_VERSION, ""),
        env_files=tuple(f for f in labels.get(_ENV_FILES, "").split(",") if f),
        anonymous=frozenset(
            mount["Destination"]
            for mount in mounts
            if mount.get("Type") == "volume" and _ANONYMOUS.fullmatch(mount.get("Name") or "")
        ),
        binds=frozenset(
            mount["Source"]
            for mount in mounts
            if mount.get("Type") == "bind" and mount.get("Source")
        ),
    )


def _variable(text: str) -> tuple[str, str | None]:
    """Without ``=`` the container has none, whatever its image says."""
    name, equals, value = text.partition("=")
    return name, value if equals else None


def _bindings(bindings: Mapping[str, Any]) -> Iterator[str]:
    for target, several in bindings.items():
        for one in several or ():
            host, port = one.get("HostIp") or "", one.get("HostPort") or ""
            host = "" if host in ("0.0.0.0", "::") else host  # noqa: S104 (it is read, not bound)
            yield f"{host}:{'' if port == '0' else port}->{target}"


def image_facts(data: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> ImageFacts:
    """One image from its inspection and ``GET /images/ID/history`` (newest first); no files."""
    layers: list[str] = (data.get("RootFS") or {}).get("Layers") or []
    return ImageFacts(
        id=data["Id"],
        chain_id=chain_id(layers, platform_of(data)),
        created_at=seconds(data.get("Created")),
        tagged_at=seconds((data.get("Metadata") or {}).get("LastTagTime")),
        history=_history(history, len(layers)),
        labels=(data.get("Config") or {}).get("Labels") or {},
    )


def image_defaults(data: Mapping[str, Any]) -> ImageDefaults:
    """The part of an image's inspection that its containers take over."""
    config = data.get("Config") or {}
    pairs = (text.partition("=") for text in config.get("Env") or ())
    return ImageDefaults(
        environment={name: value for name, _, value in pairs},
        command=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        volumes=frozenset(posixpath.normpath(place) for place in config.get("Volumes") or ()),
    )


def chain_id(layers: Iterable[str], platform: str) -> str:
    """The OCI ChainID of the diff ids, with the platform: equal ids mean equal file content."""
    chain = ""
    for layer in layers:
        chain = layer if not chain else _sha256(f"{chain} {layer}")
    return f"{chain or 'sha256:'}@{platform}"


def platform_of(data: Mapping[str, Any]) -> str:
    """``os/architecture`` and the variant where there is one."""
    parts = (data.get("Os"), data.get("Architecture"), data.get("Variant"))
    return "/".join(part for part in parts if part)


def seconds(text: str | None) -> float:
    """RFC 3339 with nanoseconds -> seconds since the epoch; "never" (year 1) and None -> 0.0."""
    if not text or text.startswith("0001-"):
        return 0.0
    match = re.fullmatch(r"(.{19})(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    if match is None:
        return 0.0
    zone = "+00:00" if match[3] == "Z" else match[3]
    whole = datetime.fromisoformat(match[1] + zone).astimezone(UTC).timestamp()
    return whole + float(match[2] or 0.0)


def health_commands(data: Mapping[str, Any]) -> tuple[str, ...]:
    """What a container's health check runs, as the engine's events name it; () without one."""
    kind, *words = (data["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    if kind == "CMD-SHELL":
        shell = data["Config"].get("Shell") or ["/bin/sh", "-c"]
        words = [*shell, *words]
    return (" ".join(words),) if words else ()


def _health(state: Mapping[str, Any]) -> str:
    status = str((state.get("Health") or {}).get("Status") or "")
    return "" if status == "none" else status


def volume_options(data: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Driver and options of a volume that Compose made, by its inspection; None of any other."""
    if _VOLUME not in (data.get("Labels") or {}):
        return None
    driver = str(data.get("Driver") or "local")
    own = {} if driver == "local" else {"driver": driver}
    return own | {str(key): str(text) for key, text in (data.get("Options") or {}).items()}


def _subpaths(host: Mapping[str, Any]) -> Mapping[str, str]:
    """target -> the directory of its volume; the list of mounts does not tell it."""
    every: Iterable[Mapping[str, Any]] = host.get("Mounts") or ()
    asked = ((mount.get("Target") or "", mount.get("VolumeOptions") or {}) for mount in every)
    return {posixpath.normpath(at): str(own["Subpath"]) for at, own in asked if own.get("Subpath")}


def _mounts(mounts: Iterable[Mapping[str, Any]], host: Mapping[str, Any]) -> tuple[Mount, ...]:
    subpaths = _subpaths(host)
    found = [
        Mount(
            kind=mount.get("Type") or "bind",
            target=posixpath.normpath(mount["Destination"]),
            source=mount.get("Source") or "",
            name=mount.get("Name") or "",
            writable=bool(mount.get("RW", True)),
            subpath=subpaths.get(posixpath.normpath(mount["Destination"]), ""),
        )
        for mount in mounts
    ]
    known = {mount.target for mount in found}
    for target, options in (host.get("Tmpfs") or {}).items():
        path = posixpath.normpath(target)
        if path not in known:
            writable = "ro" not in (options or "").split(",")
            found.append(Mount(kind="tmpfs", target=path, writable=writable))
    return tuple(sorted(found, key=lambda mount: mount.target))


def _history(lines: Sequence[Mapping[str, Any]], layers: int) -> tuple[HistoryEntry, ...]:
    """Oldest first. The API has no ``empty`` flag: it is told by size and instruction.

    A WORKDIR makes a layer only where it makes a directory, and its size is 0 either way: when the
    lines outnumber the layers, the latest WORKDIR is taken for empty. `images.save` is exact.
    """
    oldest_first = list(reversed(lines))
    texts = [str(line.get("CreatedBy") or "") for line in oldest_first]
    empty = [
        not line.get("Size") and bool(_METADATA_ONLY.match(text))
        for line, text in zip(oldest_first, texts, strict=True)
    ]
    surplus = empty.count(False) - layers
    doubtful = [i for i, line in enumerate(oldest_first) if not empty[i] and not line.get("Size")]
    doubtful.sort(key=lambda i: ("WORKDIR" not in texts[i], -i))
    for i in doubtful[: max(surplus, 0)]:
        empty[i] = True
    times = [float(line.get("Created") or 0) for line in oldest_first]
    return tuple(map(HistoryEntry, texts, empty, times))


def _sha256(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
