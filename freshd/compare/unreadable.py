"""What could not be read, on either side: nothing is known of it, and that is said."""

from collections.abc import Iterator
from dataclasses import replace

from freshd.compare import evidence
from freshd.compare.comparison import Comparison
from freshd.compare.finding import make_finding
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Via
from freshd.model.observed.questions import source_of
from freshd.model.report import Finding, LinkName
from freshd.model.text import count_files, printable

UNREADABLE = "unreadable"


def reason_of(path: str, where: str, entry: Entry) -> str:
    """The message of a finding on one path."""
    reason = printable(entry.reason) or "no reason given"
    return f"{printable(path)} in {where} could not be read: {reason}"


def unreadable_in_image(comparison: Comparison) -> Iterator[Finding]:
    """One finding for every mapped path that the image holds and that could not be read there."""
    image, mapping = comparison.image, comparison.facts.mapping
    if image is None:
        return
    closed = {path for path, entry in image.files.items() if entry.kind is Kind.UNREADABLE}
    if not closed:
        return
    copies = (pair for pair in mapping.pairs if pair.effective and pair.via is Via.COPY)
    targets = [pair.target for pair in copies if pair.target in closed]
    if targets:
        count = count_files(len(targets))
        yield make_finding(
            UNREADABLE,
            comparison.service,
            f"{count} of the image of {comparison.service} could not be read",
            link=LinkName.IMAGE,
            evidence={"image": image.id, **evidence.paths(targets)},
        )


def unread_places(comparison: Comparison) -> Iterator[Finding]:
    """What the build, a mount or a rule names, and nothing is known of what it holds."""
    for path, reason in comparison.facts.mapping.unread.items():
        yield make_finding(
            UNREADABLE,
            comparison.service,
            f"{printable(path)} in the tree could not be read: {printable(reason)}",
            path=path,
            evidence={"reason": reason},
        )


def unproven_leftovers(comparison: Comparison) -> Iterator[Finding]:
    """Files of a COPY that nothing maps any more, and of which the tree cannot be asked."""
    facts = comparison.facts
    if facts.mapping.unread:
        return  # that is said already, and is why
    reasons: dict[str, str] = {}
    for image in facts.images.values():
        for target in image.files.keys() - comparison.mapped:
            source = source_of(facts.mapping, target)
            entry = facts.tree.get(source) if source is not None else None
            if source is not None and entry is not None and entry.kind is Kind.UNREADABLE:
                reasons[source] = entry.reason
    if reasons:
        first = min(reasons)
        yield make_finding(
            UNREADABLE,
            comparison.service,
            f"{printable(first)}{evidence.and_more(sorted(reasons))} may have left the tree, which "
            f"could not be read there: {printable(reasons[first])}",
            path=first,
            evidence={"reason": reasons[first], **evidence.paths(reasons)},
        )


def unreadable_in_tree(comparison: Comparison) -> Iterator[Finding]:
    """Every source and input of the build that could not be read."""
    tree, mapping = comparison.facts.tree, comparison.facts.mapping
    sources = {pair.source for pair in mapping.pairs}.union(mapping.inputs) & tree.keys()
    for path in sorted(path for path in sources if tree[path].kind is Kind.UNREADABLE):
        finding = make_finding(
            UNREADABLE,
            comparison.service,
            reason_of(path, "the tree", tree[path]),
            path=path,
            evidence={"reason": tree[path].reason},
        )
        yield replace(finding, want=tree[path])


FINDERS = (unreadable_in_image, unreadable_in_tree, unread_places, unproven_leftovers)
