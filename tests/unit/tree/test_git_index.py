"""git's index, against what git itself says of it."""

import os
import subprocess
from pathlib import Path

import pytest

from freshd.tree.git import find_repository
from freshd.tree.git_index import is_blob, read_tracked


def git(directory: Path, *argv: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *argv],
        cwd=directory,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_every_regular_file_with_its_blob(tmp_path: Path, version: str) -> None:
    names = ["a", "app/main.py", "app/main_test.py", "app/lib/x", "é", "z" * 200]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(name)
    os.symlink("a", tmp_path / "link")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    (tmp_path / "later").write_text("later")
    git(tmp_path, "add", "-N", "later")  # an extended entry
    git(tmp_path, "update-index", "--index-version", version)
    repository = find_repository(str(tmp_path))
    assert repository is not None
    found = read_tracked(repository)
    assert set(found) == {*names, "later"}
    for name in names:
        assert found[name].blob == git(tmp_path, "hash-object", name).strip()
        assert is_blob(name.encode(), found[name])
        assert not is_blob(b"other", found[name])
        assert found[name].size == len(name.encode())


def test_line_ends_that_git_normalises_are_no_edit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_bytes(b"1\n2\n")
    git(tmp_path, "add", "a")
    repository = find_repository(str(tmp_path))
    assert repository is not None
    assert is_blob(b"1\r\n2\r\n", read_tracked(repository)["a"])


@pytest.mark.parametrize(
    "content", [b"", b"DIRC", b"DIRC\0\0\0\x09\0\0\0\x01", b"DIRC\0\0\0\x02\0\0\0\x01"]
)
def test_an_index_that_cannot_be_read_tells_nothing(tmp_path: Path, content: bytes) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".git" / "index").write_bytes(content)
    repository = find_repository(str(tmp_path))
    assert repository is not None
    assert read_tracked(repository) == {}
