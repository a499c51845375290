"""What came from the tree by another hand: files that are the tree's and that freshd did not write.

In: one snapshot of a service that ``docker compose watch`` may sync as well. Out: the record
of writes, so that the next edit of such a file is no foreign change, and its end no mystery.
"""

from collections.abc import Iterable, Mapping

from freshd.model.observed.container import Observation
from freshd.model.observed.snapshot import Snapshot
from freshd.model.policy import WatchRule
from freshd.model.remedy import Remedy
from freshd.model.report import ServiceReport
from freshd.reconcile.context import Context


def adopt(context: Context, facts: Snapshot) -> None:
    """Take what a ``sync`` rule speaks of, and is equal on both sides, for written by freshd."""
    syncing = _syncing(context, facts.service)
    for observation in facts.observations if syncing else ():
        contents = brought(facts, observation, syncing)
        written, identity = facts.written, observation.replica.id
        foreign = {
            t: digest for t, digest in contents.items() if written.get((identity, t)) != digest
        }
        if foreign:
            context.store.injected_files.record(observation.replica, foreign, context.clock())
        _expect(context, facts.service, contents)


def expect_asked(context: Context, report: ServiceReport) -> None:
    """Remember what is about to be synced: a rebuild before it must not make it look unasked for.

    Called when something is done about the report, and not when it is only read.
    """
    syncing = _syncing(context, report.name)
    asked = {
        finding.target: finding.want.digest
        for finding in report.findings
        if finding.path is not None and finding.target is not None and finding.want is not None
        if any(rule.lands(finding.path) == finding.target for rule in syncing)
    }
    _expect(context, report.name, asked)


def _syncing(context: Context, service: str) -> list[WatchRule]:
    rules = context.project.policy.watched(service)
    return [rule for rule in rules if Remedy.INJECT in rule.does]


def _expect(context: Context, service: str, digests: Mapping[str, str]) -> None:
    """These belong in every container of the service from now on."""
    if not digests:
        return
    writes, project = context.store.injected_files, context.project.name
    known = writes.read_synced(project, service)
    new = {target: digest for target, digest in digests.items() if target not in known}
    if new:
        writes.record_synced(project, service, new, context.clock())


def brought(
    facts: Snapshot, observation: Observation, rules: Iterable[WatchRule]
) -> Mapping[str, str]:
    """target -> digest of what is the tree's in a container and not from its image."""
    image = facts.images.get(observation.replica.image_id)
    contents = {}
    for pair in facts.mapping.pairs:
        there, want = observation.files.get(pair.target), facts.tree.get(pair.source)
        if there is None or not pair.effective or not there.same_content(want):
            continue
        if image is None or there.same_content(image.files.get(pair.target)):
            continue
        if any(rule.lands(pair.source) == pair.target for rule in rules):
            contents[pair.target] = there.digest
    return contents
