"""What came from the tree by another hand: files that are the tree's and that freshd did not write.

In: what one look saw of a service that ``docker compose watch`` may sync as well. Out: the record
of writes, so that the next edit of such a file is no foreign change, and its end no mystery.
"""

from collections.abc import Iterable, Mapping

from freshd.context import Context
from freshd.model import Observation, Remedy, ServiceFacts
from freshd.policy.rules import WatchRule


def adopt(context: Context, facts: ServiceFacts) -> None:
    """Take what a ``sync`` rule speaks of, and is equal on both sides, for written by freshd."""
    rules = context.project.policy.watched(facts.service)
    syncing = [rule for rule in rules if Remedy.INJECT in rule.does]
    for seen in facts.observations if syncing else ():
        found = brought(facts, seen, syncing)
        if found:
            context.store.writes.record(seen.replica, found, context.clock())


def brought(
    facts: ServiceFacts, seen: Observation, rules: Iterable[WatchRule]
) -> Mapping[str, str]:
    """target -> digest of what neither the replica's image nor freshd's record explains."""
    image = facts.images.get(seen.replica.image_id)
    found = {}
    for pair in facts.mapping.pairs:
        there, want = seen.files.get(pair.target), facts.tree.get(pair.source)
        if there is None or not pair.effective or not there.same_content(want):
            continue
        if image is None or there.same_content(image.files.get(pair.target)):
            continue
        if facts.written.get((seen.replica.id, pair.target)) == there.digest:
            continue
        if any(rule.lands(pair.source) == pair.target for rule in rules):
            found[pair.target] = there.digest
    return found
