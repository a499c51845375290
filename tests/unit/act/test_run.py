"""Errors of a step become statuses; its journal entry is finished unless the engine went away."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from freshd import act
from freshd.act import World
from freshd.model.errors import (
    ConfigError,
    EngineFailed,
    EngineUnavailable,
    FreshdError,
    OutcomeUnknown,
    StepRefused,
    TargetGone,
)
from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.remedy import Remedy

STEP = Step(Remedy.RESTART, "web", ("process-older-than-code",), container_id="c" * 64)


class Journal:
    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, step: Step) -> None:
        self.told.append(step)

    def finish(self, outcome: Outcome) -> None:
        self.told.append(outcome.status)


def world(journal: Journal, inspected: FreshdError | None = None) -> World:
    def replica(_: str) -> None:
        if inspected is not None:
            raise inspected

    fake = SimpleNamespace(journal=journal, engine=SimpleNamespace(replica=replica))
    return cast(World, fake)


def doing(monkeypatch: pytest.MonkeyPatch, result: Exception | Outcome) -> None:
    def apply(_step: Step, _world: World) -> Outcome:
        if isinstance(result, Exception):
            raise result
        return result

    fakes: dict[Remedy, Any] = {Remedy.RESTART: SimpleNamespace(apply=apply)}
    monkeypatch.setattr(act, "ACTIONS", fakes)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TargetGone("x"), StepStatus.GONE),
        (OutcomeUnknown("x"), StepStatus.UNKNOWN),
        (StepRefused("x"), StepStatus.REFUSED),
        (EngineFailed("x"), StepStatus.FAILED),
        (ConfigError("x"), StepStatus.FAILED),
    ],
)
def test_errors_are_statuses(
    monkeypatch: pytest.MonkeyPatch, error: FreshdError, status: StepStatus
) -> None:
    journal = Journal()
    doing(monkeypatch, error)
    outcome = act.run(STEP, world(journal))
    assert outcome.status is status
    assert journal.told == [STEP, status]


def test_what_broke_off_because_its_container_went_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    doing(monkeypatch, OutcomeUnknown("x"))
    assert act.run(STEP, world(Journal(), TargetGone("y"))).status is StepStatus.GONE
    assert act.run(STEP, world(Journal(), EngineFailed("y"))).status is StepStatus.UNKNOWN


def test_what_broke_off_because_the_engine_went_leaves_the_entry_open_for_recovery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = Journal()
    doing(monkeypatch, OutcomeUnknown("x"))
    with pytest.raises(EngineUnavailable):
        act.run(STEP, world(journal, EngineUnavailable("y")))
    assert journal.told == [STEP]


def test_an_engine_that_is_away_leaves_the_entry_open_for_recovery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = Journal()
    doing(monkeypatch, EngineUnavailable("x"))
    with pytest.raises(EngineUnavailable):
        act.run(STEP, world(journal))
    assert journal.told == [STEP]


def test_a_hint_is_part_of_the_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    doing(monkeypatch, StepRefused("it is paused", hint="unpause it"))
    assert act.run(STEP, world(Journal())).detail == "it is paused (unpause it)"


def test_every_remedy_that_changes_something_has_an_action() -> None:
    assert set(act.ACTIONS) == set(Remedy) - {Remedy.NOTIFY}
