"""Compare: what is known of one service in, its findings, links and verdict out. Pure.

``image``, ``container``, ``process`` and ``config`` have the finders of their link, ``unreadable``
those of what could not be read, ``verdict`` sums up. What a finder is says ``comparison``; what a
cause means says ``freshd.catalog.causes``.
"""

from collections.abc import Collection, Iterable, Sequence

from freshd.catalog.causes.registry import get_cause
from freshd.compare import config, container, image, process, unreadable
from freshd.compare.comparison import Comparison, Finder, ServingReplica
from freshd.compare.container.replica import ReplicaResult, compare_replica
from freshd.compare.image.files import has_copies
from freshd.compare.verdict import links, strictly, verdict, worst
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.questions import image_of, is_serving
from freshd.model.observed.runtime import RuntimeFacts
from freshd.model.observed.snapshot import Snapshot
from freshd.model.report import Finding, Level, LinkName, ReplicaReport, ServiceReport

__all__ = ["compare", "compare_image", "strictly", "verdict", "worst"]

_OF_IMAGE: Sequence[Finder] = (*image.FINDERS, *unreadable.FINDERS)
_FINDERS: Sequence[Finder] = (
    *_OF_IMAGE, *container.FINDERS, *process.FINDERS, *config.FINDERS,
)  # fmt: skip
_BESIDE: Sequence[Finder] = (*image.BESIDE, *container.BESIDE)
_LINK_ORDER = {link: index for index, link in enumerate(LinkName)}


def compare(facts: Snapshot, runtime: RuntimeFacts | None = None) -> ServiceReport:
    """Compare tree, image and containers of one service.

    Without ``runtime``, as in a narrowed pass, nothing is said of how the containers were made.
    A service that was never created, or whose containers are all done with exit code 0, has no
    finding but of what is beside it, and no checked link.
    """
    runtime = runtime or RuntimeFacts()
    mapped = _mapped(facts)
    results = [
        compare_replica(facts, observation, mapped=mapped) for observation in facts.observations
    ]
    serving = [result for result in results if is_serving(result.observation.replica)]
    replicas = (result.observation.replica for result in serving)
    comparison = Comparison(
        facts,
        mapped,
        _checked_image(facts) if serving else None,
        runtime,
        tuple(ServingReplica(facts, replica, runtime.replica(replica.id)) for replica in replicas),
    )
    findings = [finding for result in serving for finding in result.findings]
    findings += _find(comparison, _FINDERS if serving else ())
    findings += _find(comparison, _BESIDE)
    return _report(comparison, findings, results, checked=_checked(comparison, serving))


def compare_image(facts: Snapshot) -> ServiceReport:
    """Compare tree and image of one service; of its containers nothing is said."""
    comparison = Comparison(facts, _mapped(facts), _checked_image(facts))
    checked = {LinkName.IMAGE} if comparison.image is not None else set()
    return _report(comparison, _find(comparison, _OF_IMAGE), (), checked=checked)


def _mapped(facts: Snapshot) -> frozenset[str]:
    return frozenset(pair.target for pair in facts.mapping.pairs if pair.source in facts.tree)


def _checked_image(facts: Snapshot) -> ImageFacts | None:
    return image_of(facts) if facts.builds or has_copies(facts) else None


def _find(comparison: Comparison, finders: Iterable[Finder]) -> list[Finding]:
    return [finding for find in finders for finding in find(comparison)]


def _checked(comparison: Comparison, serving: Sequence[ReplicaResult]) -> set[LinkName]:
    """The links that there is something to check by."""
    pairs, runtimes = comparison.facts.mapping.pairs, [r.runtime for r in comparison.replicas]
    if not serving:
        return set()
    checked = {
        LinkName.IMAGE: comparison.image is not None,
        LinkName.CONTAINER: not pairs or any(result.compared for result in serving),
        LinkName.PROCESS: all(runtime.running is not None for runtime in runtimes),
        LinkName.CONFIG: all(runtime.config is not None for runtime in runtimes),
    }
    return {link for link, holds in checked.items() if holds}


def _report(
    comparison: Comparison,
    findings: Iterable[Finding],
    results: Iterable[ReplicaResult],
    *,
    checked: Collection[LinkName],
) -> ServiceReport:
    reported = sorted(_reported(list(findings)), key=_reading_order)
    return ServiceReport(
        name=comparison.service,
        verdict=verdict(reported),
        patched=any(get_cause(finding.cause).marks_patched for finding in reported),
        links=links(reported, checked=checked),
        containers=tuple(_replica_report(result) for result in results),
        findings=tuple(reported),
    )


def _reported(findings: Sequence[Finding]) -> Iterable[Finding]:
    """Without what others settle, and without reasons why the image is not right where it is."""
    settled = {slug for finding in findings for slug in get_cause(finding.cause).settles}
    questioned = any(map(_questions_image, findings))
    for finding in findings:
        needless = get_cause(finding.cause).explains_image and not questioned
        if finding.cause not in settled and not needless:
            yield finding


def _questions_image(finding: Finding) -> bool:
    ours = finding.link is LinkName.IMAGE or get_cause(finding.cause).questions_image
    return ours and finding.level is Level.STALE


def _replica_report(result: ReplicaResult) -> ReplicaReport:
    replica = result.observation.replica
    return ReplicaReport(
        id=replica.id,
        name=replica.name,
        verdict=verdict(result.findings),
        compared=result.compared,
        equal=result.equal,
    )


def _reading_order(finding: Finding) -> tuple[int, str, str, str]:
    return (
        _LINK_ORDER[finding.link],
        finding.container or "",
        finding.path or finding.target or "",
        finding.cause,
    )
