"""A command line to run, with a state directory of its own."""

from pathlib import Path

import pytest

from tests.unit.cli.fakes import Line


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Line:
    names = ("CONFIG", "STATE", "RUNTIME")
    directories = {f"FRESHD_{name}_DIR": str(tmp_path / name.lower()) for name in names}
    return Line(capsys, {**directories, "TERM": "xterm"})
