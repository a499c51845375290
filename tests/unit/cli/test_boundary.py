"""Every error leaves as one line on stderr, a hint after a blank line, and its exit status."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from freshd.model.errors import (
    AlreadyRunning,
    ConfigError,
    EngineFailed,
    EngineUnavailable,
    FreshdError,
    OutcomeUnknown,
    StateError,
    StepRefused,
    TargetGone,
)
from tests.unit.cli.fakes import FakeSession, Line


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigError("x"), 2),
        (AlreadyRunning("x"), 2),
        (EngineUnavailable("x"), 4),
        (EngineFailed("x"), 1),
        (TargetGone("x"), 1),
        (OutcomeUnknown("x"), 1),
        (StepRefused("x"), 1),
        (StateError("x"), 1),
    ],
)
def test_an_error_has_its_own_exit_status(line: Line, error: FreshdError, status: int) -> None:
    result = line("check", session=FakeSession(error=error))
    assert (result.status, result.out, result.err) == (status, "", "error: x\n")


def test_every_problem_is_one_line_and_the_hint_stands_apart(line: Line) -> None:
    error = ConfigError("freshd.toml: 2 mistakes", problems=("a.b: no", "c: bad"), hint="mend")
    result = line("check", session=FakeSession(error=error))
    assert result.err == ("error: freshd.toml: 2 mistakes\n  a.b: no\n  c: bad\n\nhint: mend\n")


def test_a_message_cannot_move_the_cursor(line: Line) -> None:
    result = line("check", session=FakeSession(error=ConfigError("bad \x1b[2J name")))
    assert result.err == "error: bad \\x1b[2J name\n"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["chek"],
        ["check", "--no-such"],
        ["diff"],
        ["inject"],
        ["rebuild", "web", "--mode", "x"],
        ["history", "--limit", "0"],
        ["status", "--watch", "--json"],
    ],
)
def test_a_mistake_in_usage_ends_with_two_and_prints_no_data(line: Line, argv: list[str]) -> None:
    result = line(*argv)
    assert (result.status, result.out) == (2, "")
    assert "Usage: freshd" in result.err


def test_a_mistyped_verb_is_suggested(line: Line) -> None:
    assert "Did you mean 'check'?" in line("chek").err


def test_an_interrupt_ends_with_130(line: Line) -> None:
    result = line("check", session=FakeSession(error=KeyboardInterrupt()))
    assert (result.status, result.err) == (130, "interrupted\n")


def test_a_bug_leaves_a_report_without_any_value_of_the_environment(line: Line) -> None:
    line.environ["FRESHD_TOKEN"] = "hunter2"
    line.environ["UNRELATED"] = "secret"
    result = line("check", "web", session=FakeSession(error=RuntimeError("boom")))
    assert result.status == 70
    (path,) = Path(line.environ["FRESHD_STATE_DIR"], "reports").iterdir()
    assert result.err == f"error: this is a bug in freshd; its report is {path}\n"
    report = path.read_text()
    assert "RuntimeError: boom" in report
    assert "['check', 'web']" in report
    assert "FRESHD_TOKEN" in report
    assert "hunter2" not in report
    assert "secret" not in report
    assert path.stat().st_mode & 0o077 == 0


def test_a_bug_where_nothing_can_be_written_prints_its_report(line: Line, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line.environ["FRESHD_STATE_DIR"] = str(tmp_path / "file" / "below")
    result = line("check", session=FakeSession(error=RuntimeError("boom")))
    assert result.status == 70
    assert "cannot be written" in result.err
    assert "RuntimeError: boom" in result.err


def freshd(*argv: str, **more: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "freshd", *argv],
        capture_output=True,
        check=False,
        env={**os.environ, **more},
    )


def test_a_reader_that_left_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "freshd", "explain", "content-differs"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_encoding_that_lacks_a_character_gets_an_escape() -> None:
    done = freshd("explain", "é", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: there is no cause named \\xe9\n")


def test_the_version_is_printed_alone() -> None:
    from freshd import __version__

    assert freshd("--version").stdout.decode() == f"freshd {__version__}\n"
