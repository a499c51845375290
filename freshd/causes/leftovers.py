"""Files whose source has left the tree: an image's files and who wrote them in, targets out.

A generated file is not a leftover, so proof is asked for: the layer that wrote the path last is a
COPY or ADD that also wrote a file which is mapped today. A base image's own COPY into the same
directory wrote none of ours, and gives no proof.
"""

from collections import Counter

from freshd.causes.history import is_copy
from freshd.causes.mounts import is_below
from freshd.model import ImageFacts, Kind, ServiceFacts, ServiceMap


def leftovers(facts: ServiceFacts, image: ImageFacts, mapped: frozenset[str]) -> tuple[str, ...]:
    """Targets, sorted, that ``image`` has from a COPY and the tree has no more.

    ``mapped`` are the targets of today's mapping.
    """
    writers = image.writers
    below = tuple(directory.rstrip("/") + "/" for directory in facts.mapping.copied_into)
    if not writers or not below:
        return ()
    candidates = [
        target
        for target, entry in image.files.items()
        if target not in mapped
        and target.startswith(below)
        and entry.kind in (Kind.FILE, Kind.LINK)
    ]
    ours = _our_lines(image, mapped) if candidates else frozenset()
    return tuple(
        target
        for target in sorted(candidates)
        if writers.get(target, "") in ours and not in_tree(facts, target)
    )


def source_of(mapping: ServiceMap, target: str) -> str | None:
    """The tree path that ``target`` would come from; None where no COPY directory contains it."""
    best = max(
        (directory for directory in mapping.origins if is_below(target, directory)),
        key=len,
        default=None,
    )
    if best is None:
        return None
    rest = target[len(best.rstrip("/")) + 1 :]
    origin = mapping.origins[best].rstrip("/")
    return rest if origin in ("", ".") else f"{origin}/{rest}"


def in_tree(facts: ServiceFacts, target: str) -> bool:
    """Whether the tree has, or may have, the source: below an unreadable directory nothing left."""
    source = source_of(facts.mapping, target)
    if source is None:
        return False
    here = facts.tree.get(source)
    if here is not None and here.kind is not Kind.DIR:  # a directory there now is another thing
        return True
    parent = source
    while "/" in parent:
        parent = parent.rpartition("/")[0]
        entry = facts.tree.get(parent)
        if entry is not None and entry.kind is Kind.UNREADABLE:
            return True
    return False


def _our_lines(image: ImageFacts, mapped: frozenset[str]) -> frozenset[str]:
    """The COPY lines of this Dockerfile; a line that occurs twice proves nothing."""
    writers = image.writers or {}
    lines = {line for target, line in writers.items() if target in mapped and is_copy(line)}
    times = Counter(entry.created_by for entry in image.history)
    return frozenset(line for line in lines if times[line] < 2)
