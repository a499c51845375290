"""git's state is read off its files, worktrees included."""

import subprocess
from pathlib import Path

from freshd.tree.git import find_repository, lock_held


def git(root: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(root), *args], check=True, capture_output=True)


def test_the_lock_of_a_repository_counts_anywhere_below_its_top(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "src").mkdir()
    assert not lock_held(str(tmp_path / "src"))
    (tmp_path / ".git/index.lock").write_text("")
    assert lock_held(str(tmp_path))
    assert lock_held(str(tmp_path / "src"))


def test_a_linked_worktree_has_a_lock_of_its_own(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked"
    main.mkdir()
    git(main, "init", "-q")
    git(main, "commit", "-q", "--allow-empty", "-m", "x")
    git(main, "worktree", "add", "-q", str(linked))
    (main / ".git/index.lock").write_text("")
    assert lock_held(str(main))
    assert not lock_held(str(linked))
    found = find_repository(str(linked))
    assert found is not None
    assert found.top == str(linked)
    assert found.common == str(main / ".git")
    (main / ".git/worktrees/linked/index.lock").write_text("")
    assert lock_held(str(linked))


def test_a_submodule_is_a_repository_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    git(tmp_path, "init", "-q")
    (tmp_path / ".git/modules/sub").mkdir(parents=True)
    (tmp_path / "sub/.git").write_text("gitdir: ../.git/modules/sub\n")
    (tmp_path / ".git/modules/sub/index.lock").write_text("")
    assert lock_held(str(tmp_path / "sub"))
    assert not lock_held(str(tmp_path))


def test_without_a_repository_nothing_is_held(tmp_path: Path) -> None:
    assert find_repository(str(tmp_path)) is None
    assert not lock_held(str(tmp_path))
    (tmp_path / ".git").mkdir()  # an empty one is none
    assert find_repository(str(tmp_path)) is None
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/.git").write_text("not a git file")
    assert find_repository(str(tmp_path / "sub")) is None
