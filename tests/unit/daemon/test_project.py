"""One project's daemon, without an engine: consent, and whether it says that it does not work."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from freshd.config.locate import Located
from freshd.daemon import boundary
from freshd.daemon.log import set_up
from freshd.daemon.project import ProjectDaemon, Shared, open_daemon
from freshd.daemon.work import pool, worker
from freshd.daemon.work.coalescing import Work
from freshd.daemon.work.pool import WorkerPool
from freshd.daemon.work.worker import Worker
from freshd.model.daemon_state import DaemonState
from freshd.model.errors import StateError
from freshd.triggers.engine_events import EngineEvents
from freshd.triggers.file_events import FileEvents
from freshd.triggers.other_processes import OtherProcesses
from freshd.triggers.time_events import TimeEvents
from freshd.triggers.trigger import Trigger
from tests.harness.waiting import wait_until
from tests.unit.policy_only import make_project, sharing

Start = Callable[..., ProjectDaemon]


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    with open("/dev/null", "w", encoding="utf-8") as nowhere, sharing(tmp_path) as shared:
        set_up(nowhere)
        yield shared


@pytest.fixture
def start(shared: Shared, tmp_path: Path) -> Iterator[Start]:
    directory = str(make_project(tmp_path / "shop"))
    with ExitStack() as closing:

        def start(*, asked: bool = False) -> ProjectDaemon:
            daemon = open_daemon(Located(directory), shared, lock="", asked=asked)
            closing.callback(daemon.stop)
            daemon.start()
            return daemon

        yield start


def test_being_asked_for_is_consent_and_being_started_at_login_is_not(
    start: Start, shared: Shared, tmp_path: Path
) -> None:
    directory = str(tmp_path / "shop")
    start()
    assert shared.store.consents.get(directory) is None
    start(asked=True)
    consent = shared.store.consents.get(directory)
    assert consent is not None
    assert list(consent.files) == ["freshd.toml"]
    make_project(tmp_path / "shop", name="another")
    start()
    assert shared.store.consents.get(directory) == consent


def test_a_validation_that_was_cut_off_is_owed_again(
    start: Start, shared: Shared, tmp_path: Path
) -> None:
    policy = tmp_path / "shop" / "freshd.toml"
    shared.store.last_runs.set("validate", "shop", time.time())
    assert not start()._worker._validating.owes("web"), "the policy asks for none"
    policy.write_text(policy.read_text() + '[schedule]\nvalidate = "Sun 03:30"\n')
    assert start()._worker._validating.owes("web")
    assert not start()._worker._validating.owes("web"), "once"


def test_one_that_works_has_no_trouble_also_while_its_engine_is_away(start: Start) -> None:
    daemon = start()
    daemon.tick()
    assert (daemon.ready, daemon.trouble()) == (True, "")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_that_died_is_replaced_and_what_it_owed_is_done(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str | None] = []

    def die_once(_passes: Worker, work: Work) -> None:
        done.append(work.key.service)
        if len(done) == 1:
            raise SystemExit

    monkeypatch.setattr(WorkerPool, "_settle_what_broke_off", lambda _pool: None)
    monkeypatch.setattr(Worker, "run", die_once)
    daemon = start()
    daemon._marks.mark_all("a test")
    wait_until(daemon.trouble)
    assert daemon.trouble() == "a worker has died"
    daemon.tick()
    wait_until(lambda: len(done) == 2)
    assert done == ["web", "web"]
    assert daemon.trouble() == ""


def tick_until(daemon: ProjectDaemon, condition: Callable[[], bool]) -> None:
    def met() -> bool:
        daemon.tick()
        return condition()

    wait_until(met)


def state_of(shared: Shared) -> DaemonState:
    saved = shared.store.status.load("shop")
    assert saved is not None
    state = DaemonState.from_json(saved.extra)
    assert state is not None
    return state


@pytest.mark.parametrize("place", ["run", "recover"])
def test_a_bug_in_a_pass_ends_no_worker_is_shown_and_tried_again(
    start: Start, shared: Shared, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(worker, "_RETRY", 0.01)
    if place == "run":
        monkeypatch.setattr(WorkerPool, "_settle_what_broke_off", lambda _pool: None)
        monkeypatch.setattr(Worker, "_pass", broken)
    else:
        monkeypatch.setattr(pool, "recover", broken)
    daemon = start()
    daemon._marks.mark_all("a test")
    wait_until(lambda: daemon._worker.problems)
    daemon.tick()
    state = state_of(shared)
    assert (state.problems, state.unseen) == (("a bug in freshd: KeyError('a bug')",), ("web",))
    assert daemon.trouble() == "", "it goes on"

    monkeypatch.undo()
    monkeypatch.setattr(WorkerPool, "_settle_what_broke_off", lambda _pool: None)
    monkeypatch.setattr(Worker, "_pass", lambda *_: None)

    tick_until(daemon, lambda: not state_of(shared).unseen)


def test_a_tick_never_raises_and_what_it_owes_is_done_once_that_is_possible(
    start: Start, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pattern that cannot be read, a database that cannot be written."""
    full = StateError("the disk is full")
    refreshed: list[str] = []

    def refuse(*_: object, **__: object) -> None:
        raise full

    monkeypatch.setattr(boundary, "FIRST_PAUSE", 0.0)
    daemon = start()
    with monkeypatch.context() as broken:
        broken.setattr(FileEvents, "refresh", refuse)
        broken.setattr(type(shared.store.status), "save", refuse)
        daemon._is_stale.set()
        daemon._status.change()
        daemon.tick()
    assert set(daemon._boundary.problems) == {
        "what is watched: the disk is full",
        "status: the disk is full",
    }
    monkeypatch.setattr(FileEvents, "refresh", lambda _trigger: refreshed.append("yes"))
    tick_until(daemon, lambda: bool(refreshed))
    assert daemon._boundary.problems == ()


def test_consent_is_to_the_files_as_they_were_when_it_was_typed(
    start: Start, shared: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = str(tmp_path / "shop")
    start(asked=True)
    typed = shared.store.consents.get(directory)
    assert typed is not None
    shared.store.consents.record(directory, {}, 0.0)

    def refuse(*_: object) -> None:
        raise StateError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(type(shared.store.consents), "record", refuse)
        daemon = start(asked=True)
    make_project(tmp_path / "shop", name="another")
    tick_until(daemon, lambda: daemon._agreed is None)
    consent = shared.store.consents.get(directory)
    assert consent is not None
    assert consent.files == typed.files


def test_a_pass_without_end_is_trouble(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hang(_passes: Worker, _work: object) -> None:
        entered.set()
        leave.wait(30)

    monkeypatch.setattr(WorkerPool, "_settle_what_broke_off", lambda _pool: None)
    monkeypatch.setattr(Worker, "run", hang)
    daemon = start()
    try:
        daemon._marks.mark_all("a test")
        assert entered.wait(10)
        assert daemon.trouble() == ""
        daemon._worker.liveness._clock = lambda: time.monotonic() + 100_000
        assert daemon.trouble() == "the pass of web does not come to its end"
    finally:
        leave.set()


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        (FileEvents, "file watching has died"),
        (EngineEvents, "the engine's events are not listened to any more"),
        (TimeEvents, "the schedule has died"),
        (OtherProcesses, "other processes are not asked any more"),
    ],
)
def test_a_dead_trigger_is_trouble(start: Start, kind: type[Trigger], trouble: str) -> None:
    daemon = start()
    (trigger,) = (trigger for trigger in daemon._triggers if isinstance(trigger, kind))
    trigger.stop()
    assert daemon.trouble() == trouble


def test_the_states_of_triggers_have_a_place_in_status(start: Start, shared: Shared) -> None:
    daemon = start()
    saved = shared.store.status.load("shop")
    assert saved is not None
    shown = {t.status_field: t.state() for t in daemon._triggers if t.status_field}
    assert set(shown) == {"watching", "engine", "verifying"}
    assert shown["watching"] == saved.extra["watching"] == daemon._project.dir


def test_a_state_without_a_place_of_its_own_is_a_problem(
    start: Start, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimeEvents, "state", lambda _trigger: "the clock stands still")
    start()
    saved = shared.store.status.load("shop")
    assert saved is not None
    assert saved.extra["problems"] == ["the clock stands still"]
