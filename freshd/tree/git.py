"""Where a tree stands in git, read off its files: no git process is ever started.

In: a directory. Out: its repository's top and git directory, and whether git is at work on it.
"""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repository:
    """``top`` is the work tree, ``directory`` its own git directory, ``common`` the shared one.

    The last two differ in a linked worktree, whose ``.git`` is a file.
    """

    top: str
    directory: str
    common: str


def find_repository(path: str) -> Repository | None:
    """The git repository that ``path`` lies in, or None."""
    top = os.path.abspath(path)
    while True:
        directory = _git_directory(top)
        if directory is not None:
            return Repository(top, directory, _common(directory))
        parent = os.path.dirname(top)
        if parent == top:
            return None
        top = parent


def lock_held(root: str) -> bool:
    """Whether git is rewriting the work tree or index of ``root`` now (``index.lock`` exists)."""
    repository = find_repository(root)
    return repository is not None and os.path.lexists(
        os.path.join(repository.directory, "index.lock")
    )


def _git_directory(top: str) -> str | None:
    path = os.path.join(top, ".git")
    if os.path.isdir(path):
        # an empty .git directory is no repository; HEAD is what git itself looks for
        return path if os.path.lexists(os.path.join(path, "HEAD")) else None
    text = _first_line(path)
    if text is None or not text.startswith("gitdir:"):
        return None
    return os.path.normpath(os.path.join(top, text.removeprefix("gitdir:").strip()))


def _common(directory: str) -> str:
    text = _first_line(os.path.join(directory, "commondir"))
    return directory if text is None else os.path.normpath(os.path.join(directory, text.strip()))


def _first_line(path: str) -> str | None:
    if not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline(4096).rstrip("\n")
    except OSError:
        return None
