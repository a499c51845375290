"""The image link, file by file: what a COPY landed against the tree.

In go a service's facts, the image in question and the observations; findings come out, at most one
of each cause, with the paths in its evidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from freshd.compare import evidence
from freshd.compare.finding import make_finding
from freshd.compare.image.leftovers import leftovers
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Observation
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.questions import same_mode, source_of
from freshd.model.observed.snapshot import Snapshot
from freshd.model.report import Finding, Level
from freshd.model.text import Json, count_files


@dataclass(frozen=True, slots=True)
class Behind:
    """One target that the image does not have as the tree does; ``pair`` None: left over."""

    path: str
    target: str
    want: Entry | None
    seen: Entry | None
    pair: Pair | None = None

    @property
    def also_input(self) -> bool:
        """Whether the build consumes the file as well, so that injecting it is not enough."""
        return self.pair is not None and self.pair.also_input


def behind(facts: Snapshot, image: ImageFacts, mapped: frozenset[str]) -> tuple[Behind, ...]:
    """Every mapped or left-over target that differs in ``image``, sorted by target."""
    tree = facts.tree
    files: dict[str, Behind] = {}
    for pair in facts.mapping.pairs:
        want, actual = tree.get(pair.source), image.files.get(pair.target)
        if want is None or want.kind in (Kind.OTHER, Kind.UNREADABLE):
            continue
        if (
            actual is not None
            and actual.digest == want.digest
            and actual.kind is want.kind
            and ((actual.mode == want.mode and pair.mode is None) or same_mode(pair, want, actual))
        ):
            continue
        if not _lands(facts, pair, actual) or (
            actual is not None and actual.kind is Kind.UNREADABLE
        ):
            continue
        if pair.mode is not None:
            want = want._replace(mode=pair.mode)
        files[pair.target] = Behind(pair.source, pair.target, want, actual, pair)
    for target in leftovers(facts, image, mapped):
        if not _hidden(facts, target):
            source = source_of(facts.mapping, target) or target
            files[target] = Behind(source, target, None, image.files[target])
    return tuple(files[target] for target in sorted(files))


def has_copies(facts: Snapshot) -> bool:
    """Whether a COPY lands anything that is seen, so that the image can be compared at all."""
    return any(pair.effective and pair.via is Via.COPY for pair in facts.mapping.pairs)


def verbatim_findings(
    facts: Snapshot, image: ImageFacts, differing: Iterable[Behind]
) -> tuple[Finding, ...]:
    """``image-behind`` (stale, or a note beside ``patched``) or ``stale-build-context``."""
    every = tuple(differing)
    if facts.fresh_build:
        return (_stale_context(facts, image, every),) if every else ()
    plain = tuple(item for item in every if not item.also_input)
    if not plain:
        return ()
    note = _all_replicas_hold(facts, plain)
    finding = make_finding(
        "image-behind",
        facts.service,
        f"the image of {facts.service} is behind the tree in {count_files(len(plain))}",
        paths=_paths(plain),
        evidence=_evidence(image, plain),
    )
    if not note:
        return (finding,)
    patched = make_finding(
        "patched",
        facts.service,
        f"containers are ahead of the image in {count_files(len(plain))}: a recreate brings the "
        "old back",
        evidence=finding.evidence,
    )
    return replace(finding, level=Level.NOTE), patched


def _stale_context(facts: Snapshot, image: ImageFacts, every: tuple[Behind, ...]) -> Finding:
    return make_finding(
        "stale-build-context",
        facts.service,
        f"the image of {facts.service} was built after the edit and still has old bytes in "
        f"{count_files(len(every))}",
        paths=_paths(every),
        evidence=_evidence(image, every),
    )


def _paths(items: tuple[Behind, ...]) -> list[str]:
    return sorted({item.path for item in items})


def _evidence(image: ImageFacts, items: tuple[Behind, ...]) -> dict[str, Json]:
    return {
        "image": image.id,
        **evidence.paths(item.path for item in items),
        "left_over": sum(item.want is None for item in items),
        "drift": evidence.drift((item.target, _state(item.want)) for item in items),
    }


def _lands(facts: Snapshot, pair: Pair, actual: Entry | None) -> bool:
    """Whether the image is expected to hold this pair's file."""
    if not pair.effective:
        # A mount hides the file, and not what the build made of it.
        return pair.also_input and pair.via is Via.COPY
    if pair.via is Via.COPY:
        return True
    # A declared file that the build brought too goes back to the build's on a recreate.
    return pair.via is Via.DECLARED and facts.builds and actual is not None


def _hidden(facts: Snapshot, target: str) -> bool:
    return any(observation.replica.mount_at(target) for observation in facts.observations)


def _all_replicas_hold(facts: Snapshot, items: tuple[Behind, ...]) -> bool:
    running = [
        observation
        for observation in facts.observations
        if observation.replica.running and not observation.replica.oneoff
    ]
    return bool(running) and all(
        _holds(observation, item) for observation in running for item in items
    )


def _holds(observation: Observation, item: Behind) -> bool:
    if observation.problem or item.target not in observation.asked:
        return False
    actual = observation.files.get(item.target)
    if item.want is None:
        return actual is None or actual.kind is Kind.DIR  # a directory took the old file's place
    if item.pair is None or actual is None:
        return False
    return item.want.same_content(actual) and same_mode(item.pair, item.want, actual)


def _state(want: Entry | None) -> str | None:
    if want is None:
        return None
    return f"{want.kind} {want.digest} {want.executable}"
