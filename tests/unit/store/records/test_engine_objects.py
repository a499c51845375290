"""What an engine has no more is forgotten in every table; what another has is not."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from freshd.model.files import Entry, Kind
from freshd.model.observed.image import BuildRecord
from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.store import Store
from freshd.store.markers import Failure
from freshd.store.pending_steps import PendingStep
from freshd.store.records.creation_records import CreationRecord
from freshd.store.sqlite.schema import TABLES

ENTRY = Entry(Kind.FILE, "ab" * 32, 3)
ONE, TWO = "1" * 64, "2" * 64
IMAGE = "sha256:" + "a" * 64
VOLUME = "volume:" + "b" * 64
RESTART = Step(Remedy.RESTART, "web", ("old-image",))


def remember(store: Store, container: str) -> None:
    """Something in each table that knows of containers."""
    store.container_hashes.put_many(container, {"/a": ("s", ENTRY)})
    store.creation_records.record(container, CreationRecord("v2", {"image": "x"}))
    store.creation_records.record_clean(container, "print")
    store.creation_records.record_held(container, 1.0, {"a": "ab" * 32})
    store.proxy_addresses.record(container, "api", ["10.0.0.1"], started_at=1.0)
    store.injected_files.set_many(container, {"/a": "cd" * 32}, 1.0)
    store.pending_steps.add("shop", [PendingStep(replace(RESTART, container_id=container), 1.0)])
    failure = Failure(f"restart {container}", 1, "in", 1.0, 2.0, "")
    store.failures.record("shop", "web", failure)


def rows(store: Store) -> dict[str, int]:
    with store._database.read() as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in sorted(TABLES)
        }


def inject(store: Store, container: str) -> None:
    step = Step(Remedy.INJECT, "web", ("content-differs",), container_id=container)
    entry = store.journal.begin("shop", "web", step=step, plan_text="", at=1.0)
    store.journal.finish(entry, Outcome(step, StepStatus.DONE), at=2.0)


def test_a_container_that_is_gone_is_gone_from_every_table(store: Store) -> None:
    remember(store, ONE)
    store.engine_objects.add("here", {ONE: ""})
    before = rows(store)
    remember(store, TWO)
    store.engine_objects.add("here", {TWO: ""})
    assert sum(rows(store).values()) >= sum(before.values()) + 9
    store.forget("here", gone=[TWO], unused=())
    assert rows(store) == before
    assert store.engine_objects.get("here") == {ONE}
    assert store.creation_records.get(ONE) == CreationRecord("v2", {"image": "x"})
    assert set(store.failures.get("shop", "web")) == {f"restart {ONE}"}


def test_one_engine_says_nothing_of_what_another_has(store: Store) -> None:
    remember(store, ONE)
    store.engine_objects.add("here", {ONE: "", IMAGE: "chain"})
    store.engine_objects.add("there", {TWO: "", IMAGE: "chain"})
    store.image_contents.put_files("chain", {"/a": ENTRY})
    store.build_records.record(BuildRecord(IMAGE, "web", {}, {}, 1.0))
    assert store.engine_objects.get("there") == {TWO, IMAGE}
    store.forget("there", gone=[TWO, IMAGE], unused=())
    assert store.creation_records.get(ONE) is not None
    assert store.image_contents.get_files("chain", ["/a"]) == {"/a": ENTRY}
    assert store.build_records.get(IMAGE, {}) is not None
    store.forget("here", gone=[IMAGE], unused=())
    assert store.image_contents.get_files("chain", ["/a"]) == {}
    assert store.build_records.get(IMAGE, {}) is None
    assert store.engine_objects.get("here") == {ONE}


def test_a_container_known_by_two_addresses_of_its_engine_is_gone_once(store: Store) -> None:
    remember(store, ONE)
    store.engine_objects.add("by socket", {ONE: ""})
    store.engine_objects.add("by port", {ONE: ""})
    store.forget("by port", gone=[ONE], unused=())
    assert store.creation_records.get(ONE) is None
    assert store.engine_objects.get("by socket") == frozenset()


def test_a_build_is_known_as_long_as_its_image_is_there(store: Store) -> None:
    """Its files can be read again; what went into it cannot."""
    store.engine_objects.add("here", {IMAGE: "chain"})
    store.image_contents.put_files("chain", {"/a": ENTRY})
    store.build_records.record(BuildRecord(IMAGE, "web", {}, {}, 1.0))
    store.forget("here", gone=(), unused=[IMAGE])
    assert store.image_contents.get_files("chain", ["/a"]) == {}
    assert store.build_records.get(IMAGE, {}) is not None
    assert store.engine_objects.get("here") == {IMAGE}
    assert store.engine_objects.unknown({IMAGE: "chain"}) == {IMAGE: "chain"}, (
        "it may be used again"
    )
    store.forget("here", gone=[IMAGE], unused=())
    assert store.build_records.get(IMAGE, {}) is None
    assert store.engine_objects.get("here") == frozenset()


def test_an_image_that_nothing_names_and_nobody_recorded_is_forgotten(store: Store) -> None:
    store.engine_objects.add("here", {IMAGE: "chain", f"{IMAGE}x": "shared", f"{IMAGE}y": "shared"})
    for chain in ("chain", "shared"):
        store.image_contents.put_files(chain, {"/a": ENTRY})
    store.forget("here", gone=(), unused=[IMAGE, f"{IMAGE}x"])
    assert store.image_contents.get_files("chain", ["/a"]) == {}
    assert store.image_contents.get_files("shared", ["/a"]) == {"/a": ENTRY}, (
        "another has its content"
    )
    assert store.engine_objects.get("here") == {f"{IMAGE}y"}


def test_what_the_last_injections_wrote_outlives_their_containers(store: Store) -> None:
    remember(store, ONE)
    store.engine_objects.add("here", {ONE: ""})
    inject(store, ONE)
    store.forget("here", gone=[ONE], unused=())
    assert store.injected_files.get(ONE) == {"/a": "cd" * 32}
    assert store.creation_records.get(ONE) is None
    for number in range(20):
        inject(store, f"{number:064}")
    store.forget("here", gone=store.engine_objects.get("here"), unused=())
    assert store.injected_files.get(ONE) == {}
    assert store.engine_objects.get("here") == frozenset()


def test_a_volume_that_is_gone_takes_what_was_written_on_it_along(store: Store) -> None:
    store.injected_files.set_many(VOLUME, {"/x": "cd" * 32}, 1.0)
    store.injected_files.set_many("synced:shop/web", {"/x": "cd" * 32}, 1.0)
    store.engine_objects.add("here", {VOLUME: ""})
    store.forget("here", gone=(), unused=())
    assert store.injected_files.get(VOLUME) == {"/x": "cd" * 32}
    store.forget("here", gone=[VOLUME], unused=())
    assert store.injected_files.get(VOLUME) == {}
    assert store.injected_files.read_synced("shop", "web") == {"/x": "cd" * 32}


@pytest.mark.parametrize("content", ["", "chain"])
def test_what_is_known_is_not_unknown(store: Store, content: str) -> None:
    assert store.engine_objects.unknown({ONE: content}) == {ONE: content}
    store.engine_objects.add("here", {ONE: content})
    assert store.engine_objects.unknown({ONE: content, TWO: ""}) == {TWO: ""}


def test_an_older_database_keeps_its_records_and_reads_images_again(database: str) -> None:
    from freshd.store import open_store
    from freshd.store.sqlite.schema import MIGRATIONS

    with closing(sqlite3.connect(database)) as connection:
        for migration in MIGRATIONS[:5]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {0x66726573}")
        connection.execute("PRAGMA user_version = 5")
        connection.execute("INSERT INTO image VALUES (1, 'chain')")
        connection.execute("INSERT INTO image_listing VALUES (1, X'2f', '[\"/a\"]')")
        connection.execute("INSERT INTO made_with VALUES (?, 'v2', '{\"image\":\"x\"}')", (ONE,))
        connection.commit()
    with closing(open_store(database, now=1.0)) as store:
        assert store.recovered == ""
        assert store.creation_records.get(ONE) == CreationRecord("v2", {"image": "x"})
        assert store.image_contents.get_listing("chain", "/") is None
