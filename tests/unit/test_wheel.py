"""The wheel holds what a running freshd looks for: its code, the pages, the unit and the agent."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_the_unit_and_the_agent_as_they_are(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = tmp_path.iterdir()
    with zipfile.ZipFile(path) as wheel:
        for name in ("systemd/freshd.service", "launchd/dev.freshd.plist"):
            inside = f"freshd/data/{Path(name).name}"
            assert wheel.read(inside) == (ROOT / name).read_bytes()
        names = set(wheel.namelist())
    code = {each.relative_to(ROOT).as_posix() for each in (ROOT / "freshd").rglob("*.py")}
    pages = {each.relative_to(ROOT).as_posix() for each in (ROOT / "freshd").rglob("*.toml")}
    assert pages
    assert code | pages <= names
