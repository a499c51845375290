"""A store opens whatever it finds: it is made, migrated, set aside, or refused with a reason."""

import os
import random
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from freshd.model.errors import StateError
from freshd.store import memory_store, open_readonly, open_store
from freshd.store.sqlite.schema import APPLICATION_ID, VERSION


def filled(database: str) -> None:
    store = open_store(database, now=0.0)
    for number in range(200):
        store.injected_files.set_many("c", {f"/{number}": "ab" * 32}, 1.0)
    store.close()


def test_a_new_store_is_private_and_says_nothing_was_recovered(database: str) -> None:
    store = open_store(database, now=0.0)
    assert store.recovered == ""
    assert stat.S_IMODE(os.stat(database).st_mode) == 0o600
    store.close()


def test_what_was_written_is_there_after_reopening(database: str) -> None:
    filled(database)
    store = open_store(database, now=0.0)
    assert len(store.injected_files.get("c")) == 200
    assert store.recovered == ""
    store.close()


def as_noise(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(8192))


def as_text(path: Path) -> None:
    path.write_text("hello, not a database\n" * 500)


def as_directory(path: Path) -> None:
    path.mkdir()
    (path / "kept").write_text("mine")


def as_another_program(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def as_incomplete(path: Path) -> None:
    filled(str(path))
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE halt")
    connection.close()


def as_promise_without_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.close()


def as_torn(path: Path) -> None:
    filled(str(path))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xee" * (len(content) - 4096)
    path.write_bytes(content)


def as_truncated(path: Path) -> None:
    filled(str(path))
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize(
    "damage",
    [
        as_noise,
        as_text,
        as_directory,
        as_another_program,
        as_incomplete,
        as_promise_without_tables,
        as_torn,
        as_truncated,
    ],
)
def test_damage_is_set_aside_whole_and_a_new_store_works(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "freshd.sqlite3"
    damage(path)
    before = path.read_bytes() if path.is_file() else (path / "kept").read_bytes()
    store = open_store(str(path), now=1234.9)
    aside = tmp_path / "freshd.sqlite3.corrupt-1234"
    assert str(aside) in store.recovered
    after = aside.read_bytes() if aside.is_file() else (aside / "kept").read_bytes()
    assert after == before
    store.injected_files.set_many("c", {"/a": "ab" * 32}, 1.0)
    assert store.injected_files.get("c") == {"/a": "ab" * 32}
    store.close()
    again = open_store(str(path), now=1235.0)
    assert again.recovered == ""
    again.close()


def test_a_second_damage_in_the_same_second_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "freshd.sqlite3"
    for _ in range(3):
        for side in ("", "-wal", "-shm"):
            Path(f"{path}{side}").unlink(missing_ok=True)
        as_noise(path)
        open_store(str(path), now=7.0).close()
    kept = sorted(entry.name for entry in tmp_path.iterdir() if "corrupt" in entry.name)
    assert [name.split(".corrupt-")[1] for name in kept] == ["7", "7-2", "7-3"]


def test_a_file_of_no_bytes_is_made_new_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "freshd.sqlite3"
    path.touch()
    store = open_store(str(path), now=1.0)
    assert "empty" in store.recovered
    assert store.halts.active("shop") == ()
    store.close()


@pytest.mark.timeout(60)
def test_random_damage_never_ends_in_anything_but_a_working_store(tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite3"
    filled(str(source))
    content = source.read_bytes()
    chance = random.Random(20261122)
    refusals: list[str] = []
    for number in range(120):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 6)):
            start = chance.randrange(len(damaged))
            length = chance.choice([1, 16, 512])
            damaged[start : start + length] = chance.randbytes(len(damaged[start : start + length]))
        path = tmp_path / f"{number}.sqlite3"
        path.write_bytes(damaged)
        try:
            store = open_store(str(path), now=1.0)
        except StateError as refused:
            refusals.append(refused.message)
            continue
        store.injected_files.set_many("new", {"/a": "ab" * 32}, 1.0)
        assert store.injected_files.get("new") == {"/a": "ab" * 32}
        store.close()
    # damage in the version field itself reads as a newer schema, and nothing else is refused
    assert all("has schema" in message for message in refusals)


def test_a_newer_schema_is_refused_and_left_alone(database: str) -> None:
    filled(database)
    connection = sqlite3.connect(database)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = Path(database).read_bytes()
    with pytest.raises(StateError, match=f"schema {VERSION + 1}") as raised:
        open_store(database, now=1.0)
    assert raised.value.hint
    with pytest.raises(StateError, match=f"schema {VERSION + 1}"):
        open_readonly(database)
    assert Path(database).read_bytes() == before
    assert not list(Path(database).parent.glob("*.corrupt-*"))


def test_a_directory_that_is_not_there_is_a_state_error_and_memory_still_works(
    tmp_path: Path,
) -> None:
    with pytest.raises(StateError, match="cannot use the state database") as raised:
        open_store(str(tmp_path / "absent" / "freshd.sqlite3"), now=1.0)
    assert raised.value.hint
    store = memory_store()
    store.injected_files.set_many("c", {"/a": "ab" * 32}, 1.0)
    assert store.injected_files.get("c") == {"/a": "ab" * 32}
    assert store.path is None
    store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="root ignores modes, so only root can set this up")
def test_a_directory_that_cannot_be_written_is_a_state_error(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    locked.chmod(0o555)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        code = 1
        try:
            open_store(str(locked / "freshd.sqlite3"), now=1.0)
        except StateError:
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_reading_never_creates_a_file(tmp_path: Path, database: str) -> None:
    assert open_readonly(database) is None
    assert not os.path.exists(database)
    Path(database).touch()
    assert open_readonly(database) is None
    assert os.path.getsize(database) == 0


def test_a_reader_sees_what_a_writer_commits_and_cannot_write(database: str) -> None:
    writer = open_store(database, now=0.0)
    reader = open_readonly(database)
    assert reader is not None
    writer.injected_files.set_many("c", {"/a": "ab" * 32}, 1.0)
    assert reader.injected_files.get("c") == {"/a": "ab" * 32}
    with pytest.raises(StateError, match="reading only"):
        reader.injected_files.set_many("c", {"/b": "ab" * 32}, 1.0)
    reader.close()
    writer.close()


def test_reading_a_damaged_file_is_a_state_error_and_sets_nothing_aside(database: str) -> None:
    as_noise(Path(database))
    with pytest.raises(StateError) as raised:
        open_readonly(database)
    assert raised.value.hint
    assert [entry.name for entry in Path(database).parent.iterdir()] == ["freshd.sqlite3"]


def test_a_closed_store_answers_with_a_state_error(database: str) -> None:
    store = open_store(database, now=0.0)
    store.injected_files.get("c")
    store.close()
    store.close()
    with pytest.raises(StateError):
        store.injected_files.get("c")
    with pytest.raises(StateError):
        store.injected_files.set_many("c", {"/a": "ab" * 32}, 1.0)
