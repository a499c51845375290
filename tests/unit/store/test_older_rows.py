"""Rows as earlier versions wrote them, kept as they were: each still says what it said."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from freshd.model.daemon_state import ProjectsState, ProjectState
from freshd.model.files import Entry, Kind
from freshd.model.observed.image import BuildRecord
from freshd.model.plan import Command, FileChange, Step
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import Level, LinkName, LinkState, Verdict
from freshd.render.documents import service_report_from
from freshd.store import Store, open_store
from freshd.store.markers import Consent, Failure, Halt, Incident
from freshd.store.pending_steps import PendingStep
from freshd.store.records.artefacts import ArtefactRecord
from freshd.store.records.creation_records import CreationRecord
from freshd.store.sqlite.schema import APPLICATION_ID, MIGRATIONS
from freshd.store.validations import Validation

ONE: Final = "1" * 64
STEP: Final = (
    '{"remedy":"inject","service":"web","causes":["content-differs"],"container":"shop-web-1",'
    f'"container_id":"{ONE}","files":[{{"target":"/app/a.py","source":"a.py","want":["file","'
    + "ab"
    * 32
    + '",3,493,""],"seen":null},{"target":"/app/b","source":"b","want":null,"seen":["unreadable",'
    '"",0,420,"caf\\udce9"]}],"patterns":["*.pyc"],"commands":[["develop.watch web 1",["sh","-c",'
    '"x"]]],"signal":"HUP","rebuild":"no-cache","rule":"r"}'
)
EARLIEST: Final = (
    '{"remedy":"restart","service":"web","causes":[],"container":null,"container_id":null,'
    '"files":[],"patterns":[],"signal":null,"rebuild":null,"rule":""}'
)
REPORT: Final = (
    '{"name":"web","verdict":"stale","patched":false,"links":{"image":"fresh","container":"stale",'
    '"process":"unchecked","config":"fresh"},"containers":[{"id":"' + ONE + '","name":"shop-web-1",'
    '"verdict":"stale","compared":2,"equal":1}],"findings":[{"cause":"content-differs","level":'
    '"stale","link":"container","container":"shop-web-1","path":"a.py","target":"/app/a.py",'
    '"remedy":"inject","message":"m","evidence":{"tree":"1"}}],"undone":[]}'
)
DETAILS: Final = (
    '{"services":{"web":"stale"},"causes":["old-image"],"compared":7,"steps":1,"by_hand":true}'
)
SEVERAL: Final = (
    '{"pid":5,"lock":"/l","config":"/c","problem":"","projects":[{"directory":"/shop","name":'
    '"shop","problem":"no Compose file"}]}'
)
ROWS: Final = (
    ("owed", (ONE, "inject", "shop", "web", STEP, 2.5)),
    ("owed", ("service:web", "restart", "shop", "web", EARLIEST, 0.0)),
    ("validation", (1, "shop", 1.0, 2.0, "stale", DETAILS)),
    ("several", (1, SEVERAL)),
    ("project_status", ("shop", b"/caf\xe9", 3.0, '{"pid":5}')),
    ("service_status", ("shop", "web", REPORT, 3.5)),
    ("incident", ("shop", "web", 1.0, b"caf\xed\xb3\xa9")),
    ("failure", ("shop", "web", f"restart {ONE}", 2, "in", 1.0, 9.0, "why")),
    ("halt", ("shop", "", "the tree is empty", 1.0)),
    ("consent", (b"/shop", '{"compose.yaml":"cd"}', 4.0)),
    ("last_run", ("shop", "validate", 9.0)),
    ("tree_size", ("shop", "web", 42)),
    ("derived", ("shop", "web", b"/dist", "one", '{"src/a":"1"}')),
    ("resolved", (ONE, "api", 1.5, '["10.0.0.1"]')),
    ("build", ("sha256:1", "web", '{"a":"1"}', '{"X":"y"}', 5.0, 1)),
    ("keyring", (1, b"k" * 32)),
    ("made_with", (ONE, "v2", '{"image":"keyed"}')),
    ("clean_bytecode", (ONE, "print")),
    ("held", (ONE, 1.5, '{"a.py":"1"}')),
    ("written", (ONE, b"/app/a", bytes.fromhex("ab" * 32), 1.0)),
    ("written", ("volume:data", b"/x", b"", 1.0)),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("older") / "freshd.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        for migration in MIGRATIONS[:5]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 5")
        for table, row in ROWS:
            connection.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)
        connection.execute(
            "INSERT INTO journal VALUES (7, 'shop', 'web', 'inject', ?, 2, 'plan', 5, 1.0, 2.0,"
            " 'done', 'd', 1.0, '[\"line\"]')",
            (STEP,),
        )
        connection.execute("INSERT INTO phase VALUES (7, 0, 'put', '{\"pid\":6}', 1.5)")
        connection.commit()
    with closing(open_store(str(path), now=0.0)) as opened:
        assert opened.recovered == ""
        yield opened


def test_a_step_is_the_step_it_was(store: Store) -> None:
    step = Step(
        remedy=Remedy.INJECT,
        service="web",
        causes=("content-differs",),
        container="shop-web-1",
        container_id=ONE,
        files=(
            FileChange("/app/a.py", "a.py", Entry(Kind.FILE, "ab" * 32, 3, 0o755), None),
            FileChange("/app/b", "b", None, Entry(Kind.UNREADABLE, reason="caf\udce9")),
        ),
        patterns=("*.pyc",),
        commands=(Command("develop.watch web 1", ("sh", "-c", "x")),),
        signal="HUP",
        rebuild=RebuildMode.NO_CACHE,
        rule="r",
    )
    earliest = PendingStep(Step(Remedy.RESTART, "web", ()), 0.0)
    assert store.pending_steps.get("shop", "web") == (PendingStep(step, 2.5), earliest)
    (entry,) = store.journal.history("shop")
    assert (entry.id, entry.step, entry.output, entry.child_pid) == (7, step, ("line",), 6)


def test_what_was_reported_is_reported(store: Store) -> None:
    loaded = store.status.load("shop")
    assert loaded is not None
    assert (loaded.directory, loaded.extra, loaded.saved_at) == ("/caf\udce9", {"pid": 5}, 3.0)
    (kept,) = loaded.services.values()
    assert kept.checked_at == 3.5
    report = service_report_from(json.loads(json.dumps(kept.report)))
    assert (report.name, report.verdict, report.patched) == ("web", Verdict.STALE, False)
    assert report.links[LinkName.PROCESS] is LinkState.UNCHECKED
    (finding,) = report.findings
    assert (finding.container_id, finding.level, finding.service) == (ONE, Level.STALE, "web")
    assert (finding.remedy, finding.evidence) == (Remedy.INJECT, {"tree": "1"})
    assert store.validations.last("shop") == Validation(
        *(1.0, 2.0, Verdict.STALE, {"web": Verdict.STALE}, ("old-image",), 7, 1, True)
    )
    projects = (ProjectState("/shop", "shop", "no Compose file"),)
    known = ProjectsState.from_json(store.projects_document.load())
    assert known == ProjectsState(5, "/l", "/c", "", projects)


def test_what_must_survive_a_restart_has(store: Store) -> None:
    assert store.incidents.active("shop") == (Incident("web", 1.0, "caf\udce9"),)
    failure = Failure(f"restart {ONE}", 2, "in", 1.0, 9.0, "why")
    assert store.failures.get("shop", "web") == {failure.key: failure}
    assert store.halts.active("shop") == (Halt(None, "the tree is empty", 1.0),)
    assert store.consents.get("/shop") == Consent({"compose.yaml": "cd"}, 4.0)
    assert store.last_runs.last_run("validate", "shop") == 9.0
    assert store.tree_sizes.get("shop", "web") == 42


def test_what_was_recorded_of_containers_and_images_is_known(store: Store) -> None:
    assert store.artefacts.get("shop", "web", "/dist") == ArtefactRecord("one", {"src/a": "1"})
    assert store.proxy_addresses.get(ONE, "api", started_at=1.5) == {"10.0.0.1"}
    build = BuildRecord("sha256:1", "web", {"a": "1"}, {"X": "y"}, 5.0, by_freshd=True)
    assert store.build_records.get("sha256:1", {"X": "y"}) == build
    assert store.creation_records.key() == b"k" * 32
    assert store.creation_records.get(ONE) == CreationRecord("v2", {"image": "keyed"})
    assert store.creation_records.read_clean(ONE) == "print"
    assert store.creation_records.read_held(ONE, 1.5) == {"a.py": "1"}
    assert store.creation_records.read_held(ONE, 2.5) == {}
    assert (store.creation_records.holds(ONE, 1.5), store.creation_records.holds(ONE, 2.5)) == (
        True,
        False,
    )
    assert store.injected_files.read_landed(ONE) == {"/app/a": ("ab" * 32, 1.0)}
    assert store.injected_files.get("volume:data") == {"/x": ""}
