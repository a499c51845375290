"""Delete files in a container: rule 14. Only with the expected content, only by exact path, and
nothing that the container needs to start again.

And rule 10: only where the tree is proved, right before, to have the file no more.
In: changes without ``want``. Out: the tally. Directories stay, even when they are empty now, except
where a file is to replace one.
"""

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from freshd.act import read_back
from freshd.act.ports import World
from freshd.act.tally import Tally
from freshd.act.write.needed import find_needed
from freshd.act.write.prepare import resolve
from freshd.act.write.writers import Writers
from freshd.engine.container import archive
from freshd.engine.container.shell_output import FileFacts
from freshd.engine.container.shell_session import ShellSession
from freshd.model.errors import EngineFailed
from freshd.model.files import Kind
from freshd.model.observed.container import Replica
from freshd.model.paths import is_below
from freshd.model.plan import FileChange

if TYPE_CHECKING:
    from freshd.model.text import Json


def delete(
    world: World,
    replica: Replica,
    writers: Writers | None,
    changes: Sequence[FileChange],
    tally: Tally,
    why: str,
) -> None:
    """Delete what still is what the step saw, and check that it is gone."""
    if writers is None:
        for change in changes:
            tally.fail(change.target, f"it cannot be deleted: {why}")
        return
    expected = _expected(world, replica, writers.root, _mapped(world, changes, tally), tally)
    needed = find_needed(world.engine, replica, writers.root, expected.values())
    for target in [target for target, path in expected.items() if path in needed]:
        tally.refuse(target, needed[expected.pop(target)])
    proved = [*_proved(world, expected, tally)]
    expected = {target: expected[target] for target in proved}
    if not expected:
        return
    data: dict[str, Json] = {"files": len(expected), "helper": writers.root.token}
    data["own_helper"] = writers.own.token if writers.own is not None else ""
    world.journal.phase("delete", data)
    paths = list(expected.values())
    errors = writers.remove(paths, read_above(world, replica, writers, paths))
    left = read_back.read_facts(world.engine, replica.id, paths, writers.root)
    for target, path in expected.items():
        if path in left:
            said = " ".join(errors.split())
            tally.fail(target, f"it is still there ({said}), and only commands in it can delete")
    gone = [target for target, path in expected.items() if path not in left]
    # Kept as written empty: a file that is brought back was removed by freshd and by nobody else.
    world.written.set_many(replica.id, dict.fromkeys(gone, ""), world.clock())
    tally.deleted += len(gone)


def clear_places(
    world: World, replica: Replica, writers: Writers, changes: Sequence[FileChange], tally: Tally
) -> None:
    """Remove directories that hold no file from where ``changes`` are to write one."""
    wanted = [c.target for c in _mapped(world, changes, tally)]
    for path in resolve(world, replica, writers.root, wanted, tally).values():
        try:
            members = [member for member, _ in archive.get(world.engine, replica.id, path)]
        except EngineFailed:
            continue  # nothing is there any more
        if find_needed(world.engine, replica, writers.root, [path]):
            continue  # the write is refused then: it is a directory
        if all(member.isdir() for member in members):
            names = (member.name.rstrip("/") for member in members)
            parent = posixpath.dirname(path)
            paths = sorted((posixpath.join(parent, name) for name in names), reverse=True)
            above = read_above(world, replica, writers, paths)
            writers.remove(paths, above, directories=True)


def read_above(
    world: World, replica: Replica, writers: Writers, paths: Sequence[str]
) -> dict[str, FileFacts]:
    """The directories that ``paths`` lie in; read only where it matters who may write to them."""
    if writers.own is None:
        return {}
    directories = [*dict.fromkeys(map(posixpath.dirname, paths))]
    return read_back.read_facts(world.engine, replica.id, directories, writers.root)


def _proved(world: World, targets: Iterable[str], tally: Tally) -> Iterator[str]:
    for target in targets:
        doubt = world.doubt_absence(target)
        if doubt:
            tally.refuse(target, f"nothing proves that it has left the tree: {doubt}")
        else:
            yield target


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
    shell: ShellSession,
    changes: Sequence[FileChange],
    tally: Tally,
) -> dict[str, str]:
    """target -> path, of those that are right now what the step saw."""
    settled = resolve(world, replica, shell, [change.target for change in changes], tally)
    present = read_back.read_facts(world.engine, replica.id, list(settled.values()), shell)
    digests = read_back.read_digests(world.engine, replica.id, present, shell)
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
