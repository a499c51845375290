"""The image link, input by input: what the build consumed against the tree and the model.

In go a service's facts, its image and the inputs that landed verbatim and differ; out comes
``build-input-changed`` and ``baked-env``, or ``build-unrecorded`` where there is no proof either
way, or nothing.
"""

from collections.abc import Iterator

from freshd.compare import evidence
from freshd.compare.finding import make_finding
from freshd.compare.image.files import Behind
from freshd.model.observed.build_label import carried
from freshd.model.observed.image import BuildRecord, ImageFacts, Trace
from freshd.model.observed.snapshot import Snapshot
from freshd.model.report import Finding
from freshd.model.text import printable


def build_findings(
    facts: Snapshot, image: ImageFacts, landed: tuple[Behind, ...], *, unclear: tuple[str, ...]
) -> tuple[Finding, ...]:
    """At most one finding of each cause. Of ``landed``, copies that differ, only inputs count.

    Build arguments are ``baked-env``'s and nobody else's. ``unclear`` are files of the image that
    may have left the tree. An image that carries another identity than the tree's, and holds all
    that lands, had another input.
    """
    if not facts.builds:
        return ()
    record = facts.record if facts.record and facts.record.image_id == image.id else None
    changed = {item.path for item in landed if item.also_input}
    left = {item.path for item in landed if item.pair is None}
    changed |= {*_changed_inputs(facts, record), *facts.edited} - left
    proved = record is not None and record.by_freshd
    differs = facts.trace is Trace.DIFFERS and not proved
    traced = facts.trace_arguments if differs else ()
    arguments = sorted({*_changed_arguments(facts, record), *traced})
    trace = differs and not traced
    findings = []
    if changed or trace:
        findings.append(_changed(facts, image, sorted(changed), trace=trace))
    if arguments:
        findings.append(_baked(facts, image, arguments))
    if findings:
        return tuple(findings)
    if facts.built_from is Trace.DIFFERS and not (landed or facts.fresh_build):
        return (_changed(facts, image, [], trace=False),)
    reasons = tuple(_doubts(facts, record, unclear))
    if not reasons and not facts.newer:
        return ()
    return (_unrecorded(facts, image, reasons),)


def _changed_inputs(facts: Snapshot, record: BuildRecord | None) -> Iterator[str]:
    if record is None:
        return
    verbatim = {pair.source for pair in facts.mapping.pairs}.union(facts.mapping.data)
    recorded = {path for path in record.inputs if path not in verbatim}
    for path in recorded.union(facts.mapping.inputs):
        before = record.inputs.get(path)
        if before is None and not record.by_freshd:
            continue  # only witnessed: an input that is not in the record is in doubt, not changed
        if before != _now(facts, path):
            yield path


def _now(facts: Snapshot, path: str) -> str | None:
    entry = facts.tree.get(path)
    return entry.digest if entry is not None else None


def _changed_arguments(facts: Snapshot, record: BuildRecord | None) -> Iterator[str]:
    if record is None:
        return
    names = set(record.args)
    if record.by_freshd:
        names |= set(facts.args)
    for name in sorted(names):
        if record.args.get(name) != facts.args.get(name):
            yield name


def _doubts(facts: Snapshot, record: BuildRecord | None, unclear: tuple[str, ...]) -> Iterator[str]:
    """Why the image cannot be called fresh, in words."""
    mapping = facts.mapping
    if not mapping.pairs and not mapping.inputs:
        yield "nothing of its build could be followed"
    if record is not None and record.by_freshd:
        yield from (printable(words) for words in mapping.lasting)
        return
    known = record.inputs if record is not None else {}
    blind = [path for path in mapping.traceless if path not in known]
    if blind:
        yield f"{len(blind)} inputs leave no trace in the image, such as {printable(min(blind))}"
    if unclear:
        first = printable(unclear[0])
        yield f"{len(unclear)} files may have left the tree or be the build's own, such as {first}"
    yield from (printable(words) for words in mapping.opaque)
    if facts.trace is Trace.UNKNOWN and record is None:
        words = printable(facts.trace_evidence)
        yield words or "its history cannot be compared with the Dockerfile"


def _changed(
    facts: Snapshot,
    image: ImageFacts,
    changed: list[str],
    *,
    trace: bool,
) -> Finding:
    what = [printable(path) for path in changed[:3]]
    if len(changed) > 3:
        what.append(f"{len(changed) - 3:,} more")
    if not what and facts.built_from is Trace.DIFFERS and not trace:
        what = ["something that leaves no trace in the image"]
    if not what:
        what = [printable(facts.trace_evidence) or "the Dockerfile"]
    state = [(path, _now(facts, path)) for path in changed]
    state += [("trace", facts.trace_evidence)] if trace else []
    label = carried(image.labels) if facts.built_from is Trace.DIFFERS else ""
    state += [("identity", label)] if label else []
    return make_finding(
        "build-input-changed",
        facts.service,
        f"the build of {facts.service} is behind: {', '.join(what)} changed since",
        paths=tuple(changed),
        evidence={
            "image": image.id,
            **evidence.paths(changed),
            "arguments": [],
            "trace": facts.trace_evidence if trace else None,
            **({"built_from": label} if label else {}),
            "drift": evidence.drift(state),
        },
    )


def _baked(facts: Snapshot, image: ImageFacts, arguments: list[str]) -> Finding:
    """An argument's value may be a secret: not even its hash leaves here."""
    names = ", ".join(printable(name) for name in arguments)
    return make_finding(
        "baked-env",
        facts.service,
        f"the image of {facts.service} was built with other values of {names}",
        evidence={
            "image": image.id,
            "arguments": list(arguments),
            "drift": evidence.drift((f"argument {name}", None) for name in arguments),
        },
    )


def _unrecorded(facts: Snapshot, image: ImageFacts, reasons: tuple[str, ...]) -> Finding:
    newer = facts.newer
    if newer:
        more = evidence.and_more(newer)
        reasons = (*reasons, f"{printable(newer[0])}{more} changed after the image was made")
    return make_finding(
        "build-unrecorded",
        facts.service,
        f"the build of {facts.service} cannot be judged: {'; '.join(reasons)}",
        paths=newer,
        evidence={
            "image": image.id,
            "reasons": list(reasons),
            **({"newer": list(newer[: evidence.SHOWN_PATHS])} if newer else {}),
        },
    )
