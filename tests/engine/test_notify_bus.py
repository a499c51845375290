"""Notices on a real session bus, with a notification service that writes down what it is told."""

import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from freshd.notify import Notice, Notifier
from freshd.notify.desktop import Desktop
from tests.harness.session_bus import Bus

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed (apt install dbus)"
)


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
