"""The names an image has below directories, told by a container of it: no content is read.

In: a running replica and directories. Out: the image's names there, or None where only the image
itself can tell.
"""

import os
from collections.abc import Collection

from freshd.engine import exec as execs
from freshd.engine.client import Engine
from freshd.errors import EngineFailed, OutcomeUnknown
from freshd.model import Replica
from freshd.observe.paths import ENGINE_FILES, KERNEL_ROOTS, any_below, is_below

_SECONDS = 30.0
_LIMIT = 64 << 20


def image_names(
    engine: Engine, replica: Replica, directories: Collection[str], *, prune: Collection[str]
) -> frozenset[str] | None:
    """Paths that are no directories; those below directories called as in ``prune`` left out.

    None when a mount or a link is in the way, something was deleted, or there is no ``find``.
    """
    if not replica.running or not prune:
        return None
    if any(
        is_below(mount.target, directory) or is_below(directory, mount.target)
        for mount in replica.mounts
        for directory in directories
    ):
        return None
    if any(
        directory == "/" or any_below(directory, KERNEL_ROOTS) or directory.split("/")[-1] in prune
        for directory in directories
    ):
        return None
    before = _find(engine, replica.id, sorted(directories), sorted(prune))
    # Read after the names: what was made before them is in it, and so is what was deleted.
    changes = engine.changes(replica.id)
    # Twice, as a file may come before the first and go before the changes are read.
    after = _find(engine, replica.id, sorted(directories), sorted(prune))
    if before is None or after is None or not before.isdisjoint(directories):
        return None
    ours = {path: kind for path, kind in changes.items() if any_below(path, directories)}
    if "deleted" in ours.values():
        return None
    added = {path for path, kind in ours.items() if kind == "added"}
    return frozenset((before & after) - added - ENGINE_FILES)


def _find(
    engine: Engine, container_id: str, directories: list[str], prune: list[str]
) -> set[str] | None:
    pruned = [word for name in prune for word in ("-o", "-name", name)][1:]
    argv = ["find", *directories, "-xdev", "-type", "d", "(", *pruned, ")", "-prune"]
    argv += ["-o", "!", "-type", "d", "-print0"]
    try:
        result = execs.run(engine, container_id, argv, timeout=_SECONDS, user="0", limit=_LIMIT)
    except (EngineFailed, OutcomeUnknown):
        return None
    if result.exit_code != 0 or result.stderr:
        return None
    return {os.fsdecode(name) for name in result.stdout.split(b"\0") if name}
