"""``status``, ``history`` and ``resume`` read the database, and say what it says."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freshd.cli.saved import resolve_directory
from freshd.config.invocation import Invocation
from freshd.config.locate import locate_project
from freshd.config.locations import locate, prepare
from freshd.model.daemon_state import DaemonState, ProjectsState, ProjectState
from freshd.model.report import ProjectReport, Verdict
from freshd.render.documents import service_report
from freshd.store import Store, open_store
from freshd.store.validations import Validation
from tests.unit.cli.fakes import Line
from tests.unit.render.values import DONE, FRESH, INJECT, PATCHED, STALE, UNPROVED


@contextmanager
def database(line: Line) -> Iterator[Store]:
    locations = locate(line.environ)
    prepare(locations)
    store = open_store(locations.database, now=line.now)
    try:
        yield store
    finally:
        store.close()


def save(
    line: Line,
    report: ProjectReport = FRESH,
    *,
    project: str = "shop",
    directory: str = "/src/shop",
    daemon: DaemonState | None = None,
) -> None:
    with database(line) as store:
        store.status.save(
            project,
            directory=directory,
            services={each.name: service_report(each) for each in report.services},
            at=line.now - 12,
            extra=daemon.to_json() if daemon else None,
        )


def test_without_a_database_status_says_what_to_do_and_makes_none(line: Line) -> None:
    result = line("status")
    assert result.status == 3
    assert "nothing is known of /src/shop yet" in result.out
    assert "freshd check" in result.out
    assert not Path(line.environ["FRESHD_STATE_DIR"]).exists()
    assert json.loads(line("status", "--json").out)["verdict"] is None


@pytest.mark.parametrize(
    ("report", "status"), [(FRESH, 0), (STALE, 1), (PATCHED, 0), (UNPROVED, 3)]
)
def test_the_status_of_status_is_the_verdict(
    line: Line, report: ProjectReport, status: int
) -> None:
    save(line, report)
    result = line("status")
    assert result.status == status
    assert "12 s ago" in result.out
    assert "no daemon is running" in result.out
    document = json.loads(line("status", "--json").out)
    assert document["verdict"] == report.verdict.value
    assert document["daemon"] == {"running": False}
    assert document["services"][0]["checked_at"] == "2026-11-22T19:59:48Z"


def test_a_project_known_to_have_no_service_yet_is_not_fresh(line: Line) -> None:
    with database(line) as store:
        store.status.save("shop", directory="/src/shop", services={}, at=line.now)
    result = line("status")
    assert result.status == 3
    assert "no service has been looked at yet" in result.out


def test_a_running_daemon_is_known_by_its_lock(line: Line, tmp_path: Path) -> None:
    lock = tmp_path / "daemon.lock"
    daemon = DaemonState(
        pid=os.getpid(),
        started_at=line.now - 90,
        lock=str(lock),
        watching="12 directories",
        notifier="no session bus",
        problems=("inotify limit reached, polling",),
        verifying="docker compose watch (pid 7) is at work",
    )
    save(line, daemon=daemon)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        out = line("status").out
        assert f"daemon running, pid {os.getpid()}, started 1 min ago" in out
        assert "only verifying: docker compose watch (pid 7) is at work" in out
        assert "watching 12 directories" in out
        assert "notices: no session bus" in out
        assert "degraded: inotify limit reached, polling" in out
        assert json.loads(line("status", "--json").out)["daemon"]["running"] is True
    assert f"the daemon (pid {os.getpid()}) is gone" in line("status").out


@pytest.mark.parametrize(
    ("engine", "since", "status"),
    [("", 0.0, 0), ("no engine answers", 0.0, 3), ("", 11.0, 3)],
    ids=["watched", "engine away", "not looked at since it is back"],
)
def test_fresh_is_only_what_was_seen_while_every_change_is_heard_of(
    line: Line, engine: str, since: float, status: int
) -> None:
    """``since`` counts from the report's time, in seconds after it."""
    moment = line.now - 12 + since if since else 0.0
    save(
        line,
        daemon=DaemonState(pid=os.getpid(), started_at=line.now - 100, engine=engine, since=moment),
    )
    assert line("status").status == status
    with database(line) as store:
        store.status.save("shop", directory="/src/shop", services={}, at=line.now, extra={})
    assert line("status").status == 0, "without a daemon it is what was last seen"


def test_a_service_that_is_not_looked_at_is_not_fresh_beside_what_is_wrong(line: Line) -> None:
    """A tick is for what is proved now."""
    told = "a bug in freshd: KeyError('x')"
    (name,) = (service.name for service in FRESH.services)
    save(
        line,
        daemon=DaemonState(
            pid=os.getpid(), started_at=line.now - 100, problems=(told,), unseen=(name,)
        ),
    )
    result = line("status")
    assert result.status == 3
    assert f"degraded: {told}" in result.out
    assert f"? {name}" in result.out
    assert "✓" not in result.out
    (service,) = json.loads(line("status", "--json").out)["services"]
    assert service["verdict"] == "unverifiable"
    assert "fresh" not in service["links"].values()


def test_what_is_stale_stays_stale_where_it_is_not_looked_at(line: Line) -> None:
    names = tuple(service.name for service in STALE.services)
    daemon = DaemonState(pid=os.getpid(), started_at=line.now - 100, unseen=names)
    save(line, STALE, daemon=daemon)
    assert line("status").status == 1


def test_a_daemon_that_writes_nothing_any_more_proves_nothing(line: Line) -> None:
    """Its disk is full, or it hangs: it cannot say so itself."""
    save(line, daemon=DaemonState(pid=os.getpid(), started_at=line.now - 1000))
    assert line("status").status == 0
    with database(line) as store:
        store.status.save("shop", directory="/src/shop", services={}, at=line.now - 200)
    result = line("status")
    assert result.status == 3
    assert "degraded: it has written nothing down for 3 min" in result.out
    assert "✓" not in result.out


def test_what_the_daemon_says_of_itself_comes_back(line: Line) -> None:
    daemon = DaemonState(
        1, 2.0, "lock", "here", "gone", "bus", ("a", "b"), 3.0, "compose (pid 4)", ("web",)
    )
    save(line, daemon=daemon)
    with database(line) as store:
        saved = store.status.load("shop")
    assert saved is not None
    assert DaemonState.from_json(saved.extra) == daemon
    assert DaemonState.from_json({"pid": "x"}) is None


def test_halts_are_shown_and_resume_lifts_them(line: Line) -> None:
    save(line)
    with database(line) as store:
        store.halts.halt("shop", "web", reason="the tree lost 60 of 90 files", at=line.now - 60)
    assert "halted 1 min ago  web: the tree lost 60 of 90 files" in line("status").out
    assert "resumed  web: the tree lost 60 of 90 files" in line("resume").out
    assert "halted" not in line("status").out
    result = line("resume")
    assert (result.status, result.out) == (0, "nothing is halted\n")


def test_history_shows_what_was_done_newest_first(line: Line) -> None:
    assert line("history").out == "nothing has been done yet\n"
    save(line)
    with database(line) as store:
        for moment in (10, 5):
            at = line.now - moment
            entry = store.journal.begin("shop", "web", step=INJECT, plan_text="", at=at)
            if moment == 10:
                store.journal.finish(entry, DONE, at=at + 1)
    newest, oldest = line("history").out.splitlines()
    assert newest.startswith("2026-11-22T19:59:55Z  … inject 1 file and delete 1 in shop-web-1")
    assert "(running)" in newest
    assert "✓ inject" in oldest
    assert "42 ms  content-differs" in oldest
    assert len(line("history", "--limit", "1").out.splitlines()) == 1
    assert line("history", "other").out == "nothing has been done yet\n"
    entries = json.loads(line("history", "web", "--json").out)["entries"]
    assert [each["status"] for each in entries] == ["running", "done"]


def test_the_last_validation_is_in_status_and_all_of_them_in_history(line: Line) -> None:
    save(line)
    assert "validated" not in line("status").out
    with database(line) as store:
        for days, verdict in ((9.0, Verdict.STALE), (2.0, Verdict.FRESH)):
            at = line.now - days * 86400
            store.validations.record(
                "shop",
                Validation(at, at + 2.5, verdict, {"web": verdict}, ("old-image",), 214, 1),
            )
    result = line("status")
    assert result.status == 0
    assert "validated 1 d ago: fresh" in result.out
    said = json.loads(line("status", "--json").out)["validation"]
    assert (said["verdict"], said["began_at"]) == ("fresh", "2026-11-20T20:00:00Z")
    newest, older, why = line("history").out.splitlines()
    assert newest.split() == [
        "2026-11-20T20:00:00Z",
        "✓",
        "validation:",
        "fresh",
        "2.5",
        "s",
        "weekly",
    ]
    assert "✗ validation: stale" in older
    assert why == "    web: old-image"
    assert len(line("history", "--limit", "1").out.splitlines()) == 1
    assert line("history", "web").out == "nothing has been done yet\n"
    kept = json.loads(line("history", "--json").out)["validations"]
    assert [each["verdict"] for each in kept] == ["fresh", "stale"]


def test_why_the_service_does_not_watch_a_project_is_said(line: Line, tmp_path: Path) -> None:
    lock = tmp_path / "all.lock"
    state = ProjectsState(
        pid=os.getpid(),
        lock=str(lock),
        config="/c/config.toml",
        projects=(
            ProjectState("/src/shop", problem="no directory"),
            ProjectState("/src/good", "good"),
        ),
    )
    with database(line) as store:
        store.projects_document.save(state.to_json())
    assert "nothing is known of" in line("status").out, "whoever said it is gone"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = line("status")
        assert result.status == 3
        assert "/src/shop cannot be proved fresh" in result.out
        assert "the service cannot watch it: no directory" in result.out
        save(line)
        assert "the service cannot watch it: no directory" in line("status").out
        assert json.loads(line("status", "--json").out)["not_watched"] == "no directory"
        assert "cannot watch" not in line("--project", "/src/good", "status").out


def test_the_project_is_found_from_a_directory_below_it(line: Line, tmp_path: Path) -> None:
    below = tmp_path / "shop" / "src"
    below.mkdir(parents=True)
    (tmp_path / "shop" / "compose.yaml").write_text("")
    save(line, directory=str(tmp_path / "shop"))
    line.cwd = str(below)
    assert line("status").status == 0
    line.cwd = str(tmp_path)
    assert line("status").status == 3
    assert line("status", "--project", "shop/").status == 0
    assert line("status", "--file", "shop/compose.yaml").status == 0
    assert line("status", "--project-name", "shop").status == 0


@pytest.mark.parametrize("here", ["", "a", "a/b", "a/b/c", "d", "d/e"])
@pytest.mark.parametrize(
    ("options", "environ"),
    [
        ([], {}),
        (["--project", "."], {}),
        (["--file", "up.yaml"], {}),
        ([], {"COMPOSE_FILE": "up.yaml:other.yaml"}),
        ([], {"COMPOSE_FILE": "up.yaml;other.yaml", "COMPOSE_PATH_SEPARATOR": ";"}),
    ],
)
def test_status_means_the_same_project_as_every_other_verb(
    line: Line, tmp_path: Path, here: str, options: list[str], environ: dict[str, str]
) -> None:
    for name in ("a/b/c", "d/e"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("freshd.toml", "a/b/compose.yml", "d/.env"):
        (tmp_path / name).write_text("COMPOSE_FILE=up.yaml" if name == "d/.env" else "")
    for directory in ("", "a", "a/b", "a/b/c", "d", "d/e"):
        for name in ("up.yaml", "other.yaml"):
            (tmp_path / directory / name).write_text("")
    start = str(tmp_path / here)
    option = dict(zip(options[::2], options[1::2], strict=True))
    invocation = Invocation(
        start,
        environ,
        project_dir=option.get("--project"),
        files=(option["--file"],) if "--file" in option else (),
    )
    found = locate_project(invocation)
    assert resolve_directory(invocation) == os.path.realpath(found.directory)


def test_a_directory_with_several_names_asks_for_one(line: Line) -> None:
    save(line, project="shop")
    save(line, project="shop2", report=STALE)
    result = line("status")
    assert result.status == 2
    assert "  shop\n  shop2\n" in result.err
    assert line("--project-name", "shop2", "status").status == 1


def test_a_saved_report_of_another_shape_proves_nothing_and_is_no_bug(line: Line) -> None:
    with database(line) as store:
        store.status.save("shop", directory="/src/shop", services={"web": [1]}, at=line.now)
    result = line("status")
    assert result.status == 3
    assert "? web" in result.out


def test_watching_piped_prints_again_only_what_changed(line: Line) -> None:
    save(line)
    seconds = iter(range(4))

    def sleep(_: float) -> None:
        turn = next(seconds)
        if turn == 1:
            save(line, STALE)
        if turn == 3:
            raise KeyboardInterrupt

    line.sleep = sleep
    result = line("status", "--watch")
    assert result.status == 130
    assert [each for each in result.out.splitlines() if each.startswith("shop")] == [
        "shop is fresh",
        "shop is stale",
    ]
