"""A stand-in for systemd: runs a unit's ExecStart with its environment, and hears what it is told.

A unit file comes in; a process, and the lines of its notify socket, go out. It imports nothing of
freshd, and starts nothing but that one process.
"""

import os
import re
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.harness.cli import Daemon

_ENVIRONMENT = re.compile(r'^Environment="([A-Z_]+)=(.*)"$', re.MULTILINE)


@dataclass
class Supervised:
    """``heard`` are (when, line), in the order they came; ``watchdog`` in seconds."""

    daemon: Daemon
    watchdog: float
    heard: list[tuple[float, str]] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [line for _, line in self.heard]

    def signs_of_life(self) -> list[float]:
        """When it said that it lives."""
        return [at for at, line in self.heard if line == "WATCHDOG=1"]


class Supervisor:
    """A context manager; ``start`` as often as wanted, one process at a time."""

    def __init__(self, unit: str, directory: str, environment: Mapping[str, str]) -> None:
        with open(unit, encoding="utf-8") as file:
            text = file.read()
        (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        assert "Type=notify" in text.splitlines()
        self.argv = shlex.split(command.replace("%%", "%"))
        said = {name: value.replace("%%", "%") for name, value in _ENVIRONMENT.findall(text)}
        self._environment = {**environment, **said}
        self._directory = directory
        self._count = 0
        self._listeners: list[tuple[socket.socket, threading.Thread]] = []

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        for listener, thread in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            listener.close()

    def start(self, *, watchdog: float) -> Supervised:
        """One process of the unit; not waited for."""
        self._count += 1
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"freshd-test-{os.getpid()}-{self._count}"
        listener.bind(f"\0{name}")
        log = os.path.join(self._directory, f"supervised-{self._count}.log")
        with open(log, "wb") as file:
            process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={
                    **self._environment,
                    "NOTIFY_SOCKET": f"@{name}",
                    "WATCHDOG_USEC": str(int(watchdog * 1_000_000)),
                },
            )
        supervised = Supervised(Daemon(process, log), watchdog)
        thread = threading.Thread(target=_listen, args=(listener, supervised.heard))
        thread.start()
        self._listeners.append((listener, thread))
        return supervised


def _listen(listener: socket.socket, heard: list[tuple[float, str]]) -> None:
    while line := listener.recv(4096):
        heard.append((time.monotonic(), line.decode()))
