"""An engine of a test's own, to be stopped, killed and started again.

In: a directory. Out: an environment that names the engine. Needs root on Linux.
"""

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.stack import Stack, unique_name

SCRIPTS = Path(__file__).parents[2] / ".ci"


@dataclass(frozen=True, slots=True)
class PrivateEngine:
    """Lives in ``directory``; ``base`` is the environment that its own settings are added to.

    ``settings`` are those of ``.ci/engine``, such as ``FRESHD_STORE``.
    """

    directory: str
    base: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def socket(self) -> str:
        return os.path.join(self.directory, "docker.sock")

    @property
    def environment(self) -> dict[str, str]:
        named = {
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": os.path.join(self.directory, "client"),
            "FRESHD_PRIVATE_ENGINE_DIR": self.directory,
        }
        return {**self.base, **named}

    @property
    def pid(self) -> int:
        with open(os.path.join(self.directory, "docker.pid"), encoding="ascii") as file:
            return int(file.read())

    def start(self) -> None:
        """Start it, or start it again with the data it had; returns when it answers."""
        self._script("engine", "start", self.directory)

    def images(self, *names: str) -> None:
        """Make base images in it: ``busybox``, ``python``, ``static``."""
        self._script("images", *names)

    def stack(self, parent: Path) -> Stack:
        """An empty project on it, in a new directory below ``parent``."""
        project = unique_name()
        (parent / project).mkdir()
        return Stack(str(parent / project), project, self.environment)

    def down(self) -> None:
        """Stop it in good order; its data stays."""
        self._script("engine", "down", self.directory)

    def kill(self) -> None:
        """SIGKILL, as a crash would; its socket file and containers stay behind."""
        os.kill(self.pid, signal.SIGKILL)

    def remove(self) -> None:
        self._script("engine", "stop", self.directory)

    def _script(self, name: str, *argv: str) -> None:
        command = [str(SCRIPTS / name), *argv]
        done = subprocess.run(
            command,
            env={**self.environment, **self.settings, "FRESHD_PRIVATE_ENGINE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=300,
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace")
            raise AssertionError(f"{shlex.join(command)}: exit {done.returncode}\n{said}")
