"""Handing over never waits, failures are kept and said, incidents are told once."""

import threading
import time
from collections.abc import Callable

import pytest

from freshd.model.report import Finding, Level, LinkName, ServiceReport, Verdict
from freshd.notify import IncidentNotices, Notice, Notifier
from freshd.notify.desktop import Desktop, body_text, session_bus, shortened
from freshd.store import memory_store


class Screen:
    """Shows by remembering; fails as long as ``problem`` says so, hangs while ``hold`` is clear."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self.shown: list[Notice] = []
        self.tried = 0
        self.closed = False
        self.hold = threading.Event()
        self.hold.set()

    def show(self, notice: Notice) -> str:
        self.tried += 1
        assert self.hold.wait(10)
        if not self.problem:
            self.shown.append(notice)
        return self.problem

    def close(self) -> None:
        self.closed = True


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 8
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def test_a_notice_is_shown_and_the_state_is_on() -> None:
    screen = Screen()
    notifier = Notifier(screen=screen)
    notifier.start()
    notifier.notify(Notice("k", "title"))
    wait(lambda: [notice.title for notice in screen.shown] == ["title"])
    assert notifier.state() == "on"
    notifier.stop()
    assert screen.closed


def test_handing_over_does_not_wait_for_a_desktop_that_hangs() -> None:
    screen = Screen()
    screen.hold.clear()
    notifier = Notifier(screen=screen)
    notifier.start()
    notifier.notify(Notice("first", "x"))
    wait(lambda: screen.tried == 1)
    for number in range(5):
        notifier.notify(Notice(f"k{number}", "x"))  # returns while the first still hangs
    assert notifier.state() == "on (5 waiting)"
    screen.hold.set()
    wait(lambda: len(screen.shown) == 2)  # the five became one
    notifier.stop()


def test_without_a_desktop_the_notice_waits_the_state_says_so_and_it_is_shown_later() -> None:
    screen = Screen("no session bus")
    notifier = Notifier(screen=screen, retry=0.02)
    notifier.start()
    notifier.notify(Notice("k", "title"))
    wait(lambda: screen.tried >= 2)
    assert notifier.state() == "no session bus (1 waiting)"
    screen.problem = ""
    wait(lambda: len(screen.shown) == 1)
    wait(lambda: notifier.state() == "on")
    notifier.stop()


def test_notices_of_quiet_hours_come_when_they_end() -> None:
    screen = Screen()
    minute = [23 * 60]
    notifier = Notifier(
        screen=screen, quiet=(22 * 60, 7 * 60), minute_of_day=lambda _now: minute[0], tick=0.02
    )
    notifier.start()
    notifier.notify(Notice("k", "title"))
    assert notifier.state() == "on (1 waiting)"
    minute[0] = 7 * 60
    wait(lambda: len(screen.shown) == 1)
    notifier.stop()


def test_stop_shows_what_is_due_and_waits_for_nothing_else() -> None:
    screen = Screen()
    notifier = Notifier(screen=screen)
    notifier.notify(Notice("k", "title"))
    notifier.start()
    notifier.stop()
    assert [notice.title for notice in screen.shown] == ["title"]
    failing = Notifier(screen=Screen("no session bus"), retry=1_000.0)
    failing.start()
    failing.notify(Notice("k", "title"))
    failing.stop()
    assert not failing._thread.is_alive()


def test_switched_off_nothing_is_shown_and_no_thread_runs() -> None:
    screen = Screen()
    notifier = Notifier(enabled=False, screen=screen)
    notifier.start()
    notifier.notify(Notice("k", "title"))
    assert notifier.state() == "off"
    notifier.stop()
    assert screen.tried == 0


def report(verdict: Verdict, *messages: str) -> ServiceReport:
    findings = tuple(
        Finding("content-differs", Level.STALE, LinkName.CONTAINER, "web", message)
        for message in messages
    )
    return ServiceReport("web", verdict, patched=False, links={}, containers=(), findings=findings)


def test_an_incident_is_told_when_it_opens_and_when_it_closes_and_only_then() -> None:
    store = memory_store()
    told: list[Notice] = []
    notices = IncidentNotices(store.incidents, told.append)
    passes = [
        report(Verdict.FRESH),
        report(Verdict.STALE, "a.py differs"),
        report(Verdict.STALE, "a.py differs", "b.py differs"),
        report(Verdict.UNVERIFIABLE),
        report(Verdict.STALE, "b.py differs"),
        report(Verdict.FRESH),
        report(Verdict.FRESH),
    ]
    for number, each in enumerate(passes):
        notices.report("shop", each, at=100.0 * number)
    assert [(notice.title, notice.body) for notice in told] == [
        ("shop: web runs old code", "a.py differs"),
        ("shop: web is fresh again", "after 6 min"),
    ]
    assert told[0].key == told[1].key
    store.close()


def test_a_restart_does_not_tell_an_open_incident_again() -> None:
    store = memory_store()
    told: list[Notice] = []
    for _ in range(2):
        IncidentNotices(store.incidents, told.append).report(
            "shop", report(Verdict.STALE, "x"), at=1.0
        )
    assert len(told) == 1
    store.close()


def test_a_long_incident_names_a_few_findings_and_what_is_to_do() -> None:
    store = memory_store()
    told: list[Notice] = []
    notices = IncidentNotices(store.incidents, told.append)
    many = report(Verdict.STALE, *(f"f{n}.py differs" for n in range(9)))
    notices.report("shop", many, at=0.0, todo="freshd apply")
    assert told[0].body.splitlines()[3:] == ["and 6 more findings", "freshd apply"]
    notices.report("shop", report(Verdict.FRESH), at=3 * 3600.0)
    assert told[1].body == "after 3 h"
    store.close()


def test_a_halt_is_urgent_and_says_how_to_go_on() -> None:
    store = memory_store()
    told: list[Notice] = []
    IncidentNotices(store.incidents, told.append).halted("shop", None, "the tree is empty")
    assert told[0].urgent
    assert "freshd resume" in told[0].body
    store.close()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\nb"),
        ("<b>bold</b> & more", "&lt;b&gt;bold&lt;/b&gt; &amp; more"),
        ('<a href="x">', '&lt;a href="x"&gt;'),
    ],
)
def test_a_body_keeps_its_lines_and_has_no_markup(text: str, shown: str) -> None:
    assert body_text(text, markup=True) == shown
    assert body_text(text, markup=False) == text


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\u202egnp.exe", "a\udcffb", "\0", "\r", "\u2066"])
def test_control_bidi_and_undecodable_characters_never_reach_the_desktop(hostile: str) -> None:
    safe = body_text(f"x{hostile}y", markup=True)
    assert safe.isprintable()
    safe.encode()


def test_long_texts_are_cut() -> None:
    assert shortened("x" * 200, 120) == "x" * 119 + "…"
    assert len(body_text("y\n" * 9_999, markup=True)) == 600


def test_the_session_bus_is_found_by_its_address_or_by_its_socket(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket
    import tempfile

    assert session_bus({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}) == "unix:path=/x"
    assert session_bus({}) is None
    with tempfile.TemporaryDirectory() as runtime:  # short: a socket's path is limited
        assert session_bus({"XDG_RUNTIME_DIR": runtime}) is None
        with socket.socket(socket.AF_UNIX) as bus:
            bus.bind(f"{runtime}/bus")
            assert session_bus({"XDG_RUNTIME_DIR": runtime}) == f"unix:path={runtime}/bus"


def test_without_a_bus_the_desktop_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert Desktop(platform="linux").show(Notice("k", "t")) == "no session bus"
