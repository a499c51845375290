"""The unit and the agent: right for any path, accepted by systemd itself, and known as written."""

import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.commands.service import find_program, select_environment, templates
from freshd.commands.service.marking import is_untouched
from freshd.commands.service.rendering import agent, agent_environment, unit, unit_environment
from freshd.model.errors import ConfigError

ROOT = Path(__file__).parents[4]
UNIT = (ROOT / "systemd" / "freshd.service").read_text("utf-8")
AGENT = (ROOT / "launchd" / "dev.freshd.plist").read_bytes()
ENVIRONMENT = {"PATH": '/usr/bin:/opt/50% "off"\\bin', "DOCKER_HOST": "unix:///run/$USER/d.sock"}
printable = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=20).filter(
    str.isprintable
)


def lines_of(text: str, key: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"{key}=")]


def test_the_unit_starts_the_program_it_is_given_and_says_nothing_else_new() -> None:
    text = unit(UNIT, ("/opt/freshd/bin/freshd",), {"PATH": "/usr/bin"}, version="1.2.3")
    assert lines_of(text, "ExecStart") == ["ExecStart=/opt/freshd/bin/freshd run --all"]
    assert lines_of(text, "Environment") == ['Environment="PATH=/usr/bin"']
    assert text.startswith("# freshd 1.2.3 wrote this; ")
    ours = {"ExecStart", "Environment"}
    kept = [line for line in text.splitlines()[1:] if line.partition("=")[0] not in ours]
    assert kept == [line for line in UNIT.splitlines() if line.partition("=")[0] not in ours]


def test_the_template_has_what_the_daemon_counts_on() -> None:
    for key, value in {
        "Type": "notify",
        "WatchdogSec": "60s",
        "Restart": "on-failure",
        "RestartPreventExitStatus": "2",
        "KillMode": "mixed",
        "WantedBy": "default.target",
    }.items():
        assert lines_of(UNIT, key) == [f"{key}={value}"]


@pytest.mark.parametrize("name", ["freshd", "with space", "50%$HOME", "schön"])
def test_systemd_accepts_the_unit(tmp_path: Path, name: str) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze here")
    program = tmp_path / name / "freshd"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = tmp_path / "freshd.service"
    path.write_text(unit(UNIT, (str(program),), ENVIRONMENT, version="1"))
    done = subprocess.run(
        [analyze, "verify", "--user", "--man=no", str(path)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    complaints = [line for line in done.stderr.splitlines() if "freshd" in line]
    assert (done.returncode, complaints) == (0, []), done.stderr


@pytest.mark.parametrize("path", ['/a"b/freshd', "/a'b/freshd", "/a\\b/freshd", "/a\nb/freshd"])
def test_a_path_that_systemd_cannot_start_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="systemd cannot start"):
        unit(UNIT, (path,), {}, version="1")


@given(value=printable)
def test_an_environment_comes_back_from_both(value: str) -> None:
    environment = {**ENVIRONMENT, "DOCKER_CONTEXT": value}
    assert unit_environment(unit(UNIT, ("/f",), environment, version="1")) == environment
    made = agent(AGENT, ("/f",), environment, version="1", log="/l")
    assert agent_environment(made) == environment


@pytest.mark.parametrize("text", ["", "not a plist", "<plist><dict/></plist>"])
def test_of_a_file_that_is_no_agent_there_is_no_environment(text: str) -> None:
    assert agent_environment(text) == {}


def test_the_agent_starts_the_program_and_logs_to_its_file() -> None:
    text = agent(AGENT, ("/opt/a & b/freshd",), ENVIRONMENT, version="1", log="/logs/freshd.log")
    plist = plistlib.loads(text.encode())
    assert plist["Label"] == "dev.freshd"
    assert plist["ProgramArguments"] == ["/opt/a & b/freshd", "run", "--all"]
    assert plist["EnvironmentVariables"] == ENVIRONMENT
    assert plist["RunAtLoad"] is True
    assert plist["KeepAlive"] == {"SuccessfulExit": False}
    assert plist["StandardErrorPath"] == plist["StandardOutPath"] == "/logs/freshd.log"


@pytest.mark.parametrize("kind", ["unit", "agent"])
def test_every_change_of_what_was_written_is_seen(kind: str) -> None:
    if kind == "unit":
        text = unit(UNIT, ("/f",), ENVIRONMENT, version="1")
    else:
        text = agent(AGENT, ("/f",), ENVIRONMENT, version="1", log="/l")
    assert is_untouched(text)
    assert not is_untouched(text + "\n")
    assert not is_untouched(text.replace("run", "ran", 1))
    assert not is_untouched("\n".join(line for line in text.splitlines() if "sha256" not in line))
    assert not is_untouched(text.replace("\n", "\r\n"))


def test_the_templates_are_those_of_the_repository() -> None:
    assert templates.read("systemd/freshd.service").decode() == UNIT
    assert templates.read("launchd/dev.freshd.plist") == AGENT


def test_the_program_is_the_one_that_was_typed_and_its_link_stays(tmp_path: Path) -> None:
    real = tmp_path / "venv" / "freshd"
    real.parent.mkdir()
    real.write_text("#!/bin/sh\n")
    real.chmod(0o755)
    link = tmp_path / "freshd"
    link.symlink_to(real)
    assert find_program(str(link), "/usr/bin/python3") == (str(link),)
    for argv0 in (str(tmp_path / "gone" / "freshd"), "/x/freshd/__main__.py", "/usr/bin/pytest"):
        assert find_program(argv0, "/usr/bin/python3") == ("/usr/bin/python3", "-m", "freshd")


def test_only_what_decides_the_engine_is_taken_along() -> None:
    environ = {
        "PATH": "/usr/bin:relative::/opt/bin:/usr/bin",
        "DOCKER_HOST": "unix:///d",
        "DOCKER_CONTEXT": "",
        "DOCKER_CONFIG": "/bad\nname",
        "COMPOSE_FILE": "a.yaml",
        "SECRET": "s",
    }
    assert select_environment(environ) == {"PATH": "/usr/bin:/opt/bin", "DOCKER_HOST": "unix:///d"}
