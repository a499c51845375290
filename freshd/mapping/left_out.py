"""Which line of an ignore file leaves a path out: a path in; file, line number and pattern out.

``WatchIgnore`` decides quickly and does not keep why; here one path is asked about, and a test
holds both to the same answer.
"""

import os
from collections.abc import Iterator, Sequence

from freshd.model.globs.git import GitRules
from freshd.model.verbs.explanation import IgnoredBy
from freshd.tree.dockerignore import DockerIgnore
from freshd.tree.ignore import (
    EDITOR_TEMPORARIES,
    GITIGNORE,
    list_ignore_files_above,
    read_ignore_lines,
)


def explain_watch_ignore(
    root: str, path: str, *, policy: Sequence[str] = (), directory: bool = False
) -> IgnoredBy | None:
    """Why changes of ``path`` (relative to ``root``) raise no event; None: they do."""
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        part = "/".join(parts[:end])
        ignored = _explain_path(root, part, policy, directory=directory or end < len(parts))
        if ignored is not None:
            return ignored
    return None


def explain_context_ignore(ignore: DockerIgnore, file: str, path: str) -> IgnoredBy | None:
    """Why ``path`` (relative to the context) is not sent to the builder; None: it is."""
    pattern = ignore.deciding(path)
    if pattern is None or pattern.negated:
        return None
    return IgnoredBy(path, pattern.text, file, pattern.line)


def _explain_path(
    root: str, path: str, policy: Sequence[str], *, directory: bool
) -> IgnoredBy | None:
    name = path.rpartition("/")[2]
    if name == ".git":
        return IgnoredBy(path, ".git", builtin=True)
    temporary = _find_line(EDITOR_TEMPORARIES, name, directory=False)
    if temporary is not None:
        return IgnoredBy(path, temporary[1], builtin=True)
    own = _find_line(policy, path, directory=directory)
    if own is not None:
        return None if own[2] else IgnoredBy(path, own[1])
    for file, below in _git_files(root, path):
        line = _find_line(read_ignore_lines(file) or (), below, directory=directory)
        if line is not None:
            return None if line[2] else IgnoredBy(path, line[1], file, line[0])
    return None


def _find_line(lines: Sequence[str], path: str, *, directory: bool) -> tuple[int, str, bool] | None:
    """(number, pattern, whether it is a ``!`` pattern) of the last line that matches the path."""
    for number in range(len(lines), 0, -1):
        decision = GitRules([lines[number - 1]]).decide(path, directory=directory)
        if decision is not None:
            return number, lines[number - 1].strip(), not decision
    return None


def _git_files(root: str, path: str) -> Iterator[tuple[str, str]]:
    """Ignore files that may match ``path``, innermost first, and the path as each sees it."""
    base = path.rpartition("/")[0]
    while True:
        yield os.path.join(root, base, GITIGNORE), path[len(base) + 1 :] if base else path
        if not base:
            break
        base = base.rpartition("/")[0]
    for file, prefix in list_ignore_files_above(root):
        yield file, prefix + path
