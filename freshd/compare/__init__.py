"""Compare: what is known of one service in, its findings, links and verdict out. Pure.

``container`` compares each replica, ``image`` the files and ``build`` the inputs of the image,
``verdict`` sums up. ``registry`` says what each cause means.
"""

from collections.abc import Callable, Iterator

from freshd.compare.config import config_findings
from freshd.compare.container.arrangement import hidden_packages, mismatched, shadowed
from freshd.compare.container.replica import ReplicaResult, compare_replica
from freshd.compare.image.build import aged_layers, build_findings
from freshd.compare.image.files import behind, has_copies, unreadable_in_image, verbatim_findings
from freshd.compare.image.leftovers import unclear
from freshd.compare.image.origin import (
    base_behind,
    built_elsewhere,
    derived_behind,
    forbidden,
    tag_contention,
)
from freshd.compare.process.age import running_findings
from freshd.compare.process.bytecode import bytecode_findings
from freshd.compare.process.log_signatures import signature_findings
from freshd.compare.process.probes import probe_findings
from freshd.compare.process.upstreams import upstream_moved
from freshd.compare.surroundings import surrounding_findings
from freshd.compare.verdict import links, strictly, verdict, worst
from freshd.model.files import Kind
from freshd.model.observed.questions import image_of, is_serving
from freshd.model.observed.runtime import ReplicaRuntime, RuntimeFacts
from freshd.model.observed.snapshot import ServiceFacts
from freshd.model.report import Finding, Level, LinkName, ReplicaReport, ServiceReport
from freshd.model.text import printable

__all__ = ["compare", "compare_image", "strictly", "verdict", "worst"]

_OTHER_BUILD = frozenset({"build-input-changed", "baked-env"})
_LINK_ORDER = {link: index for index, link in enumerate(LinkName)}


def compare(facts: ServiceFacts, runtime: RuntimeFacts | None = None) -> ServiceReport:
    """Compare tree, image and containers of one service.

    Without ``runtime``, as in a narrowed look, nothing is said of how the containers were made.
    A service that was never created, or whose containers are all done with exit code 0, has no
    finding and no checked link.
    """
    mapped = frozenset(pair.target for pair in facts.mapping.pairs if pair.source in facts.tree)
    results = [compare_replica(facts, seen, mapped=mapped) for seen in facts.observations]
    serving = [result for result in results if is_serving(result.observation.replica)]
    image = _image_findings(facts, mapped) if serving else None
    findings = [finding for result in serving for finding in result.findings]
    if serving:
        findings += [*(image or ()), *_unreadable_sources(facts)]
        findings += _of_runtime(facts, serving, runtime or RuntimeFacts())
        if not any(finding.cause in _OTHER_BUILD for finding in findings):
            findings += base_behind(facts, None if runtime is None else runtime.base)
        findings += [*tag_contention(facts, findings)]
        if runtime is not None:
            findings += [*built_elsewhere(facts.service, runtime.around.elsewhere, findings)]
    if runtime is not None:  # what is beside it is told also where nothing of it serves
        findings += surrounding_findings(facts.service, runtime.around)
    findings.sort(key=_reading_order)
    return ServiceReport(
        name=facts.service,
        verdict=verdict(findings),
        patched=any(finding.cause == "patched" for finding in findings),
        links=links(
            findings,
            image_checked=image is not None,
            container_checked=_container_checked(facts, serving),
            process_checked=_all_observed(serving, runtime, lambda seen: seen.running),
            config_checked=_all_observed(serving, runtime, lambda seen: seen.config),
        ),
        containers=tuple(_replica_report(result) for result in results),
        findings=tuple(findings),
    )


def compare_image(facts: ServiceFacts) -> ServiceReport:
    """Compare tree and image of one service; of its containers nothing is said."""
    mapped = frozenset(pair.target for pair in facts.mapping.pairs if pair.source in facts.tree)
    image = _image_findings(facts, mapped)
    findings = sorted([*(image or ()), *_unreadable_sources(facts)], key=_reading_order)
    return ServiceReport(
        name=facts.service,
        verdict=verdict(findings),
        patched=False,
        links=links(
            findings,
            image_checked=image is not None,
            container_checked=False,
            process_checked=False,
            config_checked=False,
        ),
        containers=(),
        findings=tuple(findings),
    )


def _image_findings(facts: ServiceFacts, mapped: frozenset[str]) -> tuple[Finding, ...] | None:
    """None: there is no image, or nothing about it to check."""
    image = image_of(facts)
    if image is None or not (facts.builds or has_copies(facts)):
        return None
    differing = behind(facts, image, mapped)
    landed = () if facts.fresh_build else differing
    return (
        *verbatim_findings(facts, image, differing),
        *build_findings(facts, image, landed, unclear=unclear(facts, image, mapped)),
        *unreadable_in_image(facts, image),
    )


def _of_runtime(
    facts: ServiceFacts, serving: list[ReplicaResult], runtime: RuntimeFacts
) -> Iterator[Finding]:
    replicas = [result.observation.replica for result in serving]
    yield from mismatched(facts, replicas)
    yield from shadowed(facts, replicas)
    yield from forbidden(facts.service, runtime.forbidden)
    yield from derived_behind(facts.service, runtime.outdated)
    yield from aged_layers(facts.service, runtime.aged)
    for replica in replicas:
        seen = runtime.replica(replica.id)
        yield from hidden_packages(facts.service, replica, seen.hidden)
        if seen.config is not None:
            tag = facts.tag_image
            other = tag is not None and tag.id != replica.image_id
            yield from config_findings(facts.service, replica, seen.config, other_image=other)
        if seen.running is not None:
            yield from running_findings(facts.service, replica, seen.running)
        yield from upstream_moved(facts.service, replica, seen.moved)
        yield from bytecode_findings(facts, replica, seen.bytecode)
        yield from probe_findings(facts.service, replica, seen.answers)
        yield from signature_findings(facts.service, replica, seen.logged)


def _all_observed(
    serving: list[ReplicaResult],
    runtime: RuntimeFacts | None,
    part: Callable[[ReplicaRuntime], object],
) -> bool:
    """Whether ``part`` is known of every serving replica, and there is one."""
    if runtime is None or not serving:
        return False
    seen = (runtime.replica(result.observation.replica.id) for result in serving)
    return all(part(record) is not None for record in seen)


def _container_checked(facts: ServiceFacts, serving: list[ReplicaResult]) -> bool:
    if not serving:
        return False
    return not facts.mapping.pairs or any(result.compared for result in serving)


def _replica_report(result: ReplicaResult) -> ReplicaReport:
    replica = result.observation.replica
    return ReplicaReport(
        id=replica.id,
        name=replica.name,
        verdict=verdict(result.findings),
        compared=result.compared,
        equal=result.equal,
    )


def _unreadable_sources(facts: ServiceFacts) -> Iterator[Finding]:
    sources = {pair.source for pair in facts.mapping.pairs}.union(facts.mapping.inputs)
    seen = {path: facts.tree[path] for path in sources & facts.tree.keys()}
    closed = {path: entry for path, entry in seen.items() if entry.kind is Kind.UNREADABLE}
    for path, entry in sorted(closed.items()):
        yield Finding(
            cause="unreadable",
            level=Level.UNVERIFIABLE,
            link=LinkName.CONTAINER,
            service=facts.service,
            message=f"{printable(path)} in the tree could not be read: "
            f"{printable(entry.reason) or 'no reason given'}",
            path=path,
            want=entry,
            evidence={"reason": entry.reason},
        )


def _reading_order(finding: Finding) -> tuple[int, str, str, str]:
    return (
        _LINK_ORDER[finding.link],
        finding.container or "",
        finding.path or finding.target or "",
        finding.cause,
    )
