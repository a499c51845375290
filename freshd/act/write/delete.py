"""Delete files in a container: rule 14. Only with the expected content, only by exact path.

In: changes without ``want``. Out: the tally. Directories stay, even when they are empty now, except
where a file is to replace one.
"""

import posixpath
from collections.abc import Sequence

from freshd.act import read_back
from freshd.act.ports import World
from freshd.act.tally import Tally
from freshd.act.write.prepare import resolve
from freshd.engine.container import archive
from freshd.engine.container.exec import Helper
from freshd.model.errors import EngineFailed
from freshd.model.files import Kind
from freshd.model.observed.container import Replica
from freshd.model.paths import is_below
from freshd.model.plan import FileChange


def delete(
    world: World,
    replica: Replica,
    helper: Helper | None,
    changes: Sequence[FileChange],
    tally: Tally,
    why: str,
) -> None:
    """Delete what still is what the step saw, and check that it is gone."""
    if helper is None:
        for change in changes:
            tally.fail(change.target, f"it cannot be deleted: {why}")
        return
    paths = _expected(world, replica, helper, _mapped(world, changes, tally), tally)
    if not paths:
        return
    world.journal.phase("delete", {"files": len(paths), "helper": helper.token})
    errors = helper.delete(list(paths.values()))
    left = read_back.read_facts(world.engine, replica.id, list(paths.values()), helper)
    for target, path in paths.items():
        if path in left:
            tally.fail(target, f"it is still there ({' '.join(errors.split())})")
    gone = [target for target, path in paths.items() if path not in left]
    # Kept as written empty: a file that is brought back was removed by freshd and by nobody else.
    world.written.set_many(replica.id, dict.fromkeys(gone, ""), world.clock())
    tally.deleted += len(gone)


def clear_places(
    world: World, replica: Replica, helper: Helper, changes: Sequence[FileChange], tally: Tally
) -> None:
    """Remove directories that hold no file from where ``changes`` are to write one."""
    wanted = [c.target for c in _mapped(world, changes, tally)]
    for path in resolve(world, replica, helper, wanted, tally).values():
        try:
            members = [member for member, _ in archive.get(world.engine, replica.id, path)]
        except EngineFailed:
            continue  # nothing is there any more
        if all(member.isdir() for member in members):
            names = (member.name.rstrip("/") for member in members)
            parent = posixpath.dirname(path)
            helper.remove_directories(
                sorted((posixpath.join(parent, name) for name in names), reverse=True)
            )


def _mapped(world: World, changes: Sequence[FileChange], tally: Tally) -> list[FileChange]:
    mapped = []
    for change in changes:
        if any(is_below(change.target, directory) for directory in world.directories):
            mapped.append(change)
        else:
            tally.refuse(change.target, "it is not below a mapping")
    return mapped


def _expected(
    world: World,
    replica: Replica,
    helper: Helper,
    changes: Sequence[FileChange],
    tally: Tally,
) -> dict[str, str]:
    """target -> path, of those that are right now what the step saw."""
    settled = resolve(world, replica, helper, [change.target for change in changes], tally)
    present = read_back.read_facts(world.engine, replica.id, list(settled.values()), helper)
    digests = read_back.read_digests(world.engine, replica.id, present, helper)
    expected = {}
    for change in changes:
        path = settled.get(change.target)
        if path is None:
            continue
        fact = present.get(path)
        if fact is None:
            continue  # gone already, which is all that was wanted
        known = change.seen is not None and change.seen.kind in (Kind.FILE, Kind.LINK)
        same = known and change.seen is not None and fact.kind is change.seen.kind
        if not same or change.seen is None or digests.get(path) != change.seen.digest:
            tally.refuse(change.target, "it is not what it was when the plan was made")
        else:
            expected[change.target] = path
    return expected
