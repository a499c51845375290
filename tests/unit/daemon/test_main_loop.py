"""The main loop: who is told what, and when nobody is fed."""

import os
import signal
import threading
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from freshd.daemon.main_loop import MainLoop


@dataclass
class Told:
    """A supervisor that writes down what it hears."""

    lines: list[str] = field(default_factory=list)
    listening: bool = False

    def ready(self) -> None:
        self.lines.append("ready")

    def status(self, text: str) -> None:
        self.lines.append(text)

    def feed(self) -> None:
        self.lines.append("fed")

    def stopping(self) -> None:
        self.lines.append("stopping")


@dataclass
class Watched:
    """What watches; ``at_tick`` is called in each tick."""

    at_tick: Any = lambda: None
    ready: bool = True
    summary: str = "watches shop"
    wrong: str = ""
    calls: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.calls.append("start")

    def tick(self) -> None:
        self.calls.append("tick")
        self.at_tick()

    def trouble(self) -> str:
        return self.wrong

    def stop(self) -> None:
        self.calls.append("stop")


def loop(watched: Watched, told: Told) -> MainLoop:
    return MainLoop(watched, cast(Any, told))


def test_it_is_ready_once_and_fed_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    watched, told = Watched(ready=False), Told()
    main = loop(watched, told)
    main.once()
    assert told.lines == ["watches shop", "fed"]
    watched.ready = True
    main.once()
    main.once()
    assert told.lines[2:] == ["ready", "watches shop", "fed", "watches shop", "fed"]
    assert capsys.readouterr().out == "freshd watches shop; Ctrl-C ends it\n"


def test_whoever_does_not_work_is_not_fed_until_it_does_again() -> None:
    watched, told = Watched(), Told()
    main = loop(watched, told)
    watched.wrong = "a worker has died"
    main.once()
    assert "fed" not in told.lines
    assert "does not work: a worker has died" in told.lines
    watched.wrong = ""
    main.once()
    assert told.lines[-1] == "fed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_the_old_handlers_come_back(number: int) -> None:
    before = signal.getsignal(number)
    assert threading.current_thread() is threading.main_thread()
    watched, told = Watched(), Told()
    watched.at_tick = lambda: os.kill(os.getpid(), number)
    loop(watched, told).run()
    assert watched.calls == ["start", "tick", "stop"]
    assert told.lines[-1] == "stopping"
    assert signal.getsignal(number) == before


def test_what_fails_is_stopped_all_the_same() -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    watched, told = Watched(at_tick=fail), Told()
    with pytest.raises(RuntimeError):
        loop(watched, told).run()
    assert watched.calls[-1] == "stop"
    assert told.lines == ["stopping"]
