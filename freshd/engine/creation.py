"""What a container was made with: the engine's inspection in, a ``Creation`` out. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from freshd.model.observed.creation import Creation

_VERSION = "com.docker.compose.version"
_ENV_FILES = "com.docker.compose.project.environment_file"
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def creation_of(data: Mapping[str, Any]) -> Creation:
    """Networks are those it is connected to now; all else is as it was made."""
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
        ports=frozenset(_ports(host.get("PortBindings") or {})),
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


def _ports(bindings: Mapping[str, Any]) -> Iterator[str]:
    for target, several in bindings.items():
        for one in several or ():
            host, port = one.get("HostIp") or "", one.get("HostPort") or ""
            host = "" if host in ("0.0.0.0", "::") else host  # noqa: S104 (it is read, not bound)
            yield f"{host}:{'' if port == '0' else port}->{target}"
