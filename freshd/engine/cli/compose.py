"""The docker CLI's Compose with a freshd endpoint: argv arrays in, values and output lines out.

Each call is a process group of its own with a deadline, so that a build that hangs can be ended
whole. Never `down`; never `up` without `--no-deps` and `--scale`: a plain one removes replicas.
What is not in ``MAY_RUN`` is never started.
"""

import copy
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from freshd.engine.transport.endpoint import Endpoint, cli_environment
from freshd.model.errors import ConfigError, EngineFailed, EngineUnavailable, OutcomeUnknown
from freshd.model.remedy import RebuildMode
from freshd.model.text import Json

_KEPT_LINES = 200
_LINE_LIMIT = 64 * 1024
_POLL = 0.1
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# without the plugin the docker command takes the first option for one of its own
_NO_COMPOSE = re.compile(
    r"unknown command: docker compose|'compose' is not a docker command|^unknown flag: --ansi",
    re.MULTILINE,
)
_NO_ENGINE = re.compile(r"Cannot connect to the Docker daemon|error during connect")
_INSTALL = "install Docker Compose v2 (the `docker compose` plugin); `docker-compose` is not used"

# Every command that is run here, with every option it may have (rule 9): no `down`, `rm` or `-v`.
MAY_RUN: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("compose", "version"): frozenset({"--short"}),
    ("compose", "config"): frozenset({"--format", "--hash"}),
    ("compose", "build"): frozenset({"--no-cache"}),
    ("compose", "up"): frozenset(
        {"--detach", "--no-deps", "--no-build", "--scale", "--force-recreate"}
    ),
    ("builder", "prune"): frozenset({"--force", "--filter"}),
}

_SWITCH = "--compatibility"  # the one option of `compose` itself that has no value

_PLUGIN_DIRECTORIES = tuple(
    f"{prefix}/docker/cli-plugins"
    for prefix in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
)

OnLine = Callable[[str], None]
OnStart = Callable[[int], None]


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


@dataclass(frozen=True, slots=True)
class ComposeResult:
    """``lines`` are the last 200 of what the command printed, without terminal codes."""

    exit_code: int
    lines: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


def _ignore_line(_: str) -> None:
    """Output nobody asked for; the last lines are kept anyway."""


def _ignore_pid(_: int) -> None:
    """A child nobody needs to know of."""


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
        self, files: ComposeFiles, *, timeout: float = 60.0, on_start: OnStart = _ignore_pid
    ) -> Mapping[str, Json]:
        """The resolved model; no engine is needed. ConfigError with Compose's own words."""
        out: list[str] = []
        argv = [*_compose(files), "config", "--format", "json"]
        result = self._run(argv, timeout=timeout, on_start=on_start, stdout=out)
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
        if not self._run(argv, timeout=timeout, on_start=_ignore_pid, stdout=out).ok:
            return ""
        words = "".join(out).split()
        return words[1] if len(words) == 2 and words[0] == service else ""

    def version(self, *, timeout: float = 20.0) -> str:
        """Its version, such as ``2.40.0``; "" where it cannot be told."""
        out: list[str] = []
        argv = ["docker", "compose", "version", "--short"]
        result = self._run(argv, timeout=timeout, on_start=_ignore_pid, stdout=out)
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
        on_line: OnLine = _ignore_line,
        on_start: OnStart = _ignore_pid,
    ) -> ComposeResult:
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
            return self._run(
                [*_compose(labelled), "build", *options, "--", *services],
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
        timeout: float = 600.0,
        on_line: OnLine = _ignore_line,
        on_start: OnStart = _ignore_pid,
    ) -> ComposeResult:
        """`up -d` of these services only, none built, each with the replicas in ``scale``.

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
        argv += ["--", *services]
        return self._run(argv, timeout=timeout, on_line=on_line, on_start=on_start)

    def prune_context(
        self, *, timeout: float = 120.0, on_start: OnStart = _ignore_pid
    ) -> ComposeResult:
        """Drops BuildKit's copies of local build contexts; layers stay. EngineFailed if refused."""
        argv = ["docker", "builder", "prune", "--force", "--filter", "type=source.local"]
        result = self._run(argv, timeout=timeout, on_start=on_start)
        if not result.ok:
            raise EngineFailed(f"pruning the build context failed: {' '.join(result.lines[-2:])}")
        return result

    def _run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        on_start: OnStart,
        on_line: OnLine = _ignore_line,
        stdout: list[str] | None = None,
        until: threading.Event | None = None,
    ) -> ComposeResult:
        """Collects standard output apart when ``stdout`` is given, else merged with the errors.

        Ends the command when ``until`` is set. ValueError for a command that freshd never runs.
        """
        _refuse_others(argv)
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if stdout is None else subprocess.PIPE,
                env=self._environ,
                start_new_session=True,
            )
        except OSError as error:
            raise ConfigError(f"the docker CLI cannot be run: {error}", hint=_INSTALL) from error
        kept: deque[str] = deque(maxlen=_KEPT_LINES)
        reader = threading.Thread(
            target=_read, args=(process, kept, on_line, stdout), name="compose output", daemon=True
        )
        try:
            reader.start()
            on_start(process.pid)
            _wait(process, timeout, until)
        except subprocess.TimeoutExpired as error:
            raise OutcomeUnknown(
                f"`{' '.join(argv[:2])} … {argv[-1]}` did not end within {timeout:.0f} s"
            ) from error
        finally:
            _end(process)
            _close(process, reader)
        lines = tuple(kept)
        if process.returncode != 0:
            _raise_known("\n".join(lines))
        return ComposeResult(process.returncode, lines)


@contextmanager
def _labelled(
    files: ComposeFiles, services: Sequence[str], labels: Mapping[str, str]
) -> Iterator[ComposeFiles]:
    """The files and one more, while it is needed, that gives the builds of ``services`` labels."""
    if not labels or not files.files:  # Compose finds its own files only where none is named
        yield files
        return
    build = {"build": {"labels": dict(labels)}}
    with tempfile.NamedTemporaryFile("w", prefix="freshd-labels-", suffix=".yaml") as more:
        json.dump({"services": dict.fromkeys(services, build)}, more)
        more.flush()
        yield replace(files, files=(*files.files, more.name))


def _wait(process: subprocess.Popen[bytes], timeout: float, until: threading.Event | None) -> None:
    """Raises TimeoutExpired after ``timeout`` seconds, OutcomeUnknown once ``until`` is set."""
    if until is None:
        process.wait(timeout)
        return
    deadline = time.monotonic() + timeout
    while not until.is_set():
        try:
            process.wait(min(_POLL, max(0.0, deadline - time.monotonic())))
            return
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                raise
    raise OutcomeUnknown("freshd was told to stop, and ended the build")


def _close(process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
    """Give the pipes back; one that a hung grandchild still holds is left to its reader."""
    if reader.ident is not None:
        reader.join(2.0)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None and not reader.is_alive():
            pipe.close()


def _read(
    process: subprocess.Popen[bytes],
    kept: deque[str],
    on_line: OnLine,
    stdout: list[str] | None,
) -> None:
    if stdout is not None:
        drain = threading.Thread(target=_drain, args=(process, stdout), daemon=True)
        drain.start()
    source = process.stdout if stdout is None else process.stderr
    assert source is not None
    with source:
        for raw in iter(lambda: source.readline(_LINE_LIMIT), b""):
            line = _ESCAPES.sub("", raw.decode("utf-8", "replace")).rstrip("\r\n")
            kept.append(line)
            on_line(line)
    if stdout is not None:
        drain.join()


def _drain(process: subprocess.Popen[bytes], stdout: list[str]) -> None:
    assert process.stdout is not None
    with process.stdout as source:
        stdout.append(source.read().decode("utf-8", "surrogateescape"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends what is left of the group: the CLI, the Compose plugin and its builder."""
    if process.poll() is not None:
        return
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass  # it ended by itself meanwhile
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        if process.poll() is not None:
            return


def _compose(files: ComposeFiles) -> list[str]:
    argv = ["docker", "compose", "--ansi", "never", "--project-directory", files.directory]
    if files.underscores:
        argv.append(_SWITCH)
    for flag, values in (
        ("--file", files.files),
        ("--project-name", (files.project,) if files.project else ()),
        ("--profile", files.profiles),
        ("--env-file", files.env_files),
    ):
        for value in values:
            argv += [flag, value]
    return argv


def _refuse_others(argv: Sequence[str]) -> None:
    """ValueError for what is not in MAY_RUN. The options of `compose` itself are passed over."""
    at = 2
    while argv[1] == "compose" and argv[at : at + 1] and argv[at].startswith("--"):
        at += 1 if argv[at] == _SWITCH else 2
    command = (argv[1], *argv[at : at + 1])
    allowed = MAY_RUN.get(command, frozenset()) if len(command) == 2 else frozenset()
    words = argv[at + 1 :]
    own = words[: words.index("--")] if "--" in words else words
    others = [word for word in own if word.startswith("-") and word not in allowed]
    if others or command not in MAY_RUN:
        raise ValueError(f"freshd never runs `{' '.join(['docker', *command, *others])}`")


def _raise_known(text: str) -> None:
    if _NO_COMPOSE.search(text):
        raise ConfigError("`docker compose` is not installed", hint=_INSTALL)
    if _NO_ENGINE.search(text):
        raise EngineUnavailable(
            "docker compose cannot reach the engine", hint="see whether `docker version` answers"
        )


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
