"""``freshd service`` as it is typed, with a ``systemctl`` of the test's own on the path."""

import json
import os
from pathlib import Path

import pytest

from freshd.model.errors import ConfigError
from tests.unit.cli.fakes import FakeProject, FakeSession, Line

SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$0.log"
case "$*" in
*" show "*) printf 'UnitFileState=enabled\\nActiveState=active\\nStatusText=watches shop\\n' ;;
*) [ ! -e "$0.away" ] || { echo 'Failed to connect to bus: No medium found'; exit 1; } ;;
esac
"""


@pytest.fixture
def systemctl(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command; ``<path>.away`` makes it fail, ``<path>.log`` is what it was called with."""
    monkeypatch.setattr("sys.platform", "linux")
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    line.environ["HOME"] = str(tmp_path / "home")
    line.environ["PATH"] = os.environ["PATH"]
    (tmp_path / "shop").mkdir()
    line.cwd = str(tmp_path / "shop")
    return program


@pytest.fixture
def unit(systemctl: Path, tmp_path: Path) -> Path:
    return tmp_path / "home" / ".config" / "systemd" / "user" / "freshd.service"


def config(line: Line) -> Path:
    return Path(line.environ["FRESHD_CONFIG_DIR"]) / "config.toml"


def test_a_project_is_added_agreed_to_and_the_service_started(
    line: Line, unit: Path, tmp_path: Path
) -> None:
    session = FakeSession(project=FakeProject(dir=line.cwd))
    result = line("service", "install", "--project", ".", session=session)
    assert (result.status, result.err) == (0, "")
    assert unit.is_file()
    assert config(line).read_text() == f'[[project]]\ndir = "{line.cwd}"\n'
    assert session.calls == [("consent",)]
    assert "added" in result.out
    assert "its files agreed to as they are now" in result.out
    assert "✓ systemctl --user enable --now freshd.service" in result.out
    assert "loginctl enable-linger" in result.out

    again = line("service", "install", "--project", ".", session=FakeSession())
    assert "is in" in again.out
    assert config(line).read_text().count("[[project]]") == 1
    status = line("service", "status")
    assert status.status == 0
    assert "watches shop" in status.out


def test_a_project_that_is_not_named_is_not_added_but_said(line: Line, unit: Path) -> None:
    Path(line.cwd, "compose.yaml").write_text("services: {}\n")
    result = line("service", "install")
    assert result.status == 0
    assert unit.is_file()
    assert not config(line).exists()
    assert f"{line.cwd} is not watched; to add it: freshd service install --project ." in result.out
    Path(line.cwd, "compose.yaml").unlink()
    assert "no project is watched yet; to add one:" in line("service", "install").out


def test_without_a_user_systemd_it_says_what_to_do(line: Line, systemctl: Path, unit: Path) -> None:
    Path(f"{systemctl}.away").touch()
    result = line("service", "install")
    assert result.status == 1
    assert unit.is_file()
    assert "✗ systemctl --user daemon-reload: Failed to connect to bus" in result.out
    for words in ("is written, but systemd did not start it", "enable-linger", "freshd run --all"):
        assert words in result.out
    assert "    systemctl --user enable --now freshd.service\n" in result.out


def test_a_project_that_cannot_be_read_is_said_and_the_service_installed(
    line: Line, unit: Path
) -> None:
    config(line).parent.mkdir(parents=True)
    config(line).write_text('[[project]]\ndir = "/gone"\n')
    broken = FakeSession(error=ConfigError("there is no directory /gone"))
    result = line("service", "install", "--json", session=broken)
    assert result.status == 0
    document = json.loads(result.out)
    assert document["projects"] == [
        {"directory": "/gone", "name": "", "problem": "there is no directory /gone"}
    ]
    assert [step["problem"] for step in document["steps"]] == ["", "", ""]


def test_a_dry_run_prints_the_unit_and_touches_nothing(
    line: Line, systemctl: Path, unit: Path
) -> None:
    result = line("service", "install", "--dry-run", "--project", ".")
    assert result.status == 0
    assert "\nType=notify\n" in result.out
    assert "systemctl --user enable --now freshd.service" in result.err
    assert line.opened == []
    assert not unit.exists()
    assert not config(line).exists()
    assert not Path(f"{systemctl}.log").exists()


def test_uninstalling_leaves_the_configuration(line: Line, unit: Path) -> None:
    assert line("service", "uninstall").out == "nothing is installed\n"
    line("service", "install", "--project", ".", session=FakeSession())
    result = line("service", "uninstall")
    assert result.status == 0
    assert f"removed {unit}" in result.out
    assert not unit.exists()
    assert config(line).exists()
    status = line("service", "status", "--json")
    assert status.status == 1
    assert (json.loads(status.out)["installed"], json.loads(status.out)["file"]) == (
        False,
        "absent",
    )


def test_an_edited_unit_is_left_alone_and_said(line: Line, unit: Path) -> None:
    line("service", "install")
    unit.write_text(unit.read_text() + "# mine\n")
    status = line("service", "status")
    assert status.status == 1
    assert "not as freshd wrote it" in status.out
    for verb in ("install", "uninstall"):
        result = line("service", verb)
        assert result.status == 2
        assert "--force" in result.err
    assert line("service", "uninstall", "--force").status == 0
    assert not unit.exists()


def test_an_unknown_platform_is_a_line_and_a_hint(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "sunos5")
    for verb in ("install", "uninstall", "status"):
        result = line("service", verb)
        assert result.status == 2
        assert result.out == ""
        assert "as a service on sunos5" in result.err
        assert "hint: " in result.err


def test_all_projects_and_one_project_exclude_each_other(line: Line) -> None:
    result = line("run", "--all", "--project", "/src/shop")
    assert result.status == 2
    assert "exclude each other" in result.err
