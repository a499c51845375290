"""Which line leaves a path out, for people who wonder: file, number, pattern.

``WatchIgnore`` decides quickly and forgets why; here one path is asked about, and a test holds both
to the same answer.
"""

import os
from collections.abc import Iterator, Sequence

from freshd.model.verbs.whereabouts import IgnoredBy
from freshd.tree.dockerignore import DockerIgnore
from freshd.tree.git import repository_of
from freshd.tree.ignore import EDITOR_TEMPORARIES, GITIGNORE, IgnoreRules, lines_of


def watch_ignores(
    root: str, path: str, *, policy: Sequence[str] = (), directory: bool = False
) -> IgnoredBy | None:
    """Why changes of ``path`` (relative to ``root``) raise no event; None: they do."""
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        part = "/".join(parts[:end])
        found = _itself(root, part, policy, directory=directory or end < len(parts))
        if found is not None:
            return found
    return None


def context_ignores(ignore: DockerIgnore, file: str, path: str) -> IgnoredBy | None:
    """Why ``path`` (relative to the context) is not sent to the builder; None: it is."""
    pattern = ignore.deciding(path)
    if pattern is None or pattern.negated:
        return None
    return IgnoredBy(path, pattern.text, file, pattern.line)


def _itself(root: str, path: str, policy: Sequence[str], *, directory: bool) -> IgnoredBy | None:
    name = path.rpartition("/")[2]
    if name == ".git":
        return IgnoredBy(path, ".git", builtin=True)
    litter = _deciding(EDITOR_TEMPORARIES, name, directory=False)
    if litter is not None:
        return IgnoredBy(path, litter[1], builtin=True)
    own = _deciding(policy, path, directory=directory)
    if own is not None:
        return None if own[2] else IgnoredBy(path, own[1])
    for file, below in _git_files(root, path):
        said = _deciding(lines_of(file) or (), below, directory=directory)
        if said is not None:
            return None if said[2] else IgnoredBy(path, said[1], file, said[0])
    return None


def _deciding(lines: Sequence[str], path: str, *, directory: bool) -> tuple[int, str, bool] | None:
    """(line, pattern, whether it takes back in) of the last line that names the path."""
    for number in range(len(lines), 0, -1):
        decision = IgnoreRules([lines[number - 1]]).decide(path, directory=directory)
        if decision is not None:
            return number, lines[number - 1].strip(), not decision
    return None


def _git_files(root: str, path: str) -> Iterator[tuple[str, str]]:
    """Ignore files that speak of ``path``, the innermost first, and the path as each knows it."""
    base = path.rpartition("/")[0]
    while True:
        yield os.path.join(root, base, GITIGNORE), path[len(base) + 1 :] if base else path
        if not base:
            break
        base = base.rpartition("/")[0]
    found = repository_of(root)
    if found is None:
        return
    directory, prefix = os.path.abspath(root), ""
    while directory != found.top:
        prefix = f"{os.path.basename(directory)}/{prefix}"
        directory = os.path.dirname(directory)
        yield os.path.join(directory, GITIGNORE), prefix + path
    yield os.path.join(found.common, "info", "exclude"), prefix + path
