"""Installing and removing: one file, the right commands, and hands off what a person edited."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from freshd.commands.service import (
    FileState,
    Launchd,
    ManagerResult,
    ServiceInstaller,
    Systemd,
    find_manager,
    run_command,
)
from freshd.model.errors import ConfigError

SYSTEMCTL = "systemctl --user"
AWAY = "Failed to connect to bus: No medium found"


class Commands:
    """Stands for systemctl and launchctl: notes what is run, and answers from ``answers``."""

    def __init__(self) -> None:
        self.run: list[str] = []
        self.answers: dict[str, ManagerResult] = {}

    def __call__(self, argv: Sequence[str]) -> ManagerResult:
        line = " ".join(argv)
        self.run.append(line)
        found = (ran for start, ran in self.answers.items() if line.startswith(start))
        return next(found, ManagerResult(0))

    def changes(self) -> list[str]:
        """What was run and was not only a question."""
        return [line for line in self.run if " show " not in line and " print " not in line]


@pytest.fixture
def commands() -> Commands:
    return Commands()


def autostart(top: Path, commands: Commands, program: str = "/opt/freshd") -> ServiceInstaller:
    return ServiceInstaller(
        Systemd(str(top)), commands, program=(program,), environment={"PATH": "/usr/bin"}
    )


def test_the_unit_is_written_and_started(tmp_path: Path, commands: Commands) -> None:
    made = autostart(tmp_path, commands)
    steps = made.install()
    path = tmp_path / "systemd" / "user" / "freshd.service"
    assert path.read_text() == made.wanted
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(path.parent) == ["freshd.service"]
    assert commands.run == [
        f"{SYSTEMCTL} daemon-reload",
        f"{SYSTEMCTL} enable --now freshd.service",
    ]
    assert [step.text for step in steps] == [f"wrote {path}", *commands.run]
    assert not any(step.problem for step in steps)
    assert made.state().file is FileState.CURRENT


def test_without_a_user_systemd_the_unit_is_written_and_the_reason_told(
    tmp_path: Path, commands: Commands
) -> None:
    commands.answers[SYSTEMCTL] = ManagerResult(1, AWAY)
    made = autostart(tmp_path, commands)
    wrote, reload = made.install()
    assert Path(made.manager.path).is_file()
    assert (wrote.problem, reload.problem) == ("", AWAY)
    state = made.state()
    assert (state.manager.enabled, state.manager.running, state.manager.words) == (None, None, AWAY)


def test_installing_again_writes_what_is_new_and_starts_anew_what_runs(
    tmp_path: Path, commands: Commands
) -> None:
    autostart(tmp_path, commands, program="/old/freshd").install()
    commands.run.clear()
    commands.answers[f"{SYSTEMCTL} show"] = ManagerResult(
        0, "UnitFileState=enabled\nActiveState=active"
    )
    made = autostart(tmp_path, commands, program="/new/freshd")
    assert made.state().file is FileState.OUTDATED
    made.install()
    assert made.state().file is FileState.CURRENT
    assert commands.changes()[-1] == f"{SYSTEMCTL} restart freshd.service"


def test_another_path_in_the_shell_is_no_difference(tmp_path: Path, commands: Commands) -> None:
    autostart(tmp_path, commands).install()
    other = ServiceInstaller(
        Systemd(str(tmp_path)), commands, program=("/opt/freshd",), environment={"PATH": "/other"}
    )
    assert other.state().file is FileState.CURRENT


@pytest.mark.parametrize("content", ["[Service]\nExecStart=/bin/mine\n", "edited", "\udcff"])
def test_what_a_person_wrote_or_edited_stays_unless_forced(
    tmp_path: Path, commands: Commands, content: str
) -> None:
    made = autostart(tmp_path, commands)
    path = Path(made.manager.path)
    if content == "edited":
        made.install()
        content = path.read_text().replace("WatchdogSec=60s", "WatchdogSec=5s")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.fsencode(content))
    commands.run.clear()
    assert made.state().file is FileState.EDITED
    for verb in (made.install, made.uninstall):
        with pytest.raises(ConfigError, match="is not as freshd wrote it"):
            verb()
    assert path.read_bytes() == os.fsencode(content)
    assert commands.changes() == []
    made.install(force=True)
    assert made.state().file is FileState.CURRENT
    path.write_bytes(os.fsencode(content))
    made.uninstall(force=True)
    assert not path.exists()


def test_uninstalling_takes_away_what_installing_made_and_nothing_else(
    tmp_path: Path, commands: Commands
) -> None:
    made = autostart(tmp_path, commands)
    made.install()
    beside = tmp_path / "systemd" / "user" / "other.service"
    beside.write_text("theirs")
    wants = tmp_path / "systemd" / "user" / "default.target.wants"
    wants.mkdir()
    (wants / "freshd.service").symlink_to(made.manager.path)
    commands.run.clear()
    steps = made.uninstall()
    assert commands.run == [
        f"{SYSTEMCTL} disable --now freshd.service",
        f"{SYSTEMCTL} daemon-reload",
    ]
    assert [step.text for step in steps][1] == f"removed {made.manager.path}"
    assert not Path(made.manager.path).exists()
    assert os.listdir(wants) == []
    assert beside.read_text() == "theirs"
    commands.run.clear()
    assert made.uninstall() == ()
    assert commands.run == []


def test_uninstalling_removes_the_file_also_where_nothing_answers(
    tmp_path: Path, commands: Commands
) -> None:
    made = autostart(tmp_path, commands)
    made.install()
    commands.answers[SYSTEMCTL] = ManagerResult(1, AWAY)
    steps = made.uninstall()
    assert not Path(made.manager.path).exists()
    assert steps[0].problem == AWAY


@pytest.mark.parametrize(
    ("said", "enabled", "running", "words"),
    [
        (
            "UnitFileState=enabled\nActiveState=active\nSubState=running\nStatusText=watches shop",
            True,
            True,
            "watches shop",
        ),
        ("UnitFileState=\nActiveState=inactive\nSubState=dead", False, False, "inactive (dead)"),
        (
            "UnitFileState=enabled\nActiveState=failed\nResult=watchdog\nStatusText=old",
            True,
            False,
            "failed: watchdog",
        ),
    ],
)
def test_what_systemd_says_is_understood(
    tmp_path: Path, commands: Commands, said: str, enabled: bool, running: bool, words: str
) -> None:
    commands.answers[f"{SYSTEMCTL} show freshd.service"] = ManagerResult(0, said)
    seen = autostart(tmp_path, commands).state().manager
    assert (seen.enabled, seen.running, seen.words) == (enabled, running, words)


def test_launchd_is_told_to_load_and_to_unload(tmp_path: Path, commands: Commands) -> None:
    made = ServiceInstaller(
        Launchd(str(tmp_path), 501), commands, program=("/opt/freshd",), environment={}
    )
    commands.answers["launchctl print"] = ManagerResult(113, "Could not find service")
    made.install()
    path = tmp_path / "Library" / "LaunchAgents" / "dev.freshd.plist"
    assert path.read_text() == made.wanted
    assert commands.changes() == [f"launchctl bootstrap gui/501 {path}"]
    assert made.state().manager.words == "not loaded"
    commands.answers["launchctl print"] = ManagerResult(0, "dev.freshd = {\n\tstate = running\n}")
    seen = made.state().manager
    assert (seen.enabled, seen.running) == (True, True)
    commands.run.clear()
    made.install()
    assert commands.changes() == [
        "launchctl bootout gui/501/dev.freshd",
        f"launchctl bootstrap gui/501 {path}",
    ]
    made.uninstall()
    assert not path.exists()


def test_another_platform_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match="on freebsd14") as caught:
        find_manager("freebsd14", environ={}, uid=1)
    assert caught.value.exit_code == 2
    assert "freshd run --all" in (caught.value.hint or "")
    assert find_manager("darwin", environ={"HOME": "/u"}, uid=1).path.startswith("/u/Library")
    assert find_manager("linux", environ={"HOME": "/u"}, uid=1).path.startswith(
        "/u/.config/systemd"
    )


def test_a_command_that_is_not_there_is_an_answer() -> None:
    assert run_command(["freshd-no-such-command"]).status == 127
    assert run_command(["sh", "-c", "echo words >&2; exit 3"]) == ManagerResult(3, "words")
