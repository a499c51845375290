"""What is put into the store comes out again, whatever bytes names are made of."""

import json
import os
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.model.files import Entry, Kind, Signature
from freshd.model.json_codec import from_json, to_json
from freshd.model.observed.image import BuildRecord
from freshd.model.plan import FileChange, Outcome, Step, StepStatus
from freshd.model.remedy import RebuildMode, Remedy
from freshd.store import Store, memory_store
from freshd.store.sqlite.codec import pack_text, unpack_text

pytestmark = pytest.mark.timeout(60)  # Hypothesis takes its time on a busy machine

names = (
    st.binary(min_size=1, max_size=40).map(lambda raw: raw.replace(b"\0", b"x")).map(os.fsdecode)
)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
int64 = st.integers(-(2**63), 2**63 - 1)
uint64 = st.integers(0, 2**64 - 1)
undecodable = st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)  # what os.fsdecode makes
any_text = st.text(max_size=30) | st.text(undecodable, max_size=3)
entries = st.builds(
    Entry,
    st.sampled_from(Kind),
    st.just("") | digests,
    st.integers(0, 2**62),
    st.integers(0, 0o7777),
    any_text,
)
signatures = st.builds(Signature, int64, int64, st.integers(0, 2**62), uint64, uint64, int64)
changes = st.builds(FileChange, names, st.none() | names, st.none() | entries, st.none() | entries)
steps = st.builds(
    Step,
    st.sampled_from(Remedy),
    names,
    st.tuples(st.sampled_from(["content-differs", "old-image"])),
    container=st.none() | names,
    container_id=st.none() | digests,
    files=st.lists(changes, max_size=3).map(tuple),
    patterns=st.lists(names, max_size=2).map(tuple),
    signal=st.none() | st.just("HUP"),
    rebuild=st.none() | st.sampled_from(RebuildMode),
    rule=any_text,
)


@settings(max_examples=40, deadline=None)
@given(root=names, rows=st.dictionaries(names, st.tuples(signatures, entries), max_size=8))
def test_hashes_of_the_tree_come_back_as_they_were(
    root: str, rows: Mapping[str, tuple[Signature, Entry]]
) -> None:
    store = memory_store()
    store.tree_hashes.put_many(root, rows)
    assert store.tree_hashes.get_many(root, None) == rows
    assert store.tree_hashes.get_many(root, list(rows)) == rows
    listed = [os.fsencode(path) for path, _ in store.tree_hashes.iterate(root)]
    assert listed == sorted(map(os.fsencode, rows))
    store.close()


@settings(max_examples=40, deadline=None)
@given(
    rows=st.dictionaries(names, st.tuples(st.text("0123456789 ", max_size=12), entries), max_size=8)
)
def test_hashes_of_a_container_come_back_as_they_were(
    rows: Mapping[str, tuple[str, Entry]],
) -> None:
    store = memory_store()
    store.container_hashes.put_many("c1", rows)
    assert store.container_hashes.get_many("c1", None) == rows
    assert store.container_hashes.get_many("c1", list(rows)) == rows
    assert store.container_hashes.get_many("c2", list(rows)) == {}
    store.close()


@settings(max_examples=40, deadline=None)
@given(
    files=st.dictionaries(names, st.none() | entries, max_size=8),
    listing=st.lists(names, max_size=5),
    lines=st.dictionaries(names, any_text, max_size=5),
)
def test_image_facts_come_back_and_absent_differs_from_unknown(
    files: Mapping[str, Entry | None], listing: list[str], lines: Mapping[str, str]
) -> None:
    store = memory_store()
    store.image_contents.put_files("sha256:a", files)
    assert store.image_contents.get_files("sha256:a", [*files, "/never/asked"]) == files
    assert store.image_contents.get_listing("sha256:a", "/app") is None
    store.image_contents.put_listing("sha256:a", "/app", listing)
    assert store.image_contents.get_listing("sha256:a", "/app") == tuple(listing)
    assert store.image_contents.get_writers("sha256:a", "/app") is None
    store.image_contents.put_writers("sha256:a", "/app", lines)
    assert store.image_contents.get_writers("sha256:a", "/app") == lines
    store.close()


@settings(max_examples=40, deadline=None)
@given(rows=st.dictionaries(names, digests, max_size=6))
def test_written_digests_come_back_per_container(rows: Mapping[str, str]) -> None:
    store = memory_store()
    for target, digest in rows.items():
        store.injected_files.set_many("c1", {target: digest}, 5.0)
    assert store.injected_files.get("c1") == rows
    assert store.injected_files.get("c2") == {}
    store.close()


@settings(max_examples=40, deadline=None)
@given(step=steps)
def test_a_step_survives_json(step: Step) -> None:
    assert from_json(Step, json.loads(json.dumps(to_json(step)))) == step


@settings(max_examples=40, deadline=None)
@given(text=any_text | st.text(st.characters(categories=["Cs"]), max_size=3))
def test_any_text_survives(text: str) -> None:
    assert unpack_text(pack_text(text)) == text


@settings(max_examples=40, deadline=None)
@given(step=steps, plan=any_text, detail=any_text, output=st.lists(any_text, max_size=3))
def test_the_journal_tells_what_was_planned_and_what_came_of_it(
    step: Step, plan: str, detail: str, output: list[str]
) -> None:
    store = memory_store()
    entry_id = store.journal.begin("shop", "web", step=step, plan_text=plan, at=10.0)
    store.journal.phase(entry_id, "put", at=10.5, data={"pid": 7, "bytes": 12})
    assert [each.step for each in store.journal.unfinished("shop")] == [step]
    outcome = Outcome(step, StepStatus.FAILED, detail, 1.5, tuple(output))
    store.journal.finish(entry_id, outcome, at=11.5)
    (entry,) = store.journal.history("shop", "web")
    assert (entry.plan, entry.detail, entry.output) == (plan, detail, tuple(output))
    assert (entry.status, entry.seconds, entry.finished_at) == ("failed", 1.5, 11.5)
    assert entry.causes == step.causes
    assert entry.child_pid == 7
    assert entry.last_phase is not None
    assert entry.last_phase.data["bytes"] == 12
    assert store.journal.unfinished("shop") == ()
    store.close()


@settings(max_examples=40, deadline=None)
@given(inputs=st.dictionaries(names, digests, max_size=4), by_freshd=st.booleans())
def test_a_build_record_comes_back(inputs: Mapping[str, str], by_freshd: bool) -> None:
    store = memory_store()
    record = BuildRecord("sha256:i", "web", inputs, {"V": "1"}, 9.0, by_freshd)
    store.build_records.record(record)
    assert store.build_records.get("sha256:i", {"V": "1"}) == record
    assert store.build_records.get("sha256:other", {}) is None
    changed = store.build_records.get("sha256:i", {"V": "2", "W": ""})
    assert changed is not None
    assert changed.args["V"] not in ("1", "2"), "what it was is not known any more, but that it is"
    store.close()


@settings(max_examples=40, deadline=None)
@given(directory=names, report=st.dictionaries(any_text, any_text, max_size=3))
def test_a_status_comes_back(directory: str, report: dict[str, str]) -> None:
    store = memory_store()
    store.status.save("shop", directory=directory, services={"web": report}, at=3.0)
    loaded = store.status.load("shop")
    assert loaded is not None
    assert (loaded.directory, loaded.services["web"].report) == (directory, report)
    store.close()


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1_203])
def test_any_number_of_paths_can_be_asked_for_at_once(store: Store, count: int) -> None:
    signature = Signature(1, 2, 3, 4, 5, 6)
    rows = {f"f{number}": (signature, Entry(Kind.FILE, "ab" * 32)) for number in range(count)}
    store.tree_hashes.put_many("/r", rows)
    assert store.tree_hashes.get_many("/r", list(rows)) == rows


def test_a_walk_over_many_pages_names_every_path_once(store: Store) -> None:
    signature = Signature(1, 2, 3, 4, 5, 6)
    rows = {f"f{number}": (signature, Entry(Kind.DIR)) for number in range(4_001)}
    store.tree_hashes.put_many("/r", rows)
    assert [path for path, _ in store.tree_hashes.iterate("/r")] == sorted(rows)


def test_a_time_that_sqlite_cannot_hold_is_not_cached(store: Store) -> None:
    far = Signature(2**63, 0, 1, 1, 1, 1)
    near = Signature(-5, 0, 1, 1, 1, 1)
    entry = Entry(Kind.FILE, "ab" * 32)
    store.tree_hashes.put_many("/r", {"far": (far, entry), "near": (near, entry)})
    assert store.tree_hashes.get_many("/r", None) == {"near": (near, entry)}
