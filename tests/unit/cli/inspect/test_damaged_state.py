"""A state database with a flipped bit, a torn row, or something else in its place.

No verb takes it for a bug, and none calls a stale project fresh by it.
"""

import os
import random
import sqlite3
from pathlib import Path

import pytest

from freshd.config.locations import locate, prepare
from freshd.model.daemon_state import DaemonState
from freshd.render.documents import service_report
from freshd.store import open_store
from freshd.store.pending_steps import PendingStep
from freshd.store.validations import Validation
from tests.unit.cli.fakes import Line
from tests.unit.render.values import DONE, INJECT, STALE

MANY = int(os.environ.get("FRESHD_DAMAGED", "60"))
VERBS = (["status"], ["status", "--json"], ["history"], ["history", "--json"], ["resume"])


def filled(line: Line) -> Path:
    """With a row in each table that these verbs read; all services are stale."""
    locations = locate(line.environ)
    prepare(locations)
    store = open_store(locations.database, now=line.now)
    daemon = DaemonState(pid=1, started_at=line.now)
    services = {each.name: service_report(each) for each in STALE.services}
    store.status.save(
        "shop", directory="/src/shop", services=services, at=line.now, extra=daemon.to_json()
    )
    for number in range(5):
        entry = store.journal.begin("shop", "web", step=INJECT, plan_text="p", at=line.now)
        store.journal.phase(entry, "put", at=line.now, data={"number": number})
        if number:
            store.journal.finish(entry, DONE, at=line.now)
    store.pending_steps.add("shop", [PendingStep(INJECT, line.now)])
    store.halts.halt("shop", "web", reason="gone", at=line.now)
    store.incidents.open("shop", "web", text="stale", at=line.now)
    store.validations.record("shop", Validation(line.now, line.now, STALE.verdict))
    store.close()
    return Path(locations.database)


def flip_in_file(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 4)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def flip_in_row(path: Path, chance: random.Random) -> None:
    """What no check of SQLite's sees: a column with another value, or of another kind."""
    connection = sqlite3.connect(path, isolation_level=None)
    names = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    table = chance.choice([name for name in names if not name.startswith("sqlite_")])
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    column = chance.choice(columns)
    value = chance.choice(
        [b"\xff", "", "{", "[]", "{}", '{"a": 1}', "null", "x", -1, 1e300, "\udcff"]
    )
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape").decode("latin-1")
    try:
        connection.execute(f"UPDATE OR REPLACE {table} SET {column} = ?", (value,))
    except sqlite3.IntegrityError:
        pass  # it is a column that takes no such value
    finally:
        connection.close()


def tear(path: Path, chance: random.Random) -> None:
    """One character of a stored text is another."""
    connection = sqlite3.connect(path, isolation_level=None)
    table, column = chance.choice(
        [
            *(("journal", "step"), ("journal", "output"), ("phase", "data"), ("owed", "step")),
            *(("service_status", "report"), ("project_status", "extra"), ("validation", "details")),
        ]
    )
    (text,) = connection.execute(f"SELECT {column} FROM {table}").fetchone() or ("",)
    if text:
        at = chance.randrange(len(text))
        torn = text[:at] + chance.choice('{}[]":,x0') + text[at + 1 :]
        connection.execute(f"UPDATE {table} SET {column} = ?", (torn,))
    connection.close()


@pytest.mark.timeout(900)
def test_no_damage_is_a_bug_or_makes_anything_fresh(line: Line) -> None:
    """Asked of a project that is stale; the seeds are 0 to the number of rounds."""
    whole = filled(line)
    content = whole.read_bytes()
    told: list[str] = []
    for seed in range(MANY):
        chance = random.Random(seed)
        for file in whole.parent.glob("freshd.sqlite3*"):
            if file.is_file():
                file.unlink()
        whole.write_bytes(content)
        chance.choice([flip_in_file, flip_in_row, tear, tear])(whole, chance)
        for verb in VERBS:
            result = line(*verb)
            if result.status == 70 or (verb[0] == "status" and result.status == 0):
                told.append(f"seed {seed}: {verb}: {result.status}: {result.err[-300:]}")
    print(f"{MANY} damaged databases, seeds 0 to {MANY - 1}: {len(told)} wrong")
    assert told == []


def test_a_row_that_cannot_be_read_is_left_out_and_said(line: Line) -> None:
    path = filled(line)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE journal SET step = replace(step, 'remedy', 'r') WHERE id = 2")
    connection.close()
    result = line("history")
    assert result.status == 0
    assert "note: a row of journal cannot be read" in result.err
    assert "inject" in result.out, "the others are shown"


@pytest.mark.parametrize("verb", [["status"], ["history"], ["resume"]])
def test_a_fifo_in_the_databases_place_is_refused_and_not_waited_for(
    line: Line, verb: list[str]
) -> None:
    locations = locate(line.environ)
    prepare(locations)
    os.mkfifo(locations.database)
    result = line(*verb)
    assert result.status == 1
    assert "is no file" in result.err
