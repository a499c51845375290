"""One project's daemon, without an engine: consent, and whether it says that it does not work."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from freshd.config.locate import Located
from freshd.daemon.log import set_up
from freshd.daemon.project import ProjectDaemon, Shared, open_daemon
from freshd.daemon.work.pool import WorkerPool
from freshd.daemon.work.worker import Worker
from freshd.model.daemon_state import DaemonState
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
def test_a_worker_that_died_is_trouble_and_status_shows_it(
    start: Start, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_passes: Worker, _work: object) -> None:
        raise SystemExit

    monkeypatch.setattr(WorkerPool, "_ready", lambda _pool: True)
    monkeypatch.setattr(Worker, "run", die)
    daemon = start()
    daemon._marks.mark_all("a test")
    wait_until(daemon.trouble)
    assert daemon.trouble() == "a worker has died"
    daemon.tick()
    saved = shared.store.status.load("shop")
    assert saved is not None
    state = DaemonState.from_json(saved.extra)
    assert state is not None
    assert "a worker has died" in state.problems


def test_a_pass_without_end_is_trouble(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hang(_passes: Worker, _work: object) -> None:
        entered.set()
        leave.wait(30)

    monkeypatch.setattr(WorkerPool, "_ready", lambda _pool: True)
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
