"""What systemd, or any supervisor that speaks its protocol, hears: ready, alive, stopping.

The environment names a datagram socket and how often to say that all is well; without one nothing
is said. The protocol is a line of text to a socket, documented and promised to stay: see
sd_notify(3), which says that programs may speak it themselves.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final

from freshd.model.text import printable

VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""Meant for this process alone: its children are not given them."""

_LONGEST_STATUS: Final = 400
_PATIENCE: Final = 1.0


class SdNotify:
    """No call raises or blocks for long: a supervisor that is gone ends nothing of freshd."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        pid: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        self._interval = _interval(environ, os.getpid() if pid is None else pid)
        self._clock = clock
        self._fed: float | None = None
        self._status = ""

    @property
    def listening(self) -> bool:
        """Whether there is somebody who listens."""
        return self._address.startswith(("/", "\0"))

    def ready(self) -> None:
        self._send("READY=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``, sent when it changed."""
        line = printable(text)[:_LONGEST_STATUS]
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def feed(self) -> None:
        """All is well now; sent at half of the interval in which it has to be heard."""
        now = self._clock()
        if self._interval is None or (self._fed is not None and now - self._fed < self._interval):
            return
        self._fed = now
        self._send("WATCHDOG=1")

    def _send(self, line: str) -> None:
        if not self.listening:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(_PATIENCE)
                out.sendto(line.encode("utf-8", "backslashreplace"), os.fsencode(self._address))
        except OSError:
            return  # nobody listens, or its queue is full: the next line is soon


def _interval(environ: Mapping[str, str], pid: int) -> float | None:
    """Seconds between two signs of life; None where none is wanted of this process."""
    meant = environ.get("WATCHDOG_PID", "")
    if meant and meant != str(pid):
        return None
    try:
        micros = int(environ.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return micros / 2_000_000 if micros > 0 else None
