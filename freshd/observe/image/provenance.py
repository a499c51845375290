"""What is known of the build that an image came from: freshd's record of it, and its history.

In: a service's facts and the image in question. Out: the same facts with trace and record. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from freshd.mapping.dockerfile.history import HistoryVerdict, compare_history
from freshd.mapping.dockerfile.infer import Inference
from freshd.mapping.dockerfile.replay.onbuild import find_unseen_trigger
from freshd.model.mapping import Via
from freshd.model.observed.build_label import carried, identity
from freshd.model.observed.image import BuildRecord, Fetched, ImageFacts, Trace
from freshd.model.observed.snapshot import Snapshot
from freshd.observe.service_maps import differing


@dataclass(frozen=True, slots=True)
class BuildHistory:
    """What an image's history says of the Dockerfile. ``unseen`` are triggers of its base that it
    does not show, ``fetched`` the layers that a network had a part in. ``settled`` is what could
    not be followed in the Dockerfile, and the image tells.
    """

    verdict: HistoryVerdict = field(default_factory=lambda: HistoryVerdict(Trace.UNKNOWN))
    unseen: tuple[str, ...] = ()
    fetched: tuple[Fetched, ...] = ()
    settled: frozenset[str] = frozenset()


def read_history(inference: Inference | None, image: ImageFacts) -> BuildHistory:
    """Nothing is known of a service without a local build."""
    if inference is None:
        return BuildHistory()
    verdict = told_by_history(inference, image)
    unseen = filter(None, [find_unseen_trigger(inference, image.history)])
    fetched = tuple(_fetched(inference, image, verdict.trace))
    # An image that has every line of the Dockerfile has been asked for every file that these bring:
    # what its base says of where they go is seen, though the base itself is not here.
    told = verdict.trace is Trace.EQUAL and any(pair.record for pair in inference.pairs)
    settled = frozenset({inference.base_unseen} if told and inference.base_unseen else ())
    return BuildHistory(verdict, tuple(unseen), fetched, settled)


class BuildHistories:
    """The histories of the services of one project, each read once for a map and an image."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Inference | None, str, BuildHistory]] = {}

    def read(self, service: str, inference: Inference | None, image: ImageFacts) -> BuildHistory:
        known = self._known.get(service)
        if known is None or known[0] is not inference or known[1] != image.id:
            known = self._known[service] = (inference, image.id, read_history(inference, image))
        return known[2]


def with_build(
    facts: Snapshot,
    image: ImageFacts,
    history: BuildHistory,
    *,
    record: BuildRecord | None,
    narrow: bool,
) -> Snapshot:
    """The facts with what the record and the image's history tell of its build.

    ``narrow``: the facts have a part of the map only, and a file that is not in it is no input.
    """
    mapping, unseen = facts.mapping, history.unseen
    built_from = Trace.UNKNOWN
    if record is None and not narrow:
        record, built_from = _told_by_label(facts, image)
    if record is not None and narrow:
        known = {pair.source for pair in facts.mapping.pairs}.union(facts.mapping.inputs)
        inputs = {path: digest for path, digest in record.inputs.items() if path in known}
        record = replace(record, inputs=inputs)
    return replace(
        facts,
        mapping=replace(
            mapping,
            opaque=(*(words for words in mapping.opaque if words not in history.settled), *unseen),
            lasting=(*mapping.lasting, *unseen),
        ),
        record=record,
        trace=history.verdict.trace,
        trace_evidence=history.verdict.evidence,
        trace_arguments=history.verdict.arguments,
        built_from=built_from,
        fresh_build=record is not None and _built_from(record, facts, image),
        fetched=history.fetched,
    )


def _fetched(inference: Inference, image: ImageFacts, trace: Trace) -> Iterator[Fetched]:
    """The history ends with the lines of the final chain, one each, unless it is another file's."""
    steps, history = inference.final, image.history
    if trace is Trace.DIFFERS or len(steps) > len(history):
        return
    for step, line in zip(steps, history[len(history) - len(steps) :], strict=True):
        command = inference.fetching.get(step.line, "")
        if command and line.created_at > 0:
            yield Fetched(step.line, command, line.created_at)


def _told_by_label(facts: Snapshot, image: ImageFacts) -> tuple[BuildRecord | None, Trace]:
    """A record of the build where the image carries the identity of the tree as it is now."""
    label = carried(image.labels)
    if not label:
        return None, Trace.UNKNOWN
    copied = {pair.source for pair in facts.mapping.pairs if pair.via is Via.COPY}
    wanted = copied.union(facts.mapping.inputs)
    inputs = {path: facts.tree[path].digest for path in wanted & facts.tree.keys()}
    if label != identity(inputs, facts.args):
        return None, Trace.DIFFERS
    return BuildRecord(image.id, facts.service, inputs, facts.args), Trace.EQUAL


def _built_from(record: BuildRecord, facts: Snapshot, image: ImageFacts) -> bool:
    """Whether the build had the very content that its image does not hold: a stale context.

    A mode is not in the record: a chmod since the build is a chmod.
    """
    odd = set(differing(facts.mapping.pairs, facts.tree, image))
    pairs = [pair for pair in facts.mapping.pairs if pair.target in odd]
    wanted = [(facts.tree[pair.source], pair) for pair in pairs if pair.source in facts.tree]
    return bool(wanted) and all(
        not want.same_content(image.files.get(pair.target))
        and record.inputs.get(pair.source) == want.digest
        for want, pair in wanted
    )


def told_by_history(inference: Inference, image: ImageFacts) -> HistoryVerdict:
    """Whether the image's history tells of this Dockerfile, and why not.

    Equal lines prove nothing of what leaves none there, such as the RUNs of an earlier stage.
    """
    verdict = compare_history(
        inference.final,
        image.history,
        base_history=inference.base_history,
        flags_shown=image.flags_shown,
    )
    if verdict.trace is Trace.EQUAL and inference.untraced:
        evidence = f"{'; '.join(inference.untraced)} does not show in the image"
        return HistoryVerdict(Trace.UNKNOWN, evidence)
    return verdict
