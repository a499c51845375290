"""Files whose source has left the tree: an image's files and who wrote them in, targets out.

A generated file is not a leftover, so proof is asked for: the layer that wrote the path last is a
COPY or ADD of this Dockerfile that brings nothing but the tree's files. One from an earlier stage
brings what was made there too, and a base image's own COPY wrote none of ours: no proof.
"""

from collections import Counter
from collections.abc import Collection

from freshd.model.files import Kind
from freshd.model.mapping import ServiceMap
from freshd.model.observed.image import CLASSIC, ImageFacts, is_copy
from freshd.model.observed.questions import source_of
from freshd.model.observed.snapshot import Snapshot


def leftovers(facts: Snapshot, image: ImageFacts, mapped: frozenset[str]) -> tuple[str, ...]:
    """Targets, sorted, that ``image`` has from a COPY and the tree has no more.

    ``mapped`` are the targets of today's mapping.
    """
    proofs = _proofs(facts.mapping, image, mapped)
    return _written_by(proofs, facts, image, mapped)


def unclear(facts: Snapshot, image: ImageFacts, mapped: frozenset[str]) -> tuple[str, ...]:
    """Targets, sorted, that have left the tree or came with a COPY from elsewhere: who knows."""
    mixed = facts.mapping.copy_lines.keys() - _proofs(facts.mapping, image, mapped)
    return _written_by(mixed, facts, image, mapped)


def _written_by(
    lines: Collection[str], facts: Snapshot, image: ImageFacts, mapped: frozenset[str]
) -> tuple[str, ...]:
    writers = image.writers
    below = tuple(directory.rstrip("/") + "/" for directory in facts.mapping.copied_into)
    if not writers or not below or not lines:
        return ()
    return tuple(
        sorted(
            target
            for target, entry in image.files.items()
            if target not in mapped
            and target.startswith(below)
            and entry.kind in (Kind.FILE, Kind.LINK)
            and writers.get(target, "") in lines
            and not in_tree(facts, target)
        )
    )


def in_tree(facts: Snapshot, target: str) -> bool:
    """Whether the tree has, or may have, the source: below an unreadable directory nothing left."""
    source = source_of(facts.mapping, target)
    if source is None:
        return bool(facts.mapping.unread)  # a place that cannot be read may be where it is
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


def _proofs(mapping: ServiceMap, image: ImageFacts, mapped: frozenset[str]) -> frozenset[str]:
    """COPY lines that brought the tree's files and no others; one that occurs twice proves nothing.

    The classic builder's lines do not name the sources: they are ours by what they wrote.
    """
    ours = {line for line, verbatim in mapping.copy_lines.items() if verbatim}
    if all(mapping.copy_lines.values()):
        writers = image.writers or {}
        classic = {line for target, line in writers.items() if target in mapped}
        ours |= {line for line in classic if CLASSIC in line and is_copy(line)}
    times = Counter(entry.created_by for entry in image.history)
    return frozenset(line for line in ours if times[line] < 2)
