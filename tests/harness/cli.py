"""freshd as a user runs it: a subprocess in the project, with directories of its own.

In: argv. Out: exit code and output; for ``run``, a process that is stopped by its pid.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from tests.harness.waiting import wait_until
from tests.harness.warm import warm

READY = re.compile(rb"\bfreshd watches\b")


@dataclass(frozen=True, slots=True)
class Result:
    """What one call of freshd left."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """stdout as JSON; shows both streams when it is not."""
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"not JSON ({error}): {self}") from None


class Process(Protocol):
    """What tests ask of a process of freshd, in the words of subprocess."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int, /) -> None: ...

    def kill(self) -> None: ...


@dataclass(slots=True)
class Daemon:
    """A running ``freshd run``; its output goes to the file ``log``."""

    process: Process
    log: str

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> bytes:
        with open(self.log, "rb") as file:
            return file.read()

    def wait_ready(self, deadline: float = 120.0) -> "Daemon":
        """Until it says that it watches; an early end fails with what it said."""

        def ready() -> bool:
            assert self.process.poll() is None, (
                f"freshd run ended with {self.process.poll()}: {self.output().decode()}"
            )
            return READY.search(self.output()) is not None

        wait_until(ready, deadline, what="freshd run to be ready")
        return self

    def stop(self, deadline: float = 60.0) -> int:
        """SIGTERM, then the exit code; SIGKILL and a failure after the deadline."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"freshd run ignored SIGTERM for {deadline:g} s") from None

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self.process.kill()
        self.process.wait()


# Of this test process: what a verb loads, and in which order, is the same in every test.
_seen: set[str] = set()


@dataclass(slots=True)
class Freshd:
    """Calls of freshd in ``directory`` with state, config and runtime below ``own``.

    The first call of each verb is a process from its very start; later ones begin with the modules
    loaded, but where ``environment`` may hold what an interpreter reads as it starts.
    ``FRESHD_COLD=1`` has every call be one from its very start. ``began`` says how each was.
    """

    directory: str
    own: str
    environment: Mapping[str, str]
    daemons: list[Daemon] = field(default_factory=list)
    began: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return os.path.join(self.own, "state")

    @property
    def full_environment(self) -> dict[str, str]:
        directories = {
            f"FRESHD_{name.upper()}_DIR": os.path.join(self.own, name)
            for name in ("state", "config", "runtime")
        }
        return {**self.environment, **directories}

    def __call__(
        self,
        *argv: str,
        directory: str | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout: float = 300.0,
        cold: bool = False,
    ) -> Result:
        """One call to its end."""
        call = _cold if self._begins_cold(argv, environment) or cold else warm().call
        self.began.append("cold" if call is _cold else "warm")
        status, *streams = call(
            argv,
            directory=directory or self.directory,
            environment={**self.full_environment, **(environment or {})},
            stdin=stdin.encode(),
            timeout=timeout,
        )
        out, err = (os.fsdecode(stream) for stream in streams)
        return Result(argv, status, out, err)

    def run(self, *argv: str, environment: Mapping[str, str] | None = None) -> Daemon:
        """Start ``freshd run`` in the background; the fixture stops what is left."""
        log = os.path.join(self.own, f"run-{len(self.daemons)}.log")
        with open(log, "wb") as file:
            daemon = Daemon(self.start("run", *argv, output=file, environment=environment), log)
        self.daemons.append(daemon)
        return daemon

    def start(
        self, *argv: str, output: IO[bytes], environment: Mapping[str, str] | None = None
    ) -> Process:
        """One call, started and not waited for; both its streams go to ``output``."""
        own = {**self.full_environment, **(environment or {})}
        if self._begins_cold(argv, environment):
            return subprocess.Popen(
                [sys.executable, "-m", "freshd", *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=own,
            )
        with open(os.devnull, "rb") as nothing:
            streams = [nothing.fileno(), output.fileno(), output.fileno()]
            return warm().start(argv, directory=self.directory, environment=own, streams=streams)

    def close(self) -> None:
        """End every daemon that still runs."""
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.stop()

    def _begins_cold(self, argv: Sequence[str], environment: Mapping[str, str] | None) -> bool:
        verb = next(iter(argv), "")
        first = verb not in _seen
        _seen.add(verb)
        return first or bool(environment) or os.environ.get("FRESHD_COLD") == "1"


def _cold(
    argv: Sequence[str],
    *,
    directory: str,
    environment: Mapping[str, str],
    stdin: bytes,
    timeout: float,
) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "freshd", *argv],
        input=stdin,
        capture_output=True,
        cwd=directory,
        env=environment,
        timeout=timeout,
    )
    return done.returncode, done.stdout, done.stderr
