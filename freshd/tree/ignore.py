"""What of a tree is watched: nothing that git or the policy ignores, no editor's temporary files.

In: a root and the policy's ignore patterns. Out: ``WatchIgnore.skip``, made for ``walk``.
This says which changes start a pass. It does not say what is in an image: a file that git ignores
and a COPY takes is in it all the same (`dockerignore` has the build context).
"""

import os
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Final

from freshd.model.files import Kind
from freshd.model.globs.git import GitRules
from freshd.model.policy import POLICY_FILE
from freshd.tree.git import find_repository
from freshd.tree.walk import open_beneath

GITIGNORE: Final = ".gitignore"
EDITOR_TEMPORARIES: Final = (
    "*~",
    ".#*",
    "[#]*#",
    ".*.sw?",
    "*.swp",
    "*.swx",
    "4913",
    "*___jb_tmp___",
    "*___jb_old___",
    ".goutputstream-*",
    ".~lock.*#",
    ".DS_Store",
    "Thumbs.db",
)
_TEMPORARY_ENDS: Final = {glob[-1] for glob in EDITOR_TEMPORARIES if glob.startswith("*")}
_TEMPORARY_STARTS: Final = {glob.lstrip("[")[0] for glob in EDITOR_TEMPORARIES if glob[0] != "*"}
_MAX_BYTES: Final = 1 << 20


class WatchIgnore:
    """Decides path by path; below an ignored directory everything is ignored.

    The policy overrides .gitignore files: its ``!`` lines bring a path back.

    Ignore files are read when a directory is first asked about; call ``reload`` after one changed.
    """

    def __init__(self, root: str, *, policy: Iterable[str] = ()) -> None:
        self._root = os.path.abspath(root)
        self._policy = GitRules(policy)
        self.reload()

    def reload(self) -> None:
        """Forget what the ignore files said."""
        self._files: dict[str, GitRules | None] = {}
        self._directories: dict[str, bool] = {"": False}
        self._above: list[tuple[str, GitRules]] = self._rules_above()

    def skip(self, path: str, kind: Kind) -> bool:
        """Whether ``path`` (relative to the root) itself is left out; for a walk that prunes."""
        return self._ignored_itself(path, directory=kind in (Kind.DIR, Kind.UNREADABLE))

    def ignored(self, path: str, *, directory: bool = False) -> bool:
        """Whether ``path`` or a directory above it is left out; for events."""
        parent = path.rpartition("/")[0]
        return self._directory_ignored(parent) or self._ignored_itself(path, directory=directory)

    def concerns(self, path: str) -> bool:
        """Whether ``path`` is an ignore file, so that its change calls for ``reload``."""
        return path.rpartition("/")[2] == GITIGNORE

    def files_read(self) -> list[str]:
        """Ignore files below the root that were asked for so far, whether they exist or not."""
        return [os.path.join(path, GITIGNORE) for path in self._files]

    def _directory_ignored(self, path: str) -> bool:
        known = self._directories.get(path)
        if known is not None:
            return known
        unknown = [path]
        while (above := unknown[-1].rpartition("/")[0]) not in self._directories:
            unknown.append(above)
        ignored = self._directories[above]
        for each in reversed(unknown):  # a tree can be deeper than calls may nest
            ignored = ignored or self._ignored_itself(each, directory=True)
            self._directories[each] = ignored
        return ignored

    def _ignored_itself(self, path: str, *, directory: bool) -> bool:
        name = path.rpartition("/")[2]
        if name == ".git" or _is_editor_temporary(name):
            return True
        decision = self._policy.decide(path, directory=directory)
        if decision is None:
            decision = self._git_decides(path, directory=directory)
        return bool(decision)

    def _git_decides(self, path: str, *, directory: bool) -> bool | None:
        """The innermost ignore file that matches the path decides."""
        base = path.rpartition("/")[0]
        while True:
            rules = self._rules_in(base)
            if rules is not None:
                below = path[len(base) + 1 :] if base else path
                decision = rules.decide(below, directory=directory)
                if decision is not None:
                    return decision
            if not base:
                break
            base = base.rpartition("/")[0]
        for prefix, rules in self._above:
            decision = rules.decide(prefix + path, directory=directory)
            if decision is not None:
                return decision
        return None

    def _rules_in(self, directory: str) -> GitRules | None:
        if directory not in self._files:
            self._files[directory] = _load(os.path.join(self._root, directory, GITIGNORE))
        return self._files[directory]

    def _rules_above(self) -> list[tuple[str, GitRules]]:
        loaded = ((prefix, _load(file)) for file, prefix in list_ignore_files_above(self._root))
        return [(prefix, rules) for prefix, rules in loaded if rules is not None]


def list_ignore_files_above(root: str) -> Iterator[tuple[str, str]]:
    """(file, prefix): git's ignore files from above ``root`` to its repository's top, then its own.

    ``prefix`` makes a path below ``root`` one as the file sees it.
    """
    repository = find_repository(root)
    if repository is None:
        return
    directory, prefix = os.path.abspath(root), ""
    while directory != repository.top:
        prefix = f"{os.path.basename(directory)}/{prefix}"
        directory = os.path.dirname(directory)
        yield os.path.join(directory, GITIGNORE), prefix
    yield os.path.join(repository.common, "info", "exclude"), prefix


def never_code(path: str) -> bool:
    """Whether a file is nobody's code, though a COPY may take it along.

    That is what git keeps for itself, an editor's temporary files, freshd's own policy, and the
    bytecode that Python makes again from the source beside it: they come and go, and a container
    without them is not stale.
    """
    above, _, name = path.rpartition("/")
    return (
        name == ".git"
        or name == POLICY_FILE
        or _is_editor_temporary(name)
        or (name.endswith(".pyc") and above.rpartition("/")[2] == "__pycache__")
        or (".git" in above and ".git" in above.split("/"))
    )


@cache
def _editors() -> GitRules:
    return GitRules(EDITOR_TEMPORARIES)


def _is_editor_temporary(name: str) -> bool:
    """First and last character rule out nearly every name."""
    if name[:1] not in _TEMPORARY_STARTS and name[-1:] not in _TEMPORARY_ENDS:
        return False
    return _matches_temporary(name)


@lru_cache(maxsize=16_384)
def _matches_temporary(name: str) -> bool:
    return bool(_editors().decide(name, directory=False))


def read_ignore_lines(path: str) -> list[str] | None:
    """The lines of an ignore file; None where there is none that can be read.

    Git does not follow a link for one either, and what is no regular file is not opened.
    """
    directory, name = os.path.split(path)
    try:
        fd = open_beneath(directory, name)
    except OSError:
        return None
    try:
        content = os.read(fd, _MAX_BYTES)
    except OSError:
        return None
    finally:
        os.close(fd)
    return os.fsdecode(content).removeprefix("\ufeff").split("\n")


def _load(path: str) -> GitRules | None:
    lines = read_ignore_lines(path)
    return None if lines is None else GitRules(lines)
