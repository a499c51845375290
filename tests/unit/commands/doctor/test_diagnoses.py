"""Each part of the world is judged by values: what is well, what is not, and the fix for it."""

import os
import socket
import sqlite3
from pathlib import Path

import pytest

from freshd.commands.doctor import engine, machine, own, project
from freshd.commands.doctor.others import RunningProcess, is_daemon, select_inside
from freshd.config.load import Notifications, UserConfig
from freshd.engine.cli.versions import CliVersions, release
from freshd.engine.client import EngineInfo, EngineVersion
from freshd.engine.transport.endpoint import Endpoint
from freshd.engine.transport.sdk_errors import unavailable
from freshd.model.verbs.diagnosis import Diagnosis, State, exit_status, ok, problem, warning
from freshd.observe.compose_watch import AtWork
from freshd.render.doctor import diagnosis_document, diagnosis_lines
from freshd.render.words import plain
from freshd.store import open_store
from freshd.store.instance_lock import InstanceLock, holder

SILENT = UserConfig(notifications=Notifications(enabled=False))
SOCKET = Endpoint("unix:///run/x.sock", "the default socket")


@pytest.mark.parametrize(
    ("found", "status"),
    [
        ([ok("a", "")], 0),
        ([ok("a", ""), warning("b", "", "do")], 0),
        ([warning("b", "", "do"), problem("c", "", "do")], 1),
        ([problem("engine", "", "do", engine=True)], 4),
        ([problem("engine", "", "do", engine=True), problem("c", "", "do")], 1),
    ],
)
def test_the_exit_status_says_what_stops_it(found: list[Diagnosis], status: int) -> None:
    assert exit_status(found) == status


@pytest.mark.parametrize(
    ("diagnosis", "state"),
    [
        (machine.check_python((3, 11, 7)), State.OK),
        (machine.check_python((3, 10, 1)), State.PROBLEM),
        (machine.check_git(None), State.OK),
        (machine.check_watches(100, 50, 8192), State.OK),
        (machine.check_watches(8000, 500, 8192), State.WARNING),
        (machine.check_watches(10, 0, None), State.OK),
        (machine.check_instances(3, 128), State.OK),
        (machine.check_instances(125, 128), State.WARNING),
        (machine.check_file_system("/x", "ext4"), State.OK),
        (machine.check_file_system("/x", "9p"), State.WARNING),
        (machine.check_file_system("/x", "virtiofs"), State.WARNING),
        (machine.check_disk("d", "/", 100, wanted=50, needed=10), State.OK),
        (machine.check_disk("d", "/", 40, wanted=50, needed=10), State.WARNING),
        (machine.check_disk("d", "/", 5, wanted=50, needed=10), State.PROBLEM),
        (engine.check_clock(1000.0, 999.0, 1001.0), State.OK),
        (engine.check_clock(1060.0, 999.0, 1001.0), State.WARNING),
        (engine.check_clock(900.0, 999.0, 1001.0), State.WARNING),
        (engine.check_clock(0.0, 999.0, 1001.0), State.OK),
        (engine.check_storage(EngineInfo("h", "Debian", "overlay2", "/d", 0.0)), State.OK),
        (engine.check_storage(EngineInfo("h", "Debian", "vfs", "/d", 0.0)), State.WARNING),
        (
            engine.check_version(EngineVersion("28.2", "1.5"), EngineInfo("h", "", "", "", 0)),
            State.OK,
        ),
        (
            engine.check_version(EngineVersion("19.03.15", "1.41"), EngineInfo("h", "", "", "", 0)),
            State.WARNING,
        ),
        (own.check_notices(UserConfig(), "unix:path=/x", platform="linux"), State.OK),
        (own.check_notices(UserConfig(), None, platform="linux"), State.WARNING),
        (own.check_notices(UserConfig(), None, platform="darwin"), State.OK),
        (own.check_notices(SILENT, None, platform="linux"), State.OK),
        (project.check_daemon(None, ()), State.OK),
        (project.check_daemon(7, (RunningProcess(7, ("freshd", "run"), "/x"),)), State.OK),
        (project.check_daemon(7, (RunningProcess(8, ("freshd", "run"), "/x"),)), State.WARNING),
    ],
)
def test_what_is_found_is_judged_and_what_is_wrong_has_a_fix(
    diagnosis: Diagnosis, state: State
) -> None:
    assert diagnosis.state is state
    assert bool(diagnosis.fix) == (state is not State.OK)
    assert "\n" not in diagnosis.message


@pytest.mark.parametrize(
    ("found", "states"),
    [
        (CliVersions("28.2.2", "2.26.1", "0.13.1"), {State.OK}),
        (CliVersions(), {State.PROBLEM}),
        (CliVersions("28.2.2", "", "0.13.1"), {State.OK, State.PROBLEM}),
        (CliVersions("28.2.2", "2.6.0", "0.13.1"), {State.OK, State.WARNING}),
        (CliVersions("28.2.2", "2.26.1", ""), {State.OK, State.WARNING}),
    ],
)
def test_the_docker_command_and_its_plugins(found: CliVersions, states: set[State]) -> None:
    assert {each.state for each in engine.check_commands(found)} == states


def test_a_forbidden_socket_names_the_group_that_may_use_it() -> None:
    told = engine.report_unreachable(unavailable(SOCKET, PermissionError()), SOCKET, "docker")
    assert told.fix == "sudo usermod -aG docker $USER, then log in again"
    assert told.engine
    absent = engine.report_unreachable(unavailable(SOCKET, FileNotFoundError()), SOCKET, "docker")
    assert "usermod" not in absent.fix


def test_the_group_is_the_sockets(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0o660)
        import grp

        name = grp.getgrgid(path.stat().st_gid).gr_name
        assert engine.find_socket_group(Endpoint(f"unix://{path}", "x")) == name
        path.chmod(0o600)
        assert engine.find_socket_group(Endpoint(f"unix://{path}", "x")) == ""


MOUNTS = """\
21 1 8:1 / / rw - ext4 /dev/sda1 rw
22 21 0:5 / /home rw shared:1 - nfs4 server:/home rw
23 22 0:6 / /home/a\\040b rw - virtiofs host rw
24 21 0:7 / /proc rw - proc proc rw
"""


@pytest.mark.parametrize(
    ("directory", "kind"),
    [("/srv", "ext4"), ("/home/x", "nfs4"), ("/home/a b/src", "virtiofs"), ("/homes", "ext4")],
)
def test_the_innermost_mount_is_the_file_system(directory: str, kind: str) -> None:
    assert machine.find_file_system(directory, MOUNTS) == kind


def test_ignored_directories_take_no_watch(tmp_path: Path) -> None:
    for name in ("src/a", "node_modules/x/y", ".git/objects"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("node_modules/\n")
    assert machine.count_directories(str(tmp_path)) == 3


def test_the_state_directory_is_looked_at_and_never_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "state"
    assert own.check_state_directory(str(path)).state is State.OK
    assert not path.parent.exists()
    path.mkdir(parents=True, mode=0o755)
    path.chmod(0o755)
    assert own.check_state_directory(str(path)).state is State.WARNING
    path.chmod(0o700)
    assert own.check_state_directory(str(path)).state is State.OK
    (tmp_path / "file").write_text("")
    assert own.check_state_directory(str(tmp_path / "file")).state is State.PROBLEM
    assert own.check_state_directory(str(tmp_path / "file" / "x")).state is State.PROBLEM


def test_the_database_is_healthy_or_says_why_not(tmp_path: Path) -> None:
    path = str(tmp_path / "freshd.sqlite3")
    assert own.check_database(path).message == "none yet"
    open_store(path, now=1.0).close()
    assert own.check_database(path) == ok("database", "healthy")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE project_status")
    connection.close()
    assert own.check_database(path).state is State.WARNING
    Path(path).write_text("no database" * 1000)
    assert own.check_database(path).state is State.PROBLEM


def test_files_that_do_not_load_are_problems_with_their_first_mistake(tmp_path: Path) -> None:
    policy = tmp_path / "freshd.toml"
    assert project.check_policy(str(policy)).state is State.OK
    policy.write_text('version = 1\n[[rule]]\nwhen = ["nonsense"]\ndo = ["dance"]\n')
    told = project.check_policy(str(policy))
    assert told.state is State.PROBLEM
    assert "nonsense" in told.message
    assert "1 more" in told.message
    config = tmp_path / "config.toml"
    config.write_text("[engine]\nhosst = 1\n")
    assert own.check_user_config(str(config))[1].state is State.PROBLEM


def test_a_compose_watch_at_work_is_told_with_what_it_means() -> None:
    (told,) = project.check_watchers((AtWork(7),))
    assert told.state is State.WARNING
    assert "pid 7" in told.message
    assert "only verifies" in told.message


def test_only_what_runs_in_the_project_counts(tmp_path: Path) -> None:
    every = [
        RunningProcess(1, (), str(tmp_path)),
        RunningProcess(2, (), f"{tmp_path}/a"),
        RunningProcess(3, (), "/"),
    ]
    assert [each.pid for each in select_inside(every, str(tmp_path))] == [1, 2]
    assert is_daemon(RunningProcess(1, ("python", "-m", "freshd", "run"), "/"))
    assert not is_daemon(RunningProcess(1, ("freshd", "check"), "/"))


def test_the_holder_of_the_lock_is_told(tmp_path: Path) -> None:
    locks = str(tmp_path)
    assert holder(locks, "/src/shop") is None
    with InstanceLock(locks, "/src/shop"):
        assert holder(locks, "/src/shop") == os.getpid()
    assert holder(locks, "/src/shop") is None


@pytest.mark.parametrize(
    ("text", "parts"), [("2.26.1-4", (2, 26, 1)), ("v2.20", (2, 20)), ("", ()), ("x", ())]
)
def test_a_version_is_compared_by_its_numbers(text: str, parts: tuple[int, ...]) -> None:
    assert release(text) == parts


def test_the_fix_stands_below_what_it_mends() -> None:
    found = (ok("python", "3.11"), problem("engine", "away", "start Docker", engine=True))
    lines = [plain(line) for line in diagnosis_lines(found)]
    assert lines[0] == "freshd cannot work here: 1 problem"
    assert lines[-1].strip() == "fix: start Docker"
    document = diagnosis_document(found, status=4)
    assert document["can_work"] is False
    assert next(plain(line) for line in diagnosis_lines(found[:1])) == "freshd can work here"
