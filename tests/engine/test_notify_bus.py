"""Notices on a real session bus, with a notification service that writes down what it is told."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from freshd.notify import Notice, Notifier
from freshd.notify.desktop import Desktop

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed (apt install dbus)"
)

SERVICE = textwrap.dedent(
    """
    import asyncio, json, sys
    from dbus_fast.aio import MessageBus
    from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

    class Notifications(ServiceInterface):
        def __init__(self):
            super().__init__("org.freedesktop.Notifications")
            self.count = 0

        @dbus_method()
        def GetCapabilities(self) -> "as":
            return ["body", "body-markup", "actions"]

        @dbus_method()
        def GetServerInformation(self) -> "ssss":
            return ["freshd-test", "freshd", "1", "1.2"]

        @dbus_method()
        def Notify(self, app: "s", replaces: "u", icon: "s", title: "s", body: "s",
                   actions: "as", hints: "a{sv}", timeout: "i") -> "u":
            self.count += 1
            told = {"app": app, "title": title, "body": body, "urgency": hints["urgency"].value}
            print(json.dumps(told), flush=True)
            return self.count

        @dbus_method()
        def CloseNotification(self, id: "u") -> None:
            pass

        @dbus_signal()
        def NotificationClosed(self) -> "uu":
            return [0, 0]

        @dbus_signal()
        def ActionInvoked(self) -> "us":
            return [0, ""]

    async def main():
        bus = await MessageBus().connect()
        bus.export("/org/freedesktop/Notifications", Notifications())
        await bus.request_name("org.freedesktop.Notifications")
        print("ready", flush=True)
        await bus.wait_for_disconnect()

    asyncio.run(main())
    """
)


class Bus:
    """A private session bus and, on request, a notification service on it."""

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, "bus")
        self.told: list[dict[str, object]] = []
        self._processes: list[subprocess.Popen[str]] = []
        self._readers: list[threading.Thread] = []

    @property
    def address(self) -> str:
        return f"unix:path={self.path}"

    def start(self) -> "subprocess.Popen[str]":
        command = ["dbus-daemon", "--session", "--nofork", "--print-address", "--address"]
        bus = self._spawn([*command, self.address])
        assert bus.stdout is not None
        assert bus.stdout.readline().startswith("unix:")
        return bus

    def serve(self) -> "subprocess.Popen[str]":
        service = self._spawn([sys.executable, "-W", "ignore", "-c", SERVICE])
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n"
        reader = threading.Thread(target=self._read, args=(service,))
        reader.start()
        self._readers.append(reader)
        return service

    def end(self, process: "subprocess.Popen[str]") -> None:
        process.kill()
        process.wait(timeout=10)

    def stop(self) -> None:
        for process in reversed(self._processes):
            self.end(process)
        for reader in self._readers:
            reader.join(timeout=10)
        for process in self._processes:
            if process.stdout is not None:
                process.stdout.close()

    def _spawn(self, command: list[str]) -> "subprocess.Popen[str]":
        environ = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.address}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ
        )
        self._processes.append(process)
        return process

    def _read(self, service: "subprocess.Popen[str]") -> None:
        assert service.stdout is not None
        for line in service.stdout:
            self.told.append(json.loads(line))


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    with tempfile.TemporaryDirectory(prefix="fd-bus-") as directory:  # short: a socket's limit
        made = Bus(directory)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", made.address)
        yield made
        made.stop()


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def test_a_notice_arrives_on_the_desktop_as_it_was_meant(bus: Bus) -> None:
    bus.start()
    bus.serve()
    desktop = Desktop()
    notice = Notice("k", "shop: web runs old code", "<b>a.py</b> & \u202eb.py\nfreshd apply")
    assert desktop.show(notice) == ""
    assert desktop.show(Notice("h", "halted", "look", urgent=True)) == ""
    wait(lambda: len(bus.told) == 2)
    assert bus.told[0] == {
        "app": "freshd",
        "title": "shop: web runs old code",
        "body": "&lt;b&gt;a.py&lt;/b&gt; &amp; \\u202eb.py\nfreshd apply",
        "urgency": 1,
    }
    assert bus.told[1]["urgency"] == 2
    desktop.close()


def test_the_bus_is_found_by_its_socket_in_the_runtime_directory(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.start()
    bus.serve()
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.path.dirname(bus.path))
    desktop = Desktop()
    assert desktop.show(Notice("k", "title")) == ""
    wait(lambda: len(bus.told) == 1)
    desktop.close()


def test_a_service_that_comes_late_dies_and_returns_is_found_each_time(bus: Bus) -> None:
    bus.start()
    desktop = Desktop()
    assert "no notification service" in desktop.show(Notice("k", "nobody there"))
    first = bus.serve()
    assert desktop.show(Notice("k", "first")) == ""
    bus.end(first)
    assert desktop.show(Notice("k", "lost")) != ""
    bus.serve()
    assert desktop.show(Notice("k", "second")) == ""
    wait(lambda: [each["title"] for each in bus.told] == ["first", "second"])
    desktop.close()


def test_a_bus_that_dies_is_a_line_and_a_new_one_is_used(bus: Bus) -> None:
    daemon = bus.start()
    bus.serve()
    desktop = Desktop()
    assert desktop.show(Notice("k", "before")) == ""
    bus.end(daemon)
    assert desktop.show(Notice("k", "while it is gone")) != ""
    if os.path.exists(bus.path):
        os.unlink(bus.path)
    bus.start()
    bus.serve()
    assert desktop.show(Notice("k", "after")) == ""
    wait(lambda: [each["title"] for each in bus.told] == ["before", "after"])
    desktop.close()


def test_a_bus_that_never_answers_costs_the_deadline_and_no_more(bus: Bus) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(bus.path)
        mute.listen()
        desktop = Desktop(deadline=0.2)
        began = time.monotonic()
        assert "did not answer" in desktop.show(Notice("k", "title"))
        assert time.monotonic() - began < 10 * 0.2
        desktop.close()


def test_notices_kept_while_nobody_listened_are_shown_when_somebody_does(bus: Bus) -> None:
    notifier = Notifier(retry=0.05)
    notifier.start()
    notifier.notify(Notice("k", "kept"))
    wait(lambda: "waiting" in notifier.state() and notifier.state() != "on (1 waiting)")
    bus.start()
    bus.serve()
    wait(lambda: [each["title"] for each in bus.told] == ["kept"])
    wait(lambda: notifier.state() == "on")
    notifier.stop()


def test_failed_notices_leave_no_open_files(bus: Bus) -> None:
    bus.start()
    desktop = Desktop()
    desktop.show(Notice("k", "warms up"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        assert desktop.show(Notice("k", "nobody there")) != ""
    assert len(os.listdir("/proc/self/fd")) <= before
    desktop.close()
