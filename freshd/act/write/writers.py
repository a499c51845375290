"""Who changes files in a container: its own user wherever that one may, else root.

In: a replica. Out: the kept shells of both. freshd then does nothing for the programs of such a
container that these could not do by themselves: rule 19.
"""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from freshd.engine.client import Engine
from freshd.engine.container.shell_output import FileFacts
from freshd.engine.container.shell_session import ShellSession
from freshd.model.errors import EngineFailed, OutcomeUnknown
from freshd.model.observed.container import Replica


@dataclass(frozen=True, slots=True)
class Writers:
    """``root`` looks, and writes where the other may not; ``own`` is the container's user, None
    where that is root or cannot run the shell.
    """

    root: ShellSession
    own: ShellSession | None = None

    def own_may_write(self, directory: FileFacts | None) -> bool:
        """Whether the container's user may make and rename names in it; unknown ones: perhaps."""
        if self.own is None:
            return False
        return directory is None or self.own.identity.may_write(directory)

    def list(self, directory: str) -> tuple[str, ...]:
        """The names in a directory that either of them may list."""
        for shell in filter(None, (self.root, self.own)):
            if names := shell.list(directory):
                return names
        return ()

    def remove(
        self, paths: Sequence[str], above: Mapping[str, FileFacts], *, directories: bool = False
    ) -> str:
        """Removes files by exact path, or empty directories; "" or what failed.

        ``above`` has the facts of the directories that they lie in.
        """
        problems = []
        for directory, group in groupby(paths, posixpath.dirname):
            names = list(group)
            for shell in self._in_order(above.get(directory)):
                remove = shell.remove_directories if directories else shell.delete
                if not (problem := remove(names)):
                    break
                problems.append(problem)
        return "\n".join(problems)

    def _in_order(self, directory: FileFacts | None) -> tuple[ShellSession, ...]:
        if self.own is not None and self.own_may_write(directory):
            return (self.own, self.root)
        return (self.root,) if self.own is None else (self.root, self.own)


def open_writers(engine: Engine, replica: Replica) -> tuple[Writers | None, str]:
    """Of a running container; None and why where nothing can be done by commands in it.

    Raises TargetGone, EngineFailed (paused), OutcomeUnknown.
    """
    if not replica.running:
        return None, f"the container is {replica.state}"
    root = engine.shell(replica.id)
    if not root.available:
        return None, root.why
    return Writers(root, open_own(engine, replica)), ""


def open_own(engine: Engine, replica: Replica) -> ShellSession | None:
    """The kept shell of the container's user; None where that is root or has none."""
    if replica.user.partition(":")[0] in ("", "0", "root"):
        return None
    try:
        own = engine.shell(replica.id, user=replica.user)
    except (EngineFailed, OutcomeUnknown):
        return None  # no such user in the container's passwd
    return own if own.available and own.identity.uid not in (0, -1) else None
