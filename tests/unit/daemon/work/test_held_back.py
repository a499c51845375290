"""What holds a pass back: halts, consent and the limit of rebuilds (rules 11 to 13), a save.

Everything but the engine and Compose is real: the tree, its map, the database, a pass's decision.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freshd.config.invocation import Invocation
from freshd.config.locate import locate_project
from freshd.config.locations import Locations
from freshd.config.project import load
from freshd.daemon.work import requeue, worker
from freshd.daemon.work.coalescing import Key, Work
from freshd.daemon.work.queue import WorkQueue
from freshd.daemon.work.worker import Worker
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.files import Entry, Kind
from freshd.model.plan import FileChange, Step
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.notify import IncidentNotices
from freshd.observe.compose_watch import ComposeWatches
from freshd.reconcile.consent import agree
from freshd.reconcile.context import Context
from freshd.reconcile.reconcile import Checked, Passed, make_plan
from freshd.store.store import Store, open_store
from tests.unit.render.values import service

FILES = 60
POLICY = """
version = 1
[[rule]]
when = ["old-image"]
do = ["rebuild"]
"""
REBUILD = Remedy.REBUILD
GONE = FileChange("/app/many/0", None, None, Entry(Kind.FILE, "0" * 64))
EDITED = FileChange("/app/many/0", "app/many/0", Entry(Kind.FILE, "1" * 64), None)
STALE = service(
    Finding("old-image", Level.STALE, LinkName.IMAGE, "web", message="the tag names another one")
)


class Quiet:
    """A log that nobody reads."""

    def info(self, event: str, **values: Any) -> None: ...
    def warning(self, event: str, **values: Any) -> None: ...
    def exception(self, event: str, **values: Any) -> None:
        raise AssertionError(event)


class Daemon:
    """The worker of one start of the daemon; ``planned`` is what each would have done."""

    def __init__(self, root: Path, store: Store) -> None:
        self.root = root
        self.store = store
        self.planned: list[tuple[Remedy, ...]] = []
        self.queue = WorkQueue()
        model = {"name": "shop", "services": {"web": {"build": {"context": str(root)}}}}
        located = locate_project(Invocation(str(root), {}))
        compose: Any = SimpleNamespace(config=lambda _: model, end_builds=lambda: None)
        project = load(located, engine=None, compose=compose)
        engine: Any = SimpleNamespace(image=lambda _: None, replicas=lambda **_: (), take_seen=dict)
        self.context = Context(
            project=project,
            engine=engine,
            compose=compose,
            store=store,
            locks=str(root.parent),
            clock=time.time,
        )
        agree(self.context)
        self.worker = Worker(
            project=project,
            endpoint=Endpoint("unix:///none", "test"),
            compose=compose,
            store=store,
            locations=Locations(config=str(root.parent), state=str(root.parent)),
            queue=self.queue,
            log=Quiet(),
            notices=IncidentNotices(store.incidents, lambda _: None),
            watches=ComposeWatches(),
        )

    def reconcile(self, context: Context, name: str, **_: object) -> Passed:
        plan = make_plan(context, Checked(STALE, ()))
        self.planned.append(tuple(step.remedy for step in plan.steps))
        return Passed(STALE, plans=(plan,))

    def look(self, *paths: str) -> tuple[str, ...]:
        """One pass, over all or because of these; why it may do nothing, if so."""
        which = frozenset(str(self.root / path) for path in paths) if paths else None
        self.worker.run(Work(Key(str(self.root), "web"), which, ("test",), time.monotonic()))
        assert not self.worker.problems, self.worker.problems
        halts = self.store.halts.active("shop")
        assert bool(self.planned.pop()) is not bool(halts)
        return tuple(halt.reason for halt in halts)

    def would(self) -> tuple[Remedy, ...]:
        """What a pass would do now about an image that is not the tree's."""
        self.reconcile(self.context, "web")
        return self.planned.pop()

    def rebuilt(self, *moments: float, service: str = "web", remedy: Remedy = REBUILD) -> None:
        for at in moments:
            step = Step(remedy, service, ("old-image",))
            self.store.journal.begin("shop", service, step=step, plan_text="", at=at)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "app/many").mkdir(parents=True)
    (root / "compose.yaml").write_text("")
    (root / "freshd.toml").write_text(POLICY)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY app /app\n")
    for number in range(FILES):
        (root / f"app/many/{number}").write_text("")
    return root


@pytest.fixture
def start(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Daemon]]:
    """Each call is another start of the daemon on the same database."""
    opened: list[Store] = []

    def make() -> Daemon:
        for store in opened:
            store.close()
        store = open_store(str(tmp_path / "freshd.sqlite3"), now=0.0)
        opened[:] = [store]
        daemon = Daemon(root, store)
        monkeypatch.setattr(worker, "reconcile", daemon.reconcile)
        monkeypatch.setattr(Worker, "context", lambda _self, _service: daemon.context)
        return daemon

    yield make
    for store in opened:
        store.close()


def lose(root: Path, *, left: int, since: int = 0) -> None:
    for number in range(since, FILES - left):
        (root / f"app/many/{number}").unlink()


def bring_back(root: Path) -> None:
    (root / "app/many").mkdir(parents=True, exist_ok=True)
    for number in range(FILES):
        (root / f"app/many/{number}").write_text("")


def test_more_than_half_gone_halts_until_a_resume_and_then_it_is_meant(
    root: Path, start: Callable[[], Daemon]
) -> None:
    daemon = start()
    assert daemon.look() == ()
    lose(root, left=29)
    gone = ("31 of 60 mapped files are gone at once",)
    assert daemon.look() == gone
    assert daemon.look() == gone, "a second look is no second opinion"
    assert daemon.look("app/many/59") == gone
    daemon.store.halts.resume("shop")
    assert daemon.look() == ()
    lose(root, left=15, since=31)
    assert daemon.look() == (), "14 of what is left now"
    bring_back(root)
    assert daemon.look() == ()
    lose(root, left=29)
    assert daemon.look() == gone, "what came back counts again"


def test_half_gone_is_work(root: Path, start: Callable[[], Daemon]) -> None:
    daemon = start()
    assert daemon.look() == ()
    lose(root, left=30)
    assert daemon.look() == ()


def test_a_narrow_look_at_what_is_gone_halts_too_and_one_at_an_edit_asks_nothing(
    root: Path, start: Callable[[], Daemon]
) -> None:
    daemon = start()
    assert daemon.look() == ()
    lose(root, left=29)
    assert daemon.look("app/many/59") == (), "an edit is brought at once; the whole look comes"
    assert daemon.look("app/many/0") != ()


def test_what_is_gone_when_freshd_starts_halts_as_well(
    root: Path, start: Callable[[], Daemon]
) -> None:
    """A disk that is not mounted yet when the machine comes up."""
    daemon = start()
    assert daemon.look() == ()
    lose(root, left=0)
    daemon = start()
    gone = ("60 of 60 mapped files are gone at once",)
    assert daemon.look() == gone
    daemon = start()
    assert daemon.look() == gone, "a halt outlives a restart, and so does what was there before"
    daemon.store.halts.resume("shop")
    daemon = start()
    assert daemon.look() == ()
    bring_back(root)
    assert daemon.look() == ()


def test_what_was_there_before_is_not_forgotten_while_it_halts(
    root: Path, start: Callable[[], Daemon]
) -> None:
    daemon = start()
    assert daemon.look() == ()
    lose(root, left=29)
    assert daemon.look() != ()
    assert daemon.store.tree_sizes.get("shop", "web") == FILES
    for number in range(20):
        (root / f"app/many/{number}").write_text("")
    assert daemon.look() != (), "it is for a person to say that all is well"
    assert daemon.store.tree_sizes.get("shop", "web") == FILES
    bring_back(root)
    assert daemon.look() != ()


def test_a_halt_of_the_whole_project_is_one_of_each_service(
    root: Path, start: Callable[[], Daemon]
) -> None:
    daemon = start()
    daemon.store.halts.halt("other", None, reason="somewhere else", at=1.0)
    daemon.store.halts.halt("shop", "worker", reason="another's", at=1.0)
    assert daemon.store.halts.reason("shop", "web") is None
    daemon.store.halts.halt("shop", None, reason="all of it", at=1.0)
    assert daemon.store.halts.reason("shop", "web") == "all of it"


@pytest.mark.parametrize("accident", ["emptied", "removed", "replaced", "Dockerfile gone too"])
def test_a_project_directory_that_is_not_what_it_was(
    root: Path, start: Callable[[], Daemon], accident: str
) -> None:
    daemon = start()
    assert daemon.look() == ()
    away = root.parent / "away"
    if accident == "Dockerfile gone too":
        lose(root, left=0)
        (root / "Dockerfile").unlink()
    else:
        os.rename(root, away)
    if accident == "emptied":
        root.mkdir()
    elif accident == "replaced":
        shutil.copytree(away, root)
    said = {
        "emptied": "the project directory is empty",
        "removed": "the project directory has vanished",
        "replaced": "the project directory was replaced by another one",
        "Dockerfile gone too": "60 of 60 mapped files are gone at once",
    }
    daemon.worker.run(Work(Key(str(root), "web"), None, ("test",), time.monotonic()))
    (halt,) = daemon.store.halts.active("shop")
    assert halt.reason == said[accident]
    assert not any(daemon.planned)
    if accident != "Dockerfile gone too":
        shutil.rmtree(root, ignore_errors=True)
        os.rename(away, root)
        daemon.store.halts.resume("shop")
        assert daemon.look() == ()


def test_three_rebuilds_within_ten_minutes_are_enough(
    root: Path, start: Callable[[], Daemon]
) -> None:
    """Where the policy says so."""
    with (root / "freshd.toml").open("a") as policy:
        policy.write("[limits]\nrebuilds = 3\n")
    daemon = start()
    now = time.time()
    daemon.rebuilt(now - 5000, now - 621, now - 590, now - 20)
    daemon.rebuilt(*[now] * 5, service="worker")
    daemon.rebuilt(*[now] * 5, remedy=Remedy.RECREATE)
    assert daemon.would() == (REBUILD,)
    daemon.rebuilt(now)
    assert daemon.would() == ()
    assert start().would() == (), "they are remembered"


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "freshd.toml"])
def test_a_file_that_a_rebuild_executes_waits_for_consent(
    root: Path, start: Callable[[], Daemon], name: str
) -> None:
    daemon = start()
    assert daemon.would() == (REBUILD,)
    with (root / name).open("a") as file:
        file.write("# another line\n")
    assert daemon.would() == ()
    agree(daemon.context)
    assert daemon.would() == (REBUILD,)
    (root / name).unlink()
    assert daemon.would() == ()


def test_files_that_came_back_are_remembered_at_once(
    root: Path, start: Callable[[], Daemon]
) -> None:
    """A daemon that ends before its next look at everything must know of them when it comes up."""
    lose(root, left=2)
    daemon = start()
    assert daemon.look() == ()
    bring_back(root)
    assert daemon.look(*(f"app/many/{number}" for number in range(FILES))) == ()
    again = start()
    lose(root, left=2)
    assert again.look(), "it halts"


# ---- a save does not wait for a look at everything


def test_a_look_at_everything_gives_way_to_a_save_and_not_for_ever(
    root: Path, start: Callable[[], Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = start()
    begun, done = [], []

    def reconcile(
        _context: Context, _service: str, *, go_on: Callable[[], None], **_: object
    ) -> Passed:
        begun.append("look")
        go_on()
        done.append("look")
        return Passed(STALE, plans=())

    monkeypatch.setattr(worker, "reconcile", reconcile)

    def run(paths: frozenset[str] | None = None, reason: str = "patrol") -> None:
        daemon.worker.run(Work(Key(str(root), "web"), paths, (reason,), time.monotonic()))

    run()
    assert (len(begun), len(done)) == (1, 1)
    daemon.queue.mark(str(root), "web", reason="not as urgent as a save")
    run()
    assert len(done) == 2
    assert daemon.queue.take(1.0) is not None
    daemon.queue.done(Key(str(root), "web"))
    daemon.queue.mark(str(root), "web", paths=[str(root / "app/many/1")], reason="a save")
    for _ in range(10):
        run()
    assert len(done) == 2, "it gave way"
    run(frozenset({str(root / "app/many/1")}), "a save")
    assert len(done) == 3, "the save itself does not"
    with monkeypatch.context() as later:
        later.setattr(requeue, "_LONGEST_PUT_OFF", 0.0)
        run()
    assert len(done) == 4, "it was put off for long enough"
    assert not daemon.worker.problems
    run()
    assert len(done) == 4, "and then it gives way again"


@pytest.mark.parametrize(
    ("step", "held"),
    [
        (Step(Remedy.INJECT, "web", ("extra-in-container",), files=(GONE,)), True),
        (Step(REBUILD, "web", ("image-behind",)), True),
        (Step(Remedy.INJECT, "web", ("content-differs",), files=(EDITED,)), False),
        (Step(Remedy.RESTART, "web", ("content-differs",)), False),
    ],
    ids=["a delete", "a rebuild", "a write", "a restart"],
)
def test_a_tree_that_goes_after_the_pass_began_halts_what_takes_away(
    start: Callable[[], Daemon], monkeypatch: pytest.MonkeyPatch, step: Step, *, held: bool
) -> None:
    """The files go between the look that planned the step and the step."""
    one = start()
    one.look()
    begun: list[Step] = []

    def reconcile(context: Context, name: str, **how: Any) -> Passed:
        shutil.rmtree(one.root / "app")
        how["on_step"](step, None)
        begun.append(step)
        return Passed(STALE)

    monkeypatch.setattr(worker, "reconcile", reconcile)
    one.worker.run(Work(Key(str(one.root), "web"), None, ("test",), time.monotonic()))
    assert bool(begun) is not held
    assert bool(one.store.halts.active("shop")) is held
