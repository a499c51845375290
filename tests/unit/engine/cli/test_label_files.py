"""What builds of a killed freshd left behind goes, and nothing that may be another's."""

import json
import os
import tempfile
from pathlib import Path

import pytest

from freshd.engine.cli.compose import sweep_label_files

OURS = json.dumps({"services": {"web": {"build": {"labels": {"a": "b"}}}}})
DEAD = 2**22 + 1  # no process has such a number


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_only_a_dead_process_s_own_label_file_goes(place: Path) -> None:
    dead = place / f"freshd-labels-{DEAD}-x.yaml"
    stays = {
        f"freshd-labels-{os.getpid()}-x.yaml": OURS,
        f"freshd-labels-{DEAD}-y.yaml": "services: {}",
        f"freshd-labels-{DEAD}-z.yaml": json.dumps({"services": {"web": {"image": "x"}}}),
        "freshd-labels-notes.yaml": OURS,
        f"other-{DEAD}-x.yaml": OURS,
    }
    dead.write_text(OURS)
    for name, text in stays.items():
        (place / name).write_text(text)
    (place / "mine").write_text(OURS)
    (place / f"freshd-labels-{DEAD}-link.yaml").symlink_to("mine")
    os.mkfifo(place / f"freshd-labels-{DEAD}-fifo.yaml")
    assert sweep_label_files() == 1
    assert not dead.exists()
    assert all((place / name).exists() for name in stays)
    assert (place / "mine").exists()
