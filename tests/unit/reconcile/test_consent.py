"""Consent is to regular files as they are: read, kept, and held against what is there now."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freshd.reconcile.consent import agree, find_problem
from freshd.reconcile.context import Context
from freshd.store.store import memory_store


@pytest.mark.timeout(10)
def test_consent_opens_regular_files_only_and_a_change_of_kind_is_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 10: opening a fifo would wait for ever."""
    opened: list[object] = []
    real = os.open

    def noting(path: str, flags: int) -> int:
        opened.append(path)
        return real(path, flags)

    monkeypatch.setattr(os, "open", noting)
    files = [tmp_path / name for name in ("Dockerfile", "compose.yaml")]
    project: Any = SimpleNamespace(
        dir=str(tmp_path), name="shop", consent_files=lambda: tuple(map(str, files))
    )
    nobody: Any = None
    context = Context(
        project=project,
        engine=nobody,
        compose=nobody,
        store=memory_store(),
        locks=str(tmp_path),
        clock=lambda: 1.0,
    )
    os.mkfifo(files[0])
    (tmp_path / "real.yaml").write_text("services: {}")
    files[1].symlink_to("real.yaml")  # Compose follows it
    assert "nobody has agreed" in (find_problem(context) or "")
    agree(context)
    assert find_problem(context) is None
    assert set(opened) == {str(files[1])}
    files[0].unlink()
    files[0].write_text("FROM x")
    assert "Dockerfile changed since" in (find_problem(context) or "")
    agree(context)
    (tmp_path / "real.yaml").write_text("services: {web: {privileged: true}}")
    assert "compose.yaml changed since" in (find_problem(context) or "")

    def then_a_fifo(path: str, **rest: Any) -> os.stat_result:
        found = status(path, **rest)
        if path == str(files[1]):
            files[1].unlink()
            os.mkfifo(files[1])
        return found

    status = os.stat
    agree(context)
    monkeypatch.setattr(os, "stat", then_a_fifo)  # nobody writes to it: to wait is to hang
    problem = find_problem(context)
    monkeypatch.undo()
    assert "compose.yaml changed since" in (problem or "")
