"""What containers were made with, what their files held, and the key of it all."""

from pathlib import Path

from freshd.store.records.artefacts import ArtefactRecord
from freshd.store.records.creation_records import CreationRecord
from freshd.store.store import Store, memory_store, open_store


def test_the_key_is_made_once_and_stays(tmp_path: Path) -> None:
    path = str(tmp_path / "state.db")
    store = open_store(path, now=0.0)
    key = store.creation_records.key()
    assert len(key) == 32
    assert store.creation_records.key() == key
    store.close()
    again = open_store(path, now=0.0)
    assert again.creation_records.key() == key
    again.close()
    other = memory_store()
    assert other.creation_records.key() != key
    other.close()


def test_everything_comes_back_as_it_was_and_by_container() -> None:
    store = memory_store()
    made = store.creation_records
    assert made.get("c") is None
    made.record("c", CreationRecord("compose 1", {"ports": "keyed:1"}))
    made.record("c", CreationRecord("compose 2", {"ports": "keyed:2"}))
    assert made.get("c") == CreationRecord("compose 2", {"ports": "keyed:2"})
    assert made.read_clean("c") == ""
    made.record_clean("c", "print")
    assert (made.read_clean("c"), made.read_clean("d")) == ("print", "")
    assert not made.holds("c", 1.0)
    made.record_held("c", 1.0, {"a\udcff.py": "digest"})
    assert made.holds("c", 1.0)
    assert made.read_held("c", 1.0) == {"a\udcff.py": "digest"}
    made.record_held("c", 2.0, {})
    assert not made.holds("c", 1.0), "an earlier start is forgotten"
    assert made.read_held("c", 1.0) == {}
    store.close()


def test_what_an_artefact_was_made_from_is_kept_by_project_and_service(store: Store) -> None:
    derived = store.artefacts
    assert derived.get("shop", "web", "/dist") is None
    derived.record("shop", "web", "/dist", ArtefactRecord("one", {"src/a": "1"}))
    derived.record("till", "web", "/dist", ArtefactRecord("two", {}))
    assert derived.get("shop", "web", "/dist") == ArtefactRecord("one", {"src/a": "1"})
    derived.record("shop", "web", "/dist", ArtefactRecord("three", {"src/a": "2"}))
    assert derived.get("shop", "web", "/dist") == ArtefactRecord("three", {"src/a": "2"})


def test_where_a_proxy_found_a_service_holds_for_one_start(store: Store) -> None:
    resolved = store.proxy_addresses
    resolved.record("c", "api", {"10.0.0.2", "10.0.0.3"}, started_at=5.0)
    assert resolved.get("c", "api", started_at=5.0) == {"10.0.0.2", "10.0.0.3"}
    assert resolved.get("c", "api", started_at=6.0) == frozenset()
    assert resolved.get("c", "db", started_at=5.0) == frozenset()
