"""``docker compose watch`` as a developer runs it: a process in the project, ended by its group."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass

from tests.harness.docker import Docker
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until


def compose_version(docker: Docker) -> tuple[int, int]:
    """Major and minor number of the Compose plugin."""
    said = docker("compose", "version", "--short").stdout.decode()
    found = re.search(r"(\d+)\.(\d+)", said)
    assert found is not None, said
    return int(found[1]), int(found[2])


@dataclass(slots=True)
class ComposeWatch:
    """A running watch; its output goes to the file ``log``."""

    process: subprocess.Popen[bytes]
    log: str

    @classmethod
    def start(cls, stack: Stack, directory: str) -> "ComposeWatch":
        """Start it on ``stack``, with ``directory`` for its lock and log; returns once it watches.

        In a session of its own, so that its plugin ends with it.
        """
        log = os.path.join(directory, f"{stack.project}.watch.log")
        with open(log, "wb") as file:
            process = subprocess.Popen(
                ["docker", "compose", "watch", "--no-up"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=stack.directory,
                env={**stack.environment, "XDG_RUNTIME_DIR": directory},
                start_new_session=True,
            )
        watch = cls(process, log)
        wait_until(lambda: "Watch enabled" in watch.output(), 120.0, what="compose watch to watch")
        return watch

    def output(self) -> str:
        assert self.process.poll() is None, "docker compose watch has ended"
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self) -> None:
        """End the command and its plugin, at once."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
