"""The container link: one replica's observation against tree, image and freshd's own record.

In go a service's facts and one observation, out comes a ``ReplicaResult``: findings and counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from freshd.compare.comparison import ServingReplica
from freshd.compare.container.difference import Difference, finding_for
from freshd.compare.container.state import not_observed, state_findings
from freshd.compare.container.unsettled import unsettled_findings
from freshd.compare.image.leftovers import in_tree, leftovers
from freshd.compare.process.age import due_restart
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Observation
from freshd.model.observed.questions import is_serving, same_mode, source_of, visible_pairs
from freshd.model.observed.snapshot import Snapshot
from freshd.model.report import Finding


@dataclass(frozen=True, slots=True)
class ReplicaResult:
    """What was found in one replica: ``equal`` of ``compared`` mapped paths are the tree's."""

    observation: Observation
    findings: tuple[Finding, ...] = ()
    compared: int = 0
    equal: int = 0


def compare_replica(
    facts: Snapshot, observation: Observation, *, mapped: frozenset[str]
) -> ReplicaResult:
    """Compare one replica. ``mapped`` are the targets that have a source in the tree."""
    serving = ServingReplica(facts, observation.replica)
    if not is_serving(serving.replica):
        return ReplicaResult(observation)
    state = [*state_findings(serving), *due_restart(serving)]
    if observation.problem:
        state.append(not_observed(serving, observation.problem))
        return ReplicaResult(observation, findings=tuple(state))
    state += unsettled_findings(serving, observation)
    content, compared, equal = _content(facts, observation)
    extra = _extra(facts, observation, mapped)
    return ReplicaResult(
        observation, findings=(*state, *content, *extra), compared=compared, equal=equal
    )


def _content(facts: Snapshot, observation: Observation) -> tuple[list[Finding], int, int]:
    tree, files, asked = facts.tree, observation.files, observation.asked
    findings: list[Finding] = []
    compared = equal = 0
    for target, pair in visible_pairs(facts.mapping.pairs, observation.replica).items():
        want = tree.get(pair.source)
        if target not in asked or want is None or want.kind in (Kind.OTHER, Kind.UNREADABLE):
            continue
        if target in observation.unsettled:
            continue
        compared += 1
        if target in observation.same:
            equal += 1
            continue
        actual = files.get(target)
        if (
            actual is not None
            and actual.kind is want.kind
            and actual.digest == want.digest
            and ((actual.mode == want.mode and pair.mode is None) or same_mode(pair, want, actual))
        ):
            equal += 1
            continue
        image = facts.images.get(observation.replica.image_id)
        in_image = image.files.get(target) if image is not None else None
        want = want._replace(mode=_mode(pair, want, actual, in_image))
        findings.append(finding_for(Difference(facts, observation.replica, pair, want, actual)))
    return findings, compared, equal


def _mode(pair: Pair, want: Entry, actual: Entry | None, in_image: Entry | None) -> int:
    """The mode that the file is to have: the build's, but for what the tree says of executing it.

    A RUN may have taken rights from others than the owner, which the tree knows nothing of.
    """
    if pair.mode is not None:
        return pair.mode
    before = next((e for e in (actual, in_image) if e is not None and e.kind is want.kind), None)
    return before.mode if before is not None and same_mode(pair, want, before) else want.mode


def _extra(facts: Snapshot, observation: Observation, mapped: frozenset[str]) -> Iterator[Finding]:
    replica = observation.replica
    image = facts.images.get(replica.image_id)
    left = set(leftovers(facts, image, mapped)) if image is not None else set()
    left |= {
        target
        for (container_id, target), digest in facts.written.items()
        if container_id == replica.id and digest and target not in mapped
    }
    for target in sorted(left & observation.asked):
        actual = observation.files.get(target)
        mount = replica.mount_at(target)
        if in_tree(facts, target):  # no longer mapped, but not gone: ignored on purpose
            continue
        if (
            actual is None
            or actual.kind is Kind.DIR
            or (mount is not None and mount.kind == "bind")
        ):
            continue
        source = source_of(facts.mapping, target)
        pair = Pair(source=source or "", target=target, via=Via.COPY)
        yield finding_for(Difference(facts, replica, pair, None, actual))
