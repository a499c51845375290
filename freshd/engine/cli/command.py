"""One run of the docker command: argv in, its exit code and last lines out.

Each is a process group of its own with a deadline, so that a build that hangs can be ended whole.
What is not in ``MAY_RUN`` is never started.
"""

import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from freshd.model.errors import ConfigError, EngineUnavailable, OutcomeUnknown

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
INSTALL = "install Docker Compose v2 (the `docker compose` plugin); `docker-compose` is not used"

# Every command that is run here, with every option it may have (rule 9): no `down`, `rm` or `-v`.
MAY_RUN: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("compose", "version"): frozenset({"--short"}),
    ("compose", "config"): frozenset({"--format", "--hash"}),
    ("compose", "build"): frozenset({"--no-cache"}),
    ("compose", "up"): frozenset(
        {"--detach", "--no-deps", "--no-build", "--scale", "--force-recreate", "--no-recreate"}
    ),
    ("builder", "prune"): frozenset({"--force", "--filter"}),
}

SWITCH = "--compatibility"  # the one option of `compose` itself that has no value

OnLine = Callable[[str], None]
OnStart = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class CommandResult:
    """``lines`` are the last 200 of what the command printed, without terminal codes."""

    exit_code: int
    lines: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


def ignore_line(_: str) -> None:
    """Output nobody asked for; the last lines are kept anyway."""


def ignore_pid(_: int) -> None:
    """A child nobody needs to know of."""


def run(
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    timeout: float,
    on_start: OnStart,
    on_line: OnLine = ignore_line,
    stdout: list[str] | None = None,
    until: threading.Event | None = None,
) -> CommandResult:
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
            env=environ,
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigError(f"the docker CLI cannot be run: {error}", hint=INSTALL) from error
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
    return CommandResult(process.returncode, lines)


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


def _refuse_others(argv: Sequence[str]) -> None:
    """ValueError for what is not in MAY_RUN. The options of `compose` itself are passed over."""
    at = 2
    while argv[1] == "compose" and argv[at : at + 1] and argv[at].startswith("--"):
        at += 1 if argv[at] == SWITCH else 2
    command = (argv[1], *argv[at : at + 1])
    allowed = MAY_RUN.get(command, frozenset()) if len(command) == 2 else frozenset()
    words = argv[at + 1 :]
    own = words[: words.index("--")] if "--" in words else words
    others = [word for word in own if word.startswith("-") and word not in allowed]
    if others or command not in MAY_RUN:
        raise ValueError(f"freshd never runs `{' '.join(['docker', *command, *others])}`")


def _raise_known(text: str) -> None:
    if _NO_COMPOSE.search(text):
        raise ConfigError("`docker compose` is not installed", hint=INSTALL)
    if _NO_ENGINE.search(text):
        raise EngineUnavailable(
            "docker compose cannot reach the engine", hint="see whether `docker version` answers"
        )
