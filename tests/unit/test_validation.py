"""The weekly validation reads every file again, and is owed until a pass has come through."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from freshd import passes
from freshd.composewatch import ComposeWatches
from freshd.dirty import Dirty, Key, Work
from freshd.engine.endpoint import Endpoint
from freshd.errors import EngineUnavailable
from freshd.locations import Locations
from freshd.notify import IncidentNotices
from freshd.passes import VALIDATION, Passes
from freshd.policy.halts import TreeSize
from freshd.reconcile import Passed
from freshd.store import memory_store
from tests.unit.report.values import service

PROJECT = SimpleNamespace(
    name="shop", dir="/src/shop", services={"web": None}, problem="", refresh=lambda: False
)
WORLD = SimpleNamespace(
    surveyor=SimpleNamespace(size=lambda _service: TreeSize(files=3)),
    halted=lambda _service: None,
)


class Quiet:
    """A log that nobody reads."""

    def info(self, event: str, **values: Any) -> None: ...
    def warning(self, event: str, **values: Any) -> None: ...
    def exception(self, event: str, **values: Any) -> None:
        raise AssertionError(event)


class Stage:
    """Passes whose stages are replaced; ``full`` is what each was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.full: list[bool] = []
        self.away = False
        monkeypatch.setattr(passes, "reconcile", self.reconcile)
        monkeypatch.setattr(Passes, "context", lambda _self, _service: WORLD)
        store = memory_store()
        self.passes = Passes(
            project=cast(Any, PROJECT),
            endpoint=Endpoint("unix:///none", "test"),
            compose=cast(Any, None),
            store=store,
            locations=Locations(config=str(tmp_path), state=str(tmp_path)),
            dirty=Dirty(),
            log=Quiet(),
            notices=IncidentNotices(store.incidents, lambda _notice: None),
            watches=ComposeWatches(),
        )

    def reconcile(self, *_: object, full: bool, **__: object) -> Passed:
        self.full.append(full)
        if self.away:
            raise EngineUnavailable("away")
        return Passed(service())

    def run(self, *reasons: str, paths: frozenset[str] | None = None) -> None:
        self.passes.run(Work(Key("/src/shop", "web"), paths, reasons, time.monotonic()))


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    return Stage(monkeypatch, tmp_path)


def test_a_validation_reads_everything_and_a_patrol_does_not(stage: Stage) -> None:
    stage.run("patrol")
    stage.run("patrol", VALIDATION)
    stage.run("patrol")
    assert stage.full == [False, True, False]


def test_a_validation_that_found_no_engine_is_made_up_for(stage: Stage) -> None:
    stage.away = True
    stage.run(VALIDATION)
    stage.away = False
    stage.run("the engine answers")
    stage.run("patrol")
    assert stage.full == [True, True, False]
