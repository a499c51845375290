"""Podman's Docker-compatible socket, with storage and a network namespace of its own.

In: a directory. Out: an environment for the docker command. Needs root, and FRESHD_PODMAN to name
the program, as `make test-all` does.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.docker import own_settings
from tests.harness.waiting import wait_until

SETTINGS = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{here}/tmp"
runtime = "runc"
"""
STORAGE = '[storage]\ndriver = "vfs"\nrunroot = "{here}/run"\ngraphroot = "{here}/root"\n'
ANYTHING = '{"default": [{"type": "insecureAcceptAnything"}]}'


def why_not() -> str | None:
    """What is missing for it here."""
    if os.geteuid() != 0:
        return "a Podman of the test's own needs root"
    if not os.environ.get("FRESHD_PODMAN"):
        return "FRESHD_PODMAN names no podman (`make test-all` does)"
    return None if _podman() else "podman is not installed"


def _podman() -> str | None:
    return shutil.which(os.environ.get("FRESHD_PODMAN", ""))


@dataclass(slots=True)
class Podman:
    """``base`` is the environment that its own settings are added to."""

    directory: Path
    base: Mapping[str, str]
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """Builds go to Podman's own builder: it has none that BuildKit's clients could use."""
        own = {
            "DOCKER_HOST": f"unix://{self.directory}/podman.sock",
            "DOCKER_CONFIG": str(self.directory / "client"),
            "DOCKER_BUILDKIT": "0",
        }
        return {**self.base, **own}

    def start(self) -> None:
        here = self.directory
        own_settings(here / "client", self.base)
        policy = here / "home" / ".config" / "containers" / "policy.json"
        policy.parent.mkdir(parents=True)
        policy.write_text(ANYTHING)
        (here / "containers.conf").write_text(SETTINGS.format(here=here))
        (here / "storage.conf").write_text(STORAGE.format(here=here))
        socket = f"unix://{here}/podman.sock"
        with open(here / "log", "wb") as log:
            self._process = subprocess.Popen(
                ["unshare", "-n", str(_podman()), "system", "service", "--time", "0", socket],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._own(),
                start_new_session=True,
            )
        wait_until((here / "podman.sock").exists, 120.0, what="Podman's socket")

    def stop(self) -> None:
        """Its containers first: they are no children of the service."""
        everything = [str(_podman()), "rm", "--all", "--force", "--time", "0"]
        subprocess.run(everything, env=self._own(), capture_output=True, timeout=120)
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def _own(self) -> dict[str, str]:
        here = self.directory
        own = {
            "HOME": str(here / "home"),
            "CONTAINERS_CONF": str(here / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(here / "storage.conf"),
        }
        return {**self.base, **own}
