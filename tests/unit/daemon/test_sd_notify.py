"""What a supervisor hears, on a real socket of the test's own."""

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from freshd.daemon.sd_notify import SdNotify


class Socket:
    """A bound datagram socket, as systemd has one."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        lines = []
        while True:
            try:
                lines.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return lines

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Socket, str]]:
    """A socket and the name that the environment gives it."""
    if request.param == "path":
        name = address = str(tmp_path / "notify")
    else:
        name, address = f"@freshd-{os.getpid()}", f"\0freshd-{os.getpid()}"
    opened = Socket(address)
    yield opened, name
    opened.close()


def test_all_that_is_said_arrives_one_line_each(listener: tuple[Socket, str]) -> None:
    opened, name = listener
    sd_notify = SdNotify({"NOTIFY_SOCKET": name})
    assert sd_notify.listening
    sd_notify.ready()
    sd_notify.status("watches shop\nREADY=0 \udcff")
    sd_notify.status("watches shop\nREADY=0 \udcff")
    sd_notify.status("watches nothing")
    sd_notify.feed()
    sd_notify.stopping()
    ready, hostile, *rest = opened.heard()
    assert ready == "READY=1"
    assert hostile.startswith("STATUS=watches shop")
    assert "\n" not in hostile
    assert rest == ["STATUS=watches nothing", "STOPPING=1"], "nobody asked for signs of life"


def test_signs_of_life_are_given_at_half_of_the_interval(listener: tuple[Socket, str]) -> None:
    opened, name = listener
    now = [100.0]
    environ = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}
    sd_notify = SdNotify(environ, pid=7, clock=lambda: now[0])
    for moment, heard in ((100.0, 1), (100.1, 0), (129.9, 0), (130.0, 1), (300.0, 1), (301.0, 0)):
        now[0] = moment
        sd_notify.feed()
        assert opened.heard() == ["WATCHDOG=1"] * heard, moment


@pytest.mark.parametrize(
    "environ",
    [
        {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {},
    ],
)
def test_a_watchdog_that_is_not_ours_is_not_fed(
    listener: tuple[Socket, str], environ: Mapping[str, str]
) -> None:
    opened, name = listener
    SdNotify({"NOTIFY_SOCKET": name, **environ}, pid=7).feed()
    assert opened.heard() == []


@pytest.mark.parametrize("name", ["", "relative", "/nonexistent/notify", "@freshd-nobody"])
def test_without_a_listener_nothing_is_said_and_nothing_fails(name: str) -> None:
    sd_notify = SdNotify({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000"})
    sd_notify.ready()
    sd_notify.status("well")
    sd_notify.feed()
    sd_notify.stopping()
    assert sd_notify.listening == name.startswith(("/", "@"))
