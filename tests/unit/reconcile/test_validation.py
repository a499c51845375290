"""A validation reads every file again, is owed until a pass has come through, and is told once."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from freshd.config.locations import Locations
from freshd.daemon.work import worker
from freshd.daemon.work.coalescing import Key, Work
from freshd.daemon.work.queue import WorkQueue
from freshd.daemon.work.worker import Worker
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import EngineUnavailable
from freshd.model.observed.tree_size import TreeSize
from freshd.model.policy import Policy
from freshd.model.report import ServiceReport, Verdict
from freshd.notify import IncidentNotices
from freshd.notify.outbox import Notice
from freshd.observe.compose_watch import ComposeWatches
from freshd.reconcile.reconcile import Passed
from freshd.reconcile.validation import Validating, result, take_up
from freshd.render.daemon.validations import summary
from freshd.store import memory_store
from freshd.store.validations import MOST_KEPT, Validation
from tests.unit.render.values import DONE, differs, note, service

WORLD = SimpleNamespace(
    proof=SimpleNamespace(size=lambda _service: TreeSize(files=3)),
    snapshots=SimpleNamespace(
        same_files=lambda _service, _paths: True,
        manifest=SimpleNamespace(forget_gone=lambda: None),
    ),
    engine=SimpleNamespace(take_seen=dict),
    watches=ComposeWatches(),
)


class Quiet:
    """A log that nobody reads."""

    def info(self, event: str, **values: Any) -> None: ...
    def warning(self, event: str, **values: Any) -> None: ...
    def exception(self, event: str, **values: Any) -> None:
        raise AssertionError(event)


class Stage:
    """Worker whose stages are replaced; ``full`` is what each was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.full: list[bool] = []
        self.away = False
        self.told: list[Notice] = []
        self.reports = {"web": service(), "worker": service(name="worker")}
        self.project = SimpleNamespace(
            name="shop",
            dir="/src/shop",
            policy=Policy(),
            compose_files=None,
            services={"web": None},
            problem="",
            refresh=lambda: False,
        )
        monkeypatch.setattr(worker, "reconcile", self.reconcile)
        monkeypatch.setattr(Worker, "context", lambda _self, _service: WORLD)
        self.store = store = memory_store()
        self.worker = Worker(
            project=cast(Any, self.project),
            endpoint=Endpoint("unix:///none", "test"),
            compose=cast(Any, None),
            store=store,
            locations=Locations(config=str(tmp_path), state=str(tmp_path)),
            queue=WorkQueue(),
            log=Quiet(),
            notices=IncidentNotices(store.incidents, self.told.append),
            watches=ComposeWatches(),
        )

    def reconcile(self, _context: object, name: str, *, full: bool, **_: object) -> Passed:
        self.full.append(full)
        if self.away:
            raise EngineUnavailable("away")
        return Passed(self.reports[name], outcomes=(DONE,))

    def run(self, reason: str, *, name: str = "web", paths: frozenset[str] | None = None) -> None:
        self.worker.run(Work(Key("/src/shop", name), paths, (reason,), time.monotonic()))

    def stored(self) -> tuple[Validation, ...]:
        return self.store.validations.history("shop", limit=10)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    return Stage(monkeypatch, tmp_path)


def test_a_validation_reads_everything_and_a_patrol_does_not(stage: Stage) -> None:
    stage.run("patrol")
    stage.worker.validate()
    stage.run("validation")
    stage.run("patrol")
    assert stage.full == [False, True, False]


def test_a_validation_that_found_no_engine_is_made_up_for(stage: Stage) -> None:
    stage.away = True
    stage.worker.validate()
    stage.run("validation")
    assert stage.stored() == ()
    stage.away = False
    stage.run("the engine answers")
    stage.run("patrol")
    assert stage.full == [True, True, False]
    assert [done.verdict for done in stage.stored()] == [Verdict.FRESH]


def test_a_look_at_a_few_paths_pays_nothing_of_it(stage: Stage) -> None:
    stage.worker.validate()
    stage.run("files changed", paths=frozenset(["/src/shop/a.py"]))
    assert stage.stored() == ()
    stage.run("patrol")
    assert len(stage.stored()) == 1


def test_the_result_comes_with_the_last_service_and_is_stored_and_told_once(stage: Stage) -> None:
    stage.project.services = {"web": None, "worker": None}
    stage.reports["worker"] = service(
        differs(), differs("app/b.py"), note(), verdict=Verdict.STALE, name="worker", equal=212
    )
    stage.worker.validate()
    stage.run("validation", name="worker")
    assert stage.stored() == ()
    stage.run("validation")
    stage.run("patrol")
    stage.run("patrol", name="worker")
    (done,) = stage.stored()
    assert done.verdict is Verdict.STALE
    assert done.services == {"web": Verdict.FRESH, "worker": Verdict.STALE}
    assert (done.causes, done.compared, done.steps) == (("content-differs",), 428, 2)
    assert not done.by_hand
    assert done.began_at <= done.finished_at
    (notice,) = [each for each in stage.told if each.key == "validation:shop"]
    assert notice.title == "shop: weekly check: stale"
    assert notice.body == (
        "worker: content-differs\n2 services, 428 files compared, 2 steps were needed"
    )


def test_a_service_that_left_the_model_does_not_keep_the_result_back(stage: Stage) -> None:
    stage.project.services = {"web": None, "worker": None}
    stage.worker.validate()
    stage.run("validation")
    del stage.project.services["worker"]
    stage.project.refresh = lambda: True
    stage.run("a file of the project itself changed")
    (done,) = stage.stored()
    assert set(done.services) == {"web"}


def test_of_no_service_the_result_is_there_at_once(stage: Stage) -> None:
    stage.project.services = {}
    stage.worker.validate()
    assert [done.services for done in stage.stored()] == [{}]


def test_one_that_begins_while_another_is_under_way_begins_anew() -> None:
    now = [1.0]
    validating = Validating(lambda: now[0])
    validating.begin(["web", "worker"])
    assert validating.came_through(service(), steps=1) is None
    now[0] = 2.0
    validating.begin(["web", "worker"])
    assert validating.came_through(service(name="worker"), steps=0) is None
    done = validating.came_through(service(), steps=0)
    assert done is not None
    assert (done.began_at, done.steps) == (2.0, 0)
    assert validating.came_through(service(), steps=0) is None


def test_one_that_ended_without_a_result_is_taken_up_once(stage: Stage) -> None:
    store = stage.store

    def taken_up(now: float) -> bool:
        return take_up(store, "shop", now=now)

    assert not taken_up(1.0), "none ever began"
    store.last_runs.set("validate", "shop", 100.0)
    by_hand = result([service()], began_at=105.0, finished_at=106.0, by_hand=True)
    store.validations.record("shop", by_hand)
    assert taken_up(110.0)
    assert not taken_up(120.0), "whatever ended it may do so again"
    store.last_runs.set("validate", "shop", 200.0)
    store.validations.record("shop", result([service()], began_at=200.5, finished_at=201.0))
    assert not taken_up(210.0)


def test_the_oldest_results_of_a_project_go(stage: Stage) -> None:
    fresh: list[ServiceReport] = [service()]
    for project in ("shop", "other"):
        for number in range(MOST_KEPT + 3):
            done = result(fresh, began_at=number, finished_at=number + 0.5, by_hand=True)
            stage.store.validations.record(project, done)
    kept = stage.store.validations.history("shop", limit=1_000)
    assert len(kept) == MOST_KEPT
    assert kept[0] == stage.store.validations.last("shop") == done
    assert summary(done) == "1 service, 214 files compared"
