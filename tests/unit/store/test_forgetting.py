"""What is gone is forgotten, and nothing else is."""

from contextlib import closing

import pytest

from freshd.model.files import Entry, Kind, Signature
from freshd.model.plan import FileChange, Outcome, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.model.text import Json
from freshd.store import Store, open_store
from freshd.store.journal import Journal
from freshd.store.markers import Failure

ENTRY = Entry(Kind.FILE, "ab" * 32, 3)
SIGNATURE = Signature(1, 2, 3, 4, 5, 6)
STEP = Step(Remedy.RESTART, "web", ("old-image",))


def test_hashes_are_forgotten_by_path_and_by_root(store: Store) -> None:
    row = (SIGNATURE, ENTRY)
    store.tree_hashes.put_many("/one", {"a": row, "b": row})
    store.tree_hashes.put_many("/two", {"a": row})
    store.tree_hashes.forget("/one", ["a", "never-there"])
    assert set(store.tree_hashes.get_many("/one", None)) == {"b"}
    store.tree_hashes.forget("/one")
    assert store.tree_hashes.get_many("/one", None) == {}
    assert set(store.tree_hashes.get_many("/two", None)) == {"a"}


def test_containers_that_no_longer_exist_are_forgotten(store: Store) -> None:
    for container in ("c1", "c2"):
        store.container_hashes.put_many(container, {"/a": ("s", ENTRY), "/b": ("s", ENTRY)})
        store.injected_files.set_many(container, {"/a": "cd" * 32}, 1.0)
    store.container_hashes.forget("c1", ["/a"])
    assert set(store.container_hashes.get_many("c1", None)) == {"/b"}
    store.forget("here", gone=["c1"], unused=())
    assert store.container_hashes.get_many("c1", None) == {}
    assert store.injected_files.get("c1") == {}
    assert set(store.container_hashes.get_many("c2", None)) == {"/a", "/b"}
    assert store.injected_files.get("c2") == {"/a": "cd" * 32}
    store.container_hashes.forget("c2")
    assert store.container_hashes.get_many("c2", None) == {}


def test_images_that_are_not_kept_are_forgotten_whole(store: Store) -> None:
    for chain in ("one", "two"):
        store.image_contents.put_files(chain, {"/a": ENTRY})
        store.image_contents.put_listing(chain, "/", ["/a"])
        store.image_contents.put_writers(chain, "/", {"/a": "COPY a /"})
    store.engine_objects.add("here", {"sha256:1": "one", "sha256:2": "two"})
    store.forget("here", gone=[], unused=["sha256:1"])
    assert store.image_contents.get_files("one", ["/a"]) == {}
    assert store.image_contents.get_listing("one", "/") is None
    assert store.image_contents.get_writers("one", "/") is None
    assert store.image_contents.get_files("two", ["/a"]) == {"/a": ENTRY}


def test_the_journal_keeps_its_newest_entries_and_all_unfinished_ones(store: Store) -> None:
    journal = Journal(store._database, most_entries=50)
    first = journal.begin("shop", "web", step=STEP, plan_text="left open", at=0.0)
    for number in range(1, 300):
        entry_id = journal.begin("shop", "web", step=STEP, plan_text=str(number), at=1.0)
        journal.phase(entry_id, "restart", at=1.0)
        journal.finish(entry_id, Outcome(STEP, StepStatus.DONE), at=2.0)
    entries = journal.history("shop", limit=1_000)
    assert [entry.plan for entry in entries][:3] == ["299", "298", "297"]
    assert 50 <= len(entries) <= 51
    assert [entry.id for entry in journal.unfinished("shop")] == [first]


def test_a_finished_step_keeps_fifty_files_and_their_number(store: Store) -> None:
    files = tuple(FileChange(f"/app/{n}", f"{n}", ENTRY, None) for n in range(120))
    step = Step(Remedy.INJECT, "web", ("content-differs",), files=files)
    entry_id = store.journal.begin("shop", "web", step=step, plan_text="", at=1.0)
    assert store.journal.unfinished()[0].step == step
    store.journal.finish(entry_id, Outcome(step, StepStatus.DONE), at=2.0)
    (entry,) = store.journal.history()
    assert (len(entry.step.files), entry.files) == (50, 120)


def test_history_is_newest_first_by_project_and_service(store: Store) -> None:
    for project, service in (("shop", "web"), ("shop", "db"), ("blog", "web")):
        store.journal.begin(project, service, step=STEP, plan_text="", at=1.0)
    named = [(e.project, e.service) for e in store.journal.history()]
    assert named == [("blog", "web"), ("shop", "db"), ("shop", "web")]
    assert [e.service for e in store.journal.history("shop")] == ["db", "web"]
    assert [e.project for e in store.journal.history(None, "web")] == ["blog", "shop"]
    assert len(store.journal.history(limit=1)) == 1


def test_an_interrupted_entry_is_closed_once(store: Store) -> None:
    entry_id = store.journal.begin("shop", "web", step=STEP, plan_text="", at=10.0)
    store.journal.mark_interrupted(entry_id, "killed while restarting", at=14.0)
    store.journal.mark_interrupted(entry_id, "again", at=99.0)
    (entry,) = store.journal.history()
    assert (entry.status, entry.detail, entry.seconds) == (
        "interrupted",
        "killed while restarting",
        4.0,
    )
    assert store.journal.unfinished() == ()


def test_the_starts_of_one_remedy_since_a_time(store: Store) -> None:
    rebuild = Step(Remedy.REBUILD, "web", ("build-input-changed",))
    for at in (100.0, 200.0, 300.0):
        store.journal.begin("shop", "web", step=rebuild, plan_text="", at=at)
    store.journal.begin("shop", "web", step=STEP, plan_text="", at=300.0)
    starts = store.journal.starts("shop", "web", remedy=Remedy.REBUILD, since=200.0)
    assert starts == (200.0, 300.0)


def test_status_keeps_other_services_and_replaces_extra_only_when_given(store: Store) -> None:
    extra: dict[str, Json] = {"pid": 5, "watching": "polling"}
    store.status.save("shop", directory="/p", services={"web": 1, "db": 2}, at=1.0, extra=extra)
    store.status.save("shop", directory="/q", services={"web": 3}, at=2.0)
    loaded = store.status.load("shop")
    assert loaded is not None
    assert {name: each.report for name, each in loaded.services.items()} == {"db": 2, "web": 3}
    assert {name: each.checked_at for name, each in loaded.services.items()} == {
        "db": 1.0,
        "web": 2.0,
    }
    assert (loaded.directory, loaded.saved_at, loaded.extra) == ("/q", 2.0, extra)
    store.status.keep("shop", ["web"])
    loaded = store.status.load("shop")
    assert loaded is not None
    assert list(loaded.services) == ["web"]
    assert store.status.projects() == (("shop", "/q"),)
    store.status.forget("shop")
    assert store.status.load("shop") is None


def test_one_notice_opens_an_incident_and_one_closes_it(store: Store) -> None:
    assert store.incidents.open("shop", "web", text="old code", at=1.0)
    assert not store.incidents.open("shop", "web", text="still", at=2.0)
    assert [(i.service, i.text) for i in store.incidents.active("shop")] == [("web", "old code")]
    closed = store.incidents.close("shop", "web")
    assert closed is not None
    assert closed.opened_at == 1.0
    assert store.incidents.close("shop", "web") is None


def test_failures_are_kept_by_key(store: Store) -> None:
    first = Failure("inject", 1, "digest", 1.0, 2.0, "read-only")
    store.failures.record("shop", "web", first)
    second = Failure("inject", 2, "digest", 2.0, 4.0, "read-only")
    store.failures.record("shop", "web", second)
    other = Failure("rebuild", 1, "digest", 1.0, 2.0, "exit 1")
    store.failures.record("shop", "web", other)
    assert store.failures.get("shop", "web") == {"inject": second, "rebuild": other}
    store.failures.clear("shop", "web", "inject")
    assert store.failures.get("shop", "web") == {"rebuild": other}
    store.failures.clear("shop", "web")
    assert store.failures.get("shop", "web") == {}


def test_a_halt_stays_until_resumed_and_keeps_its_first_reason(database: str) -> None:
    store = open_store(database, now=0.0)
    assert store.halts.halt("shop", None, reason="the tree is empty", at=1.0)
    assert not store.halts.halt("shop", None, reason="later", at=2.0)
    assert store.halts.halt("shop", "web", reason="half gone", at=3.0)
    store.close()
    store = open_store(database, now=0.0)
    active = [(halt.service, halt.reason) for halt in store.halts.active("shop")]
    assert active == [(None, "the tree is empty"), ("web", "half gone")]
    assert store.halts.halt("other", None, reason="its own", at=4.0)
    assert len(store.halts.resume("shop")) == 2
    assert store.halts.active("shop") == ()
    assert [halt.reason for halt in store.halts.active("other")] == ["its own"]
    store.close()


def test_the_size_of_a_tree_outlives_a_restart_and_is_forgotten_at_a_resume(database: str) -> None:
    with closing(open_store(database, now=0.0)) as store:
        store.tree_sizes.record("shop", "web", 40)
        store.tree_sizes.record("shop", "web", 42)
        store.tree_sizes.record("other", "web", 7)
    with closing(open_store(database, now=0.0)) as store:
        assert store.tree_sizes.get("shop", "web") == 42
        assert store.tree_sizes.get("shop", "api") is None
        store.halts.resume("shop")
        assert store.tree_sizes.get("shop", "web") is None
        assert store.tree_sizes.get("other", "web") == 7


@pytest.mark.parametrize("directory", ["/home/me/shop", "/odd/\udcff"])
def test_consent_and_last_runs_are_remembered(store: Store, directory: str) -> None:
    assert store.consents.get(directory) is None
    store.consents.record(directory, {"compose.yaml": "ab" * 32}, 4.0)
    consent = store.consents.get(directory)
    assert consent is not None
    assert (consent.files, consent.at) == ({"compose.yaml": "ab" * 32}, 4.0)
    assert store.last_runs.last_run("validate", "shop") is None
    store.last_runs.set("validate", "shop", 9.0)
    store.last_runs.set("validate", "shop", 10.0)
    assert store.last_runs.last_run("validate", "shop") == 10.0
