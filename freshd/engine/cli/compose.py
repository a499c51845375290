"""The docker CLI's Compose with a freshd endpoint: files and services in, values and lines out.

Never `down`; never `up` without `--no-deps` and `--scale`: a plain one removes replicas.
"""

import contextlib
import copy
import glob
import json
import os
import stat
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from freshd.engine.cli.command import (
    SWITCH,
    CommandResult,
    OnLine,
    OnStart,
    ignore_line,
    ignore_pid,
    run,
)
from freshd.engine.transport.endpoint import Endpoint, cli_environment
from freshd.model.errors import ConfigError, EngineFailed
from freshd.model.remedy import RebuildMode
from freshd.model.text import Json

_LABEL_FILE = "freshd-labels-"
_LONGEST_LABELS = 1 << 20
_PLUGIN_DIRECTORIES = tuple(
    f"{prefix}/docker/cli-plugins"
    for prefix in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
)


@dataclass(frozen=True, slots=True)
class ComposeFiles:
    """Which Compose project: absolute ``directory`` and ``files``, in merge order.

    No ``files``: Compose finds its own in ``directory``. ``project`` None: Compose's own name.
    ``underscores``: names are joined as Compose v1 joined them, ``shop_web_1``.
    """

    directory: str
    files: tuple[str, ...] = ()
    project: str | None = None
    profiles: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    underscores: bool = False


class Compose:
    """The CLI bound to one endpoint and environment. Every call takes ``on_start(pid)``."""

    def __init__(self, endpoint: Endpoint, environ: Mapping[str, str]) -> None:
        self._environ = cli_environment(endpoint, environ)
        self._no_builds = threading.Event()

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment of every call."""
        return self._environ

    def end_builds(self) -> None:
        """End builds that run and let none begin: OutcomeUnknown for who waits for them.

        An `up` is never cut off, as that leaves a service down.
        """
        self._no_builds.set()

    def config(
        self, files: ComposeFiles, *, timeout: float = 60.0, on_start: OnStart = ignore_pid
    ) -> Mapping[str, Json]:
        """The resolved model; no engine is needed. ConfigError with Compose's own words."""
        out: list[str] = []
        argv = [*_compose(files), "config", "--format", "json"]
        result = run(argv, self._environ, timeout=timeout, on_start=on_start, stdout=out)
        if not result.ok:
            raise _config_error(files, result.lines)
        try:
            model = json.loads("".join(out))
        except ValueError as error:
            raise ConfigError(
                f"`docker compose config` printed no JSON for {files.directory}: {error}",
                hint="freshd needs Docker Compose 2.20 or newer",
            ) from error
        if not isinstance(model, dict):
            raise ConfigError(f"`docker compose config` printed no object for {files.directory}")
        return model

    def config_hash(self, files: ComposeFiles, service: str, *, timeout: float = 60.0) -> str:
        """The hash that Compose would leave on a container of ``service`` now; "" if it has none.

        Compose's own word, and wrong in known ways: a hash that fits proves, one that does not is
        a hint. ConfigError where the model is invalid.
        """
        out: list[str] = []
        argv = [*_compose(files), "config", "--hash", service]
        if not run(argv, self._environ, timeout=timeout, on_start=ignore_pid, stdout=out).ok:
            return ""
        words = "".join(out).split()
        return words[1] if len(words) == 2 and words[0] == service else ""

    def version(self, *, timeout: float = 20.0) -> str:
        """Its version, such as ``2.40.0``; "" where it cannot be told."""
        out: list[str] = []
        argv = ["docker", "compose", "version", "--short"]
        result = run(argv, self._environ, timeout=timeout, on_start=ignore_pid, stdout=out)
        return "".join(out).strip().removeprefix("v") if result.ok else ""

    def stamp(self) -> str:
        """Which Compose this is, without asking it: where its plugin is, its size and its time."""
        own = self._environ.get("DOCKER_CONFIG")
        home = own or os.path.join(self._environ.get("HOME", ""), ".docker")
        for directory in (os.path.join(home, "cli-plugins"), *_PLUGIN_DIRECTORIES):
            path = os.path.join(directory, "docker-compose")
            try:
                found = os.stat(path)
            except OSError:
                continue
            return f"{path} {found.st_size} {found.st_mtime_ns}"
        return ""

    def with_variables(self, variables: Mapping[str, str]) -> "Compose":
        """The same as called from a shell that has set these variables."""
        other = copy.copy(self)
        other._environ = {**self._environ, **variables}  # noqa: SLF001 (another one of us)
        return other

    def build(
        self,
        files: ComposeFiles,
        services: Sequence[str],
        *,
        mode: RebuildMode,
        labels: Mapping[str, str] | None = None,
        timeout: float = 3600.0,
        on_line: OnLine = ignore_line,
        on_start: OnStart = ignore_pid,
    ) -> CommandResult:
        """Builds. ``fresh-context`` first drops BuildKit's copy of the local files, which it
        reuses for equal size and mtime; ``no-cache`` runs every instruction again but trusts that
        copy; ``clean`` is both. Base images are not pulled. ``labels`` are given to the images,
        besides what the Compose files say. A failed build is a result, not an error;
        OutcomeUnknown past ``timeout`` seconds, after which the build is ended.
        """
        if mode in (RebuildMode.FRESH_CONTEXT, RebuildMode.CLEAN):
            self.prune_context(on_start=on_start)
        options = ["--no-cache"] if mode in (RebuildMode.NO_CACHE, RebuildMode.CLEAN) else []
        with _labelled(files, services, labels or {}) as labelled:
            return run(
                [*_compose(labelled), "build", *options, "--", *services],
                self._environ,
                timeout=timeout,
                on_line=on_line,
                on_start=on_start,
                until=self._no_builds,
            )

    def up(
        self,
        files: ComposeFiles,
        services: Sequence[str],
        *,
        scale: Mapping[str, int],
        force_recreate: bool = False,
        no_recreate: bool = False,
        timeout: float = 600.0,
        on_line: OnLine = ignore_line,
        on_start: OnStart = ignore_pid,
    ) -> CommandResult:
        """`up -d` of these services only, none built, each with the replicas in ``scale``.

        With ``no_recreate`` no container that is there is replaced.

        ValueError for a service without a scale: Compose would go back to the file's number.
        """
        unscaled = [service for service in services if service not in scale]
        if unscaled or not services:
            raise ValueError(f"no replica count for {', '.join(unscaled) or 'no service'}")
        argv = [*_compose(files), "up", "--detach", "--no-deps", "--no-build"]
        for service in services:
            argv += ["--scale", f"{service}={scale[service]}"]
        if force_recreate:
            argv.append("--force-recreate")
        if no_recreate:
            argv.append("--no-recreate")
        argv += ["--", *services]
        return run(argv, self._environ, timeout=timeout, on_line=on_line, on_start=on_start)

    def prune_context(
        self, *, timeout: float = 120.0, on_start: OnStart = ignore_pid
    ) -> CommandResult:
        """Drops BuildKit's copies of local build contexts; layers stay. EngineFailed if refused."""
        argv = ["docker", "builder", "prune", "--force", "--filter", "type=source.local"]
        result = run(argv, self._environ, timeout=timeout, on_start=on_start)
        if not result.ok:
            raise EngineFailed(f"pruning the build context failed: {' '.join(result.lines[-2:])}")
        return result


@contextmanager
def _labelled(
    files: ComposeFiles, services: Sequence[str], labels: Mapping[str, str]
) -> Iterator[ComposeFiles]:
    """The files and one more, while it is needed, that gives the builds of ``services`` labels."""
    if not labels or not files.files:  # Compose finds its own files only where none is named
        yield files
        return
    build = {"build": {"labels": dict(labels)}}
    prefix = f"{_LABEL_FILE}{os.getpid()}-"
    with tempfile.NamedTemporaryFile("w", prefix=prefix, suffix=".yaml") as more:
        json.dump({"services": dict.fromkeys(services, build)}, more)
        more.flush()
        yield replace(files, files=(*files.files, more.name))


def sweep_label_files() -> int:
    """Remove what builds of a killed freshd left in the temporary directory; how many.

    Only files of this user, by the name and the content that a build gives them, whose process has
    ended.
    """
    removed = 0
    for path in glob.glob(os.path.join(glob.escape(tempfile.gettempdir()), f"{_LABEL_FILE}*.yaml")):
        pid = os.path.basename(path).removeprefix(_LABEL_FILE).partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)) and _is_label_file(path):
            with contextlib.suppress(OSError):
                os.unlink(path)
                removed += 1
    return removed


def _is_alive(pid: int) -> bool:
    """Whether there is such a process, whoever's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is_label_file(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                return False
            content = file.read(_LONGEST_LABELS)
        if not content:
            return True  # killed before it was written
        services = json.loads(content)["services"].values()
        return all([*each] == ["build"] and [*each["build"]] == ["labels"] for each in services)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _compose(files: ComposeFiles) -> list[str]:
    argv = ["docker", "compose", "--ansi", "never", "--project-directory", files.directory]
    if files.underscores:
        argv.append(SWITCH)
    for flag, values in (
        ("--file", files.files),
        ("--project-name", (files.project,) if files.project else ()),
        ("--profile", files.profiles),
        ("--env-file", files.env_files),
    ):
        for value in values:
            argv += [flag, value]
    return argv


def _config_error(files: ComposeFiles, lines: Sequence[str]) -> ConfigError:
    """Compose's own words, without the warnings and log decoration around them."""
    words = [line.strip() for line in lines if line.strip() and not line.startswith("time=")]
    problems = tuple(words) or tuple(line.strip() for line in lines if line.strip())
    where = ", ".join(files.files) or files.directory
    return ConfigError(
        f"the Compose model of {where} is invalid: {(problems or ('no reason given',))[-1]}",
        hint="`docker compose config` shows the same error",
        problems=problems,
    )
