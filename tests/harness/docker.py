"""The plain docker command on the engine under test.

In: argv and an environment that names the engine. Out: what the command printed, as bytes.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Completed = subprocess.CompletedProcess[bytes]


@dataclass(frozen=True, slots=True)
class Docker:
    """Runs ``docker …`` with ``environment``; ``directory`` is where it runs."""

    environment: Mapping[str, str]
    directory: str | None = None

    def __call__(
        self, *argv: str, stdin: bytes = b"", check: bool = True, timeout: float = 300.0
    ) -> Completed:
        """One command, its output kept; a failure shows what it printed."""
        done = subprocess.run(
            ["docker", *argv],
            input=stdin,
            capture_output=True,
            env=self.environment,
            cwd=self.directory,
            timeout=timeout,
        )
        if check and done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise AssertionError(f"docker {' '.join(argv)}: exit {done.returncode}\n{said}")
        return done

    def words(self, *argv: str) -> tuple[str, ...]:
        """The output of one command, split at blanks: ids and names."""
        return tuple(self(*argv).stdout.decode().split())


def builds_any_name(docker: Docker) -> bool:
    """Whether its BuildKit takes a context with names that are no UTF-8; Docker 28's does not."""
    return int(docker.words("version", "-f", "{{.Server.Version}}")[0].split(".")[0]) < 28


def own_settings(directory: Path, environment: Mapping[str, str]) -> str:
    """``directory``, made a DOCKER_CONFIG with nothing in it but the plugins of ``environment``."""
    directory.mkdir(parents=True, exist_ok=True)
    plugins = Path(environment["DOCKER_CONFIG"], "cli-plugins")
    if plugins.is_dir():
        os.symlink(plugins.resolve(), directory / "cli-plugins")
    return str(directory)
