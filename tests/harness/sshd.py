"""An sshd of the test's own on a high port of this machine, and an `ssh` that trusts it.

In: a directory and what commands there find in their environment. Out: a port, and a directory for
the front of PATH. The machine's accounts and its sshd, if one runs, stay as they are. Needs root.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.waiting import wait_until

# A user for sshd's unprivileged part, and its empty directory, in a mount namespace of their own.
START = """
set -e
cp /etc/passwd "$1/passwd"
grep -q '^sshd:' "$1/passwd" || echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin' >>"$1/passwd"
mount --bind "$1/passwd" /etc/passwd
mkdir -p "$1/run"
mount --bind "$1/run" /run
mkdir -p -m 755 /run/sshd
exec "$2" -D -e -f "$1/sshd_config"
"""


def sshd() -> str | None:
    """The program: FRESHD_SSHD names it, else where distributions put it."""
    named = os.environ.get("FRESHD_SSHD")
    return named or shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def why_not() -> str | None:
    """What is missing for it here."""
    if os.geteuid() != 0:
        return "an sshd of the test's own needs root"
    missing = [name for name in ("ssh", "ssh-keygen", "unshare") if shutil.which(name) is None]
    if sshd() is None:
        missing.append("sshd (apt install openssh-server)")
    return f"not installed: {', '.join(missing)}" if missing else None


@dataclass(slots=True)
class Sshd:
    """Commands that come in see ``environment``."""

    directory: Path
    environment: Mapping[str, str]
    port: int = 0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def bin(self) -> str:
        """Has an `ssh` that knows the key and the host."""
        return str(self.directory / "bin")

    def start(self) -> None:
        for name in ("host", "user"):
            key = str(self.directory / name)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._write_settings()
        program = sshd()
        assert program is not None
        with open(self.directory / "log", "wb") as log:
            self._process = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", START, "sh", str(self.directory), program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, 10.0, what="sshd to listen")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def _answers(self) -> bool:
        assert self._process is not None
        said = (self.directory / "log").read_text()
        assert self._process.poll() is None, said
        return "Server listening" in said

    def _write_settings(self) -> None:
        here = self.directory
        told = " ".join(f'"{name}={value}"' for name, value in self.environment.items())
        (here / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {here}/host\nPidFile none\n"
            f"AuthorizedKeysFile {here}/user.pub\nStrictModes no\nPermitRootLogin yes\n"
            f"PasswordAuthentication no\nKbdInteractiveAuthentication no\nSetEnv {told}\n"
        )
        (here / "config").write_text(
            f"IdentityFile {here}/user\nIdentitiesOnly yes\nStrictHostKeyChecking no\n"
            f"UserKnownHostsFile {here}/known\nLogLevel ERROR\n"
        )
        os.makedirs(self.bin)
        wrapper = Path(self.bin) / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {here}/config "$@"\n')
        wrapper.chmod(0o755)
