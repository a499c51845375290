"""The names an image has below directories, reported by a container of it: no content is read.

In: a running replica and directories. Out: the image's names there, or None where only the image
itself can tell.
"""

import os
from collections.abc import Collection

from freshd.engine.client import Engine
from freshd.engine.container import exec as execs
from freshd.model.errors import EngineFailed, OutcomeUnknown
from freshd.model.observed.container import Replica
from freshd.model.paths import ancestors, is_below
from freshd.observe.container.exec_output import STAMPS_FORMAT, is_before, latest_ns
from freshd.observe.container.exec_output import names as names_of
from freshd.observe.paths import ENGINE_FILES, any_below, of_kernel

_SECONDS = 30.0
_LIMIT = 64 << 20
# The stamps come after the names: they hold for them. No path holds "//".
_NAMES_AND_STAMPS = f"""
export LC_ALL=C
find "$@" -o ! -type d -print0 && printf "//\\000" &&
find "$@" -o -type d -exec stat -c "{STAMPS_FORMAT}" -- {{}} + &&
exec xargs -0 stat -c "{STAMPS_FORMAT}" --
"""


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
        directory == "/" or of_kernel(directory) or directory.split("/")[-1] in prune
        for directory in directories
    ):
        return None
    asked = sorted(directories), sorted(prune)
    before, youngest = _names_and_stamp(engine, replica.id, *asked)
    if before is None:
        before = _find(engine, replica.id, *asked)
    if before is None or not before.isdisjoint(directories):
        return None
    if youngest is not None and is_before(youngest, replica):
        return frozenset(before - ENGINE_FILES)
    # Read after the names: what was made before them is in it, and so is what was deleted.
    changes = engine.changes(replica.id)
    # Twice, as a file may come before the first and go before the changes are read.
    after = _find(engine, replica.id, *asked)
    if after is None or not after.isdisjoint(directories):
        return None
    ours = {path: kind for path, kind in changes.items() if any_below(path, directories)}
    if "deleted" in ours.values():
        return None
    added = {path for path, kind in ours.items() if kind == "added"}
    return frozenset((before & after) - added - ENGINE_FILES)


def _names_and_stamp(
    engine: Engine, container_id: str, directories: list[str], prune: list[str]
) -> tuple[set[str] | None, int | None]:
    """The names, and the youngest stamp (ns) of their directories and of those above.

    Where every one of these is older than the container, so are the names: see ``unchanged``.
    """
    above = {parent for directory in directories for parent in ancestors(directory)}
    argv = ["sh", "-c", _NAMES_AND_STAMPS, "sh", *_below(directories, prune)]
    stdin = names_of([*directories, *sorted(above)])
    try:
        result = execs.run(
            *(engine, container_id, argv), stdin=stdin, timeout=_SECONDS, user="0", limit=_LIMIT
        )
    except (EngineFailed, OutcomeUnknown):
        return None, None
    names, end, stamps = result.stdout.rpartition(b"//\0")
    words = stamps.decode("ascii", "replace").split()
    if result.exit_code or result.stderr or not end or not words:
        return None, None
    try:
        return {os.fsdecode(name) for name in names.split(b"\0") if name}, max(
            map(latest_ns, words)
        )
    except ValueError:
        return None, None


def _below(directories: list[str], prune: list[str]) -> list[str]:
    """What two kinds of ``find`` begin with."""
    pruned = [word for name in prune for word in ("-o", "-name", name)][1:]
    return [*directories, "-xdev", "-type", "d", "(", *pruned, ")", "-prune"]


def _find(
    engine: Engine, container_id: str, directories: list[str], prune: list[str]
) -> set[str] | None:
    argv = ["find", *_below(directories, prune), "-o", "!", "-type", "d", "-print0"]
    try:
        result = execs.run(engine, container_id, argv, timeout=_SECONDS, user="0", limit=_LIMIT)
    except (EngineFailed, OutcomeUnknown):
        return None
    if result.exit_code != 0 or result.stderr:
        return None
    return {os.fsdecode(name) for name in result.stdout.split(b"\0") if name}
