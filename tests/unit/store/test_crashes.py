"""Kills, two processes at once, readers beside a writer, and a full disk."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from freshd.model.errors import DiskFull, StateError
from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.store import Store, open_readonly, open_store
from freshd.store.sqlite import opening

STEP = Step(Remedy.RESTART, "web", ("old-image",))

WORKER = textwrap.dedent(
    """
    import sys
    from freshd.model.plan import Step
    from freshd.model.remedy import Remedy
    from freshd.store import open_store

    path, tag, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
    step = Step(Remedy.RESTART, "web", ("old-image",))
    store = open_store(path, now=0.0)
    for number in range(most):
        entry = store.journal.begin("shop", tag, step=step, plan_text=str(number), at=1.0)
        store.journal.phase(entry, "restart", at=1.0, data={"pid": number})
        sys.stdout.write(f"{entry} {number}\\n")
        sys.stdout.flush()
    store.close()
    """
)


def start(database: str, tag: str, most: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, database, tag, str(most)],
        stdout=subprocess.PIPE,
        text=True,
    )


def parsed(line: str) -> tuple[int, int]:
    entry_id, number = line.split()
    return int(entry_id), int(number)


@pytest.mark.timeout(180)
def test_rows_that_were_acknowledged_survive_kill_9(database: str) -> None:
    """A few dozen kills at different moments; what the child had printed is found afterwards."""
    for round_number in range(30):
        child = start(database, f"round{round_number}", 1_000_000)
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(1 + round_number * 3)]
        os.kill(child.pid, signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
        acknowledged = [parsed(line) for line in lines if line.endswith("\n")]
        assert len(acknowledged) > round_number * 3
        child.stdout.close()
        child.wait()
        store = open_store(database, now=0.0)
        assert store.recovered == ""
        open_entries = {entry.id: entry for entry in store.journal.unfinished("shop")}
        for entry_id, number in acknowledged:
            assert open_entries[entry_id].child_pid == number
            assert open_entries[entry_id].owner_pid == child.pid
        for left_open in open_entries:
            store.journal.mark_interrupted(left_open, "killed", at=2.0)
        assert store.journal.unfinished("shop") == ()
        store.close()
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_processes_that_open_and_write_at_once_lose_nothing(database: str) -> None:
    children = [start(database, f"p{number}", 150) for number in range(3)]
    for child in children:
        child.communicate(timeout=50)
        assert child.returncode == 0
    store = open_store(database, now=0.0)
    for number in range(3):
        assert len(store.journal.history("shop", f"p{number}", limit=1_000)) == 150
    assert len({entry.id for entry in store.journal.unfinished()}) == 450
    store.close()


def test_threads_read_whole_transactions_while_one_writes(store: Store) -> None:
    """A reader sees a transaction's rows all or not at all, and never waits for the writer."""
    stop = threading.Event()
    sizes: set[int] = set()
    errors: list[Exception] = []

    def read() -> None:
        try:
            while not stop.is_set():
                sizes.add(len(store.injected_files.get("c")))
        except Exception as error:  # noqa: BLE001 - handed to the test's thread
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(60):
        batch = {f"/{number}/{each}": "ab" * 32 for each in range(10)}
        store.injected_files.set_many("c", batch, 1.0)
    stop.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert all(size % 10 == 0 for size in sizes)
    assert len(store.injected_files.get("c")) == 600


def test_a_failed_transaction_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(ValueError):
        store.injected_files.set_many("c", {"/a": "ab" * 32, "/b": "not hex"}, 1.0)
    assert store.injected_files.get("c") == {}
    store.injected_files.set_many("c", {"/a": "ab" * 32}, 1.0)
    assert store.injected_files.get("c") == {"/a": "ab" * 32}


def test_a_full_disk_is_a_state_error_and_passes_when_there_is_room(store: Store) -> None:
    """The page limit makes SQLite answer as a full disk does."""
    with store._database.write() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    writer = store._database._writer
    assert writer is not None
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateError, match="full") as raised:
        store.injected_files.set_many("c", {f"/{n}": "ab" * 32 for n in range(5_000)}, 1.0)
    assert raised.value.hint
    assert "disk space" in raised.value.hint
    writer.execute("PRAGMA max_page_count = 1000000")
    store.injected_files.set_many("c", {"/a": "ab" * 32}, 1.0)
    assert store.injected_files.get("c") == {"/a": "ab" * 32}


def test_on_a_full_disk_the_log_gives_its_room_back(store: Store, database: str) -> None:
    """Else it may be the log itself that fills a small disk, for ever."""
    for number in range(20):
        store.injected_files.set_many("c", {f"/{number}": "ab" * 32}, 1.0)
    assert os.path.getsize(f"{database}-wal") > 0
    writer = store._database._writer
    assert writer is not None
    writer.execute("PRAGMA max_page_count = 1")  # no less than there are
    with pytest.raises(DiskFull):
        store.injected_files.set_many("c", {f"/{n}": "ab" * 32 for n in range(5_000)}, 1.0)
    assert os.path.getsize(f"{database}-wal") == 0
    assert len(store.injected_files.get("c")) == 20


def test_the_log_stays_small_whatever_is_written(store: Store, database: str) -> None:
    for number in range(40):
        batch = {f"/{number}/{each}": "ab" * 32 for each in range(1_000)}
        store.injected_files.set_many("c", batch, 1.0)
    assert os.path.getsize(database) > 2**21
    assert os.path.getsize(f"{database}-wal") < 2**21


def test_a_lost_shared_memory_file_after_a_kill_loses_nothing(database: str) -> None:
    child = start(database, "x", 1_000_000)
    assert child.stdout is not None
    entry_id = int(child.stdout.readline().split()[0])
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    Path(f"{database}-shm").unlink()
    store = open_store(database, now=0.0)
    assert store.recovered == ""
    assert entry_id in {entry.id for entry in store.journal.unfinished()}
    store.close()


def test_history_can_be_read_while_the_daemon_writes(database: str) -> None:
    child = start(database, "x", 1_000_000)
    assert child.stdout is not None
    child.stdout.readline()
    reader = open_readonly(database)
    assert reader is not None
    assert reader.journal.history("shop", limit=1)[0].step == STEP
    reader.close()
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()


def test_finishing_twice_keeps_the_last_outcome(store: Store) -> None:
    entry_id = store.journal.begin("shop", "web", step=STEP, plan_text="", at=1.0)
    store.journal.finish(entry_id, Outcome(STEP, StepStatus.UNKNOWN), at=2.0)
    store.journal.finish(entry_id, Outcome(STEP, StepStatus.DONE), at=3.0)
    assert store.journal.history()[0].status == "done"


def test_a_file_that_another_process_is_just_making_is_not_damaged(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one commits between our two looks at whose file it is."""
    look = opening._is_ours
    others: list[sqlite3.Connection] = []

    def look_and_be_overtaken(connection: sqlite3.Connection) -> bool:
        found = look(connection)
        if not others:
            others.append(sqlite3.connect(database, isolation_level=None, timeout=0.2))
            with contextlib.suppress(sqlite3.OperationalError):  # it may have to wait for us
                opening.migrate(others[0], database)
        return found

    monkeypatch.setattr(opening, "_is_ours", look_and_be_overtaken)
    store = open_store(database, now=0.0)
    assert store.recovered == ""
    store.close()
    others[0].close()
    assert [name for name in os.listdir(os.path.dirname(database)) if "corrupt" in name] == []


def test_many_processes_open_a_new_database_at_once(database: str) -> None:
    children = [start(database, f"p{number}", 1) for number in range(6)]
    for child in children:
        child.communicate(timeout=50)
    assert [child.returncode for child in children] == [0] * 6
    assert [name for name in os.listdir(os.path.dirname(database)) if "corrupt" in name] == []
