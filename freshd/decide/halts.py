"""Suspected accidents: the tree before and after a batch of changes in, a reason to halt out.

An unmounted disk and a deleted checkout look like a very large edit. Nothing may follow from them
until a person has looked (``freshd resume``).
"""

from freshd.model.observed.tree_size import TreeSize

_MANY = 20


def halt_reason(before: TreeSize | None, after: TreeSize) -> str | None:
    """Why nothing should be done now, in words; None when the change looks like work.

    Halts when the root vanished, was emptied or was replaced by another directory, and when more
    than half of the files, and more than 20, are gone at once. A tree that was never there before
    cannot have vanished, nor one of which nothing is known (None). Where the project was reached
    by a link that leads elsewhere now, only a freshd that is started again knows that tree.
    """
    if after.moved_to:
        return f"the path of the project leads to {after.moved_to} now: start freshd again"
    if before is None:
        return None
    if not before.root_exists:
        return None
    if not after.root_exists:
        return "the project directory has vanished"
    if after.root_empty and not before.root_empty:
        return "the project directory is empty"
    if None not in (before.identity, after.identity) and before.identity != after.identity:
        return "the project directory was replaced by another one"
    gone = before.files - after.files
    if gone > _MANY and gone * 2 > before.files:
        return f"{gone:,} of {before.files:,} mapped files are gone at once"
    return None
