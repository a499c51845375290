"""What other processes did is found out by asking, and marked once."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freshd.config.locate import Located
from freshd.config.project import load
from freshd.model.plan import Step
from freshd.model.remedy import Remedy
from freshd.store.store import Store, memory_store
from freshd.triggers.other_processes import OtherProcesses
from tests.harness.waiting import wait_until
from tests.unit.policy_only import make_project
from tests.unit.triggers.marks import ALL, Marked

NO_COMPOSE: Any = None


class Others:
    """A trigger that is asked by hand; ``at_work`` is what it hears of ``docker compose watch``."""

    def __init__(self, directory: Path) -> None:
        self.store: Store = memory_store()
        self.marked = Marked()
        self.at_work: tuple[str, ...] = ()
        self.states: list[str] = []
        self.errors: list[str] = []
        self.broken: Exception | None = None
        self.trigger = OtherProcesses(
            load(Located(str(make_project(directory))), engine=None, compose=NO_COMPOSE),
            self.marked,
            self.store,
            compose_watches=self._compose_watches,
            on_state=self.states.append,
            on_error=lambda error: self.errors.append(str(error)),
            interval=0.01,
        )

    def _compose_watches(self) -> tuple[str, ...]:
        if self.broken is not None:
            raise self.broken
        return self.at_work

    def after_a_round(self) -> list[tuple[str, str]]:
        """What it marks now."""
        self.marked.made.clear()
        self.trigger.check()
        return self.marked.made

    def step(self, service: str, *, project: str = "shop") -> int:
        step = Step(Remedy.INJECT, service, ("content-differs",))
        return self.store.journal.begin(project, service, step=step, plan_text="", at=1.0)


@pytest.fixture
def others(tmp_path: Path) -> Iterator[Others]:
    made = Others(tmp_path / "shop")
    yield made
    made.trigger.stop()
    made.store.close()


def test_nothing_happened_and_nothing_is_marked(others: Others) -> None:
    assert others.after_a_round() == others.after_a_round() == []
    assert others.trigger.state() == ""


def test_a_halt_that_was_lifted_marks_everything_once(others: Others) -> None:
    others.store.halts.halt("shop", "web", reason="the tree is gone", at=1.0)
    assert others.after_a_round() == []
    others.store.halts.resume("shop")
    assert others.after_a_round() == [(ALL, "resumed")]
    assert others.after_a_round() == []


def test_what_another_process_did_by_hand_marks_its_service(
    others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    others.step("web")
    others.step("web", project="another")
    assert others.after_a_round() == [], "the daemon's own step"
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "getpid", lambda: 1)
        others.step("worker")
    assert others.after_a_round() == [("worker", "changed by hand")]
    assert others.after_a_round() == []


def test_compose_watch_that_came_or_went_is_shown_and_marks_everything(others: Others) -> None:
    others.at_work = ("docker compose watch (pid 7) is at work",)
    assert others.after_a_round() == [(ALL, "docker compose watch came or went")]
    assert others.after_a_round() == []
    assert others.trigger.state() == "docker compose watch (pid 7) is at work"
    others.at_work = ()
    assert others.after_a_round() == [(ALL, "docker compose watch came or went")]
    assert others.states == ["docker compose watch (pid 7) is at work", ""]
    assert others.trigger.state() == ""


def test_it_asks_by_itself_until_it_is_stopped(others: Others) -> None:
    others.trigger.start()
    others.at_work = ("a watch",)
    others.marked.wait_for(ALL, "docker compose watch came or went")
    assert others.trigger.alive()
    others.trigger.stop()
    assert not others.trigger.alive()


def test_an_error_is_reported_once_and_ends_nothing(others: Others) -> None:
    others.broken = RuntimeError("a bug")
    others.trigger.start()
    wait_until(lambda: others.errors)
    others.broken = RuntimeError("another")
    wait_until(lambda: len(others.errors) > 1)
    others.broken, others.at_work = None, ("a watch",)
    others.marked.wait_for(ALL, "docker compose watch came or went")
    assert others.errors == ["a bug", "another"]
