"""After a kill in the middle of an injection: which of its files did land.

In: the step that was interrupted, with all its files, and the phases it went through. Out: targets
and digests to record as written, so that the next edit of a file that landed is no foreign change.
"""

from collections.abc import Callable, Sequence

from freshd.act import read_back
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container.exec import Helper
from freshd.model.errors import EngineFailed
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Replica
from freshd.model.plan import FileChange, Step
from freshd.store.journal import Phase

Read = Callable[[str], tuple[Entry, bytes]]


def landed(
    engine: Engine, replica: Replica, step: Step, phases: Sequence[Phase], *, read: Read
) -> dict[str, str]:
    """target -> digest ("" for a delete that was carried out), as read back from the container.

    Only what is exactly what the step was to leave; and, of files that were written in place, a
    beginning of it, which nobody else would have left there. ``read`` gives a tree file's entry
    and bytes. Nothing may be at it still: see ``recovery``.
    """
    began = {phase.name for phase in phases}
    writes = [c for c in step.files if c.want is not None and began & {"put", "rename", "verify"}]
    deletes = [c for c in step.files if c.want is None and "delete" in began]
    targets = [change.target for change in (*writes, *deletes)]
    if not targets:
        return {}
    helper = _helper(engine, replica)
    present = read_back.facts(engine, replica.id, targets, helper)
    digests = read_back.digests(engine, replica.id, present, helper)
    found = {change.target: "" for change in deletes if change.target not in present}
    in_place = any(phase.data.get("in_place") for phase in phases)
    for change in writes:
        fact, want = present.get(change.target), change.want
        if fact is None or want is None or fact.kind is not want.kind:
            continue
        digest = digests.get(change.target, "")
        torn = in_place and fact.size < want.size
        if digest == want.digest or (torn and _is_beginning(engine, replica, change, read)):
            found[change.target] = digest
    return found


def _helper(engine: Engine, replica: Replica) -> Helper | None:
    if not replica.running:
        return None
    helper = engine.helper(replica.id)
    return helper if helper.available else None


def _is_beginning(engine: Engine, replica: Replica, change: FileChange, read: Read) -> bool:
    """Whether the file is what a cut-off upload leaves: less than all of what was to be written."""
    if change.want is None or change.source is None or change.want.kind is not Kind.FILE:
        return False
    try:
        entry, content = read(change.source)
    except OSError:
        return False
    if not entry.same_content(change.want):
        return False  # the tree has moved on: nobody can tell any more
    try:
        for _, reader in archive.get(engine, replica.id, change.target):
            return content.startswith(reader.read()) if reader is not None else False
    except EngineFailed:
        pass  # it went away between two looks
    return False
