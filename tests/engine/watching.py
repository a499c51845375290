"""A stack under ``freshd run``: what the tests of the daemon ask of both.

In: a stack and freshd in it. Out: waits with a deadline for containers that are level (by the
judge, which knows nothing of freshd) and for what ``freshd status`` says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.harness.cli import Daemon, Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

PATIENCE = 180.0
SOME = 30

COMPOSE = """
services:
  web:
    build: .
    init: true
    scale: 2
    command: [sleep, "1000000"]
    stop_grace_period: 0s
    labels: {dev.freshd.test: "1"}
"""
DOCKERFILE = "FROM freshd-busybox:1\nCOPY app /app\n"
INJECT = """
version = 1
[[rule]]
name = "sources"
when = ["content-differs", "missing-in-container", "mode-differs"]
do = ["inject"]
[[rule]]
name = "left the tree"
when = ["extra-in-container"]
do = ["inject"]
"""


@dataclass(slots=True)
class Watching:
    """One stack, freshd in it, and the daemon once it is started."""

    stack: Stack
    freshd: Freshd
    environment: Mapping[str, str] | None = None
    daemon: Daemon | None = None

    def run(self) -> Daemon:
        """Start the daemon and wait until it watches."""
        self.daemon = self.freshd.run(environment=self.environment).wait_ready()
        return self.daemon

    @property
    def log(self) -> str:
        return "" if self.daemon is None else self.daemon.output().decode(errors="replace")

    def until(self, condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Wait for it; a failure shows what the daemon said."""
        try:
            wait_until(condition, patience, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log}") from None

    # ---- what is in the containers

    def level(
        self,
        pairs: Mapping[str, str] | None = None,
        *,
        gone: Sequence[str] = (),
        service: str = "web",
        replicas: int = 2,
        modes: bool = False,
    ) -> None:
        """Until every replica holds the tree's files and none of ``gone`` (container paths)."""
        expected = dict(pairs if pairs is not None else self.stack.files("app", "/app"))
        expected |= {f"no such file {path}": path for path in gone}
        some = dict(list(expected.items())[:: max(1, len(expected) // SOME)])
        seen: list[str] = []

        def equal() -> bool:
            try:
                for pairs in (some, expected):  # all of many files only when it is worth it
                    seen[:] = self.stack.oracle(service, pairs, replicas=replicas, modes=modes)
                    if seen or some == expected:
                        break
            except AssertionError as error:  # a container that is just being replaced
                seen[:] = [str(error)]
            return not seen

        try:
            self.until(equal, f"{service} to be level")
        except AssertionError as error:
            raise AssertionError(f"{seen}\n{error}") from None

    def read(self, path: str, service: str = "web") -> set[bytes | None]:
        """What the replicas hold at ``path``; nothing while one is on its way out."""
        try:
            return {self.stack.read(each, path) for each in self.stack.containers(service)}
        except AssertionError:
            return set()

    # ---- what freshd says

    def status(self) -> Any:
        """``status --json``, whatever its exit status."""
        return self.freshd("status", "--json", environment=self.environment).json

    def causes(self) -> set[str]:
        """The causes of all findings that ``status`` shows."""
        return {f["cause"] for s in self.status()["services"] for f in s["findings"]}

    def fresh(self) -> None:
        """Until ``status`` exits with 0 and says fresh."""
        last: list[object] = []

        def says_so() -> bool:
            result = self.freshd("status", environment=self.environment)
            last[:] = [result]
            return result.returncode == 0 and "fresh" in result.stdout.splitlines()[0]

        try:
            self.until(says_so, "status to say fresh")
        except AssertionError as error:
            raise AssertionError(f"{last}\n{error}") from None

    def finds(self, cause: str) -> None:
        """Until ``status`` shows this cause and does not exit with 0."""

        def shown() -> bool:
            result = self.freshd("status", "--json", environment=self.environment)
            found = {f["cause"] for s in result.json["services"] for f in s["findings"]}
            return cause in found and result.returncode != 0

        self.until(shown, f"{cause} in status")

    def entries(self, *argv: str) -> list[Any]:
        """The journal, newest first."""
        done = self.freshd("history", "--json", *argv, environment=self.environment)
        assert done.returncode == 0, done
        found: list[Any] = done.json["entries"]
        return found

    def ended(self) -> list[tuple[str, str]]:
        """``remedies`` once none of them is under way."""
        self.until(
            lambda: all(status != "running" for _, status in self.remedies()), "steps to end"
        )
        return self.remedies()

    def remedies(self) -> list[tuple[str, str]]:
        """(remedy, status) of every step, oldest first."""
        return [(e["step"]["remedy"], e["status"]) for e in reversed(self.entries())]
