"""Which engine: the environment and the Docker configuration in, one ``Endpoint`` out.

The same endpoint is given to the API client and, as DOCKER_HOST, to every CLI call, so the two
can never talk to different engines.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from freshd.model.errors import ConfigError

DEFAULT_HOST = "unix:///var/run/docker.sock"
SCHEMES = ("unix", "tcp", "http", "https", "ssh")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One engine. ``host`` is a URL (``unix:///…``, ``tcp://…``, ``ssh://…``); ``source`` says who
    named it.

    ``cert_path`` is a directory with ca.pem, cert.pem and key.pem for TLS, else None.
    """

    host: str
    source: str
    cert_path: str | None = None
    tls_verify: bool = True

    @property
    def scheme(self) -> str:
        return self.host.partition("://")[0]

    @property
    def address(self) -> str:
        """The socket's path, or ``host:port``."""
        return self.host.partition("://")[2]


def resolve(environ: Mapping[str, str], *, configured: str | None = None) -> Endpoint:
    """The engine the docker CLI would use: DOCKER_HOST, DOCKER_CONTEXT, current context, default.

    ``configured`` is config.toml's ``engine.host``: it stands before the current context. Raises
    ConfigError for an unknown context or a kind of address freshd cannot speak to.
    """
    if environ.get("DOCKER_HOST"):
        return _from_host(environ, environ["DOCKER_HOST"], "DOCKER_HOST")
    directory = config_directory(environ)
    if environ.get("DOCKER_CONTEXT"):
        name, source = environ["DOCKER_CONTEXT"], "DOCKER_CONTEXT"
    elif configured is not None:
        return _from_host(environ, configured, "engine.host in config.toml")
    else:
        name, source = _current_context(directory), "the current docker context"
    if name == "default":
        return Endpoint(DEFAULT_HOST, "the default socket")
    return of_context(directory, name, f"{source} ({name})")


def cli_environment(endpoint: Endpoint, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for the docker CLI: this endpoint, and no context that could override it."""
    mine = ("DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_TLS")
    result = {key: value for key, value in environ.items() if key not in mine}
    result["DOCKER_HOST"] = endpoint.host
    if endpoint.cert_path:
        result["DOCKER_CERT_PATH"] = endpoint.cert_path
        result["DOCKER_TLS_VERIFY" if endpoint.tls_verify else "DOCKER_TLS"] = "1"
    return result


def _from_host(environ: Mapping[str, str], host: str, source: str) -> Endpoint:
    cert_path = None
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if verify or environ.get("DOCKER_TLS"):
        cert_path = environ.get("DOCKER_CERT_PATH") or config_directory(environ)
    return Endpoint(_checked(host, source), source, cert_path, verify or cert_path is None)


def of_context(directory: str, name: str, source: str) -> Endpoint:
    """The engine of the Docker context ``name``. Raises ConfigError where it cannot be read."""
    key = hashlib.sha256(os.fsencode(name)).hexdigest()
    meta = os.path.join(directory, "contexts", "meta", key, "meta.json")
    try:
        with open(meta, encoding="utf-8") as file:
            docker = json.load(file)["Endpoints"]["docker"]
        host = str(docker["Host"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"the docker context {name!r} named by {source} cannot be read: {error}",
            hint="`docker context ls` shows the contexts there are",
        ) from error
    tls = os.path.join(directory, "contexts", "tls", key, "docker")
    return Endpoint(
        _checked(host, source),
        source,
        tls if os.path.isdir(tls) else None,
        not docker.get("SkipTLSVerify", False),
    )


def _checked(host: str, source: str) -> str:
    scheme, separator, address = host.partition("://")
    if scheme in SCHEMES and separator and address and (scheme != "ssh" or _is_ssh(host)):
        return host
    hint = "freshd speaks unix://, tcp:// and ssh://[USER@]HOST[:PORT][/SOCKET]"
    raise ConfigError(f"{source} names an engine freshd cannot speak to: {host!r}", hint=hint)


def _is_ssh(host: str) -> bool:
    """A password has no place in it, and a name that starts like an option is none."""
    try:
        url = urlsplit(host)
        _ = url.port
    except ValueError:
        return False
    names = (url.hostname or "", url.username or "x")
    return url.password is None and not any(name[:1] in ("", "-") for name in names)


def config_directory(environ: Mapping[str, str]) -> str:
    """Where the docker CLI keeps its configuration."""
    return environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME", "/"), ".docker")


def _current_context(directory: str) -> str:
    try:
        with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
            return str(json.load(file).get("currentContext") or "default")
    except (OSError, ValueError, AttributeError):
        return "default"  # as the docker CLI does: no readable configuration, no context
