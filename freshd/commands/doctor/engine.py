"""Docker: the command and its plugins, the engine that is meant, whether it answers, its clock."""

import grp
import os
from collections.abc import Callable, Iterator, Mapping

from freshd.commands.doctor.machine import check_disk, find_free_space
from freshd.engine.cli.versions import CliVersions, release, versions
from freshd.engine.client import Engine, EngineInfo, EngineVersion
from freshd.engine.transport.endpoint import Endpoint, cli_environment, resolve
from freshd.model.errors import ConfigError, EngineUnavailable, FreshdError
from freshd.model.verbs.diagnosis import Diagnosis, ok, problem, warning

_OLDEST_ENGINE = (20, 10)
_OLDEST_COMPOSE = (2, 20)
_SKEW = 2.0
_GB = 1 << 30
_DRIVERS = frozenset({"overlay2", "overlayfs", "btrfs", "zfs", "fuse-overlayfs", "stargz"})


def diagnose(
    environ: Mapping[str, str], configured: str | None, *, now: Callable[[], float]
) -> Iterator[Diagnosis]:
    """``configured`` is the user's ``engine.host``."""
    try:
        endpoint = resolve(environ, configured=configured)
    except ConfigError as error:
        yield from check_commands(versions(environ))
        yield problem("endpoint", error.message, error.hint or "mend the docker context")
        return
    yield from check_commands(versions(cli_environment(endpoint, environ)))
    yield ok("endpoint", f"{endpoint.host}, from {endpoint.source}")
    with Engine(endpoint, timeout=10.0) as engine:
        try:
            version = engine.ping()
            before = now()
            info = engine.info()
            after = now()
        except EngineUnavailable as error:
            yield report_unreachable(error, endpoint, find_socket_group(endpoint))
            return
        except FreshdError as error:
            yield problem("engine", error.message, "see what `docker info` says", engine=True)
            return
    yield check_version(version, info)
    yield check_storage(info)
    yield check_clock(info.system_time, before, after)
    yield from _data_root(endpoint, info)


def check_commands(cli: CliVersions) -> Iterator[Diagnosis]:
    """The docker command, Compose and buildx: freshd builds and recreates through them."""
    if not cli.docker:
        yield problem("docker", "there is no `docker` command", "install Docker's command line")
        return
    yield ok("docker", cli.docker)
    wanted = ".".join(map(str, _OLDEST_COMPOSE))
    if not cli.compose:
        yield problem(
            "compose",
            "`docker compose` is not installed",
            "install Docker Compose v2 (the `docker compose` plugin)",
        )
    elif release(cli.compose) < _OLDEST_COMPOSE:
        words = f"{cli.compose} is older than {wanted}"
        yield warning("compose", words, "update the Compose plugin")
    else:
        yield ok("compose", cli.compose)
    if not cli.buildx:
        yield warning(
            "buildx",
            "not installed: builds go to the old builder, whose images say less of their origin",
            "install the `docker buildx` plugin",
        )
    else:
        yield ok("buildx", cli.buildx)


def report_unreachable(error: EngineUnavailable, endpoint: Endpoint, group: str) -> Diagnosis:
    """The engine does not answer; the group of a forbidden socket makes the hint exact."""
    fix = error.hint or "start Docker"
    if "permission" in error.message and group:
        fix = f"sudo usermod -aG {group} $USER, then log in again"
    if endpoint.source == "DOCKER_HOST":
        fix = f"{fix}; DOCKER_HOST names it"
    return problem("engine", error.message, fix, engine=True)


def check_version(version: EngineVersion, info: EngineInfo) -> Diagnosis:
    words = f"{version.version}, API {version.api_version}, on {info.system or info.name}"
    if release(version.version) and release(version.version) < _OLDEST_ENGINE:
        return warning(
            "engine",
            f"{words}: older than {'.'.join(map(str, _OLDEST_ENGINE))}, and not tested at length",
            "update Docker",
        )
    return ok("engine", words)


def check_storage(info: EngineInfo) -> Diagnosis:
    if info.driver in _DRIVERS:
        return ok("storage", info.driver)
    return warning(
        "storage",
        f"the storage driver is {info.driver or 'not known'}: slow with many files",
        "use overlay2 where the file system of the data root allows it",
    )


def check_clock(engine: float, before: float, after: float) -> Diagnosis:
    """``before`` and ``after`` are this machine's clock around the question, in seconds."""
    if not engine:
        return ok("clock", "the engine does not tell its time")
    skew = engine - min(max(engine, before), after)
    if abs(skew) <= _SKEW:
        return ok("clock", "the engine's clock is this machine's")
    direction = "ahead" if skew > 0 else "behind"
    return warning(
        "clock",
        f"the engine's clock is {abs(skew):.0f} s {direction}: times of containers and files "
        "cannot be compared",
        "set both by NTP; on Docker Desktop restart it, its virtual machine drifts after a sleep",
    )


def find_socket_group(endpoint: Endpoint) -> str:
    """The name of the group that owns the socket, "" where there is none to join."""
    if endpoint.scheme != "unix":
        return ""
    try:
        status = os.stat(endpoint.address)
        return grp.getgrgid(status.st_gid).gr_name if status.st_mode & 0o020 else ""
    except (OSError, KeyError):
        return ""


def _data_root(endpoint: Endpoint, info: EngineInfo) -> Iterator[Diagnosis]:
    """Only where the engine's files are on this machine."""
    if endpoint.scheme != "unix" or not info.root or not os.path.isdir(info.root):
        return
    free = find_free_space(info.root)
    if free is not None:
        yield check_disk("engine disk", info.root, free, wanted=5 * _GB, needed=_GB // 4)
