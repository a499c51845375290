"""Findings in, verdicts and link states out: the worst level wins, and notes never do."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from freshd.catalog.causes.registry import get_cause
from freshd.model.report import Finding, Level, LinkName, LinkState, ServiceReport, Verdict


def verdict(findings: Iterable[Finding], *, strict: bool = False) -> Verdict:
    """The worst level among the findings; with ``strict`` a note counts as stale."""
    levels = {finding.level for finding in findings}
    if Level.STALE in levels or (strict and Level.NOTE in levels):
        return Verdict.STALE
    return Verdict.UNVERIFIABLE if Level.UNVERIFIABLE in levels else Verdict.FRESH


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a whole: stale, else unverifiable, else fresh (also of nothing)."""
    every = set(verdicts)
    for candidate in (Verdict.STALE, Verdict.UNVERIFIABLE):
        if candidate in every:
            return candidate
    return Verdict.FRESH


def strictly(report: ServiceReport) -> ServiceReport:
    """The same report with notes counted as stale."""
    containers = tuple(
        replace(
            replica,
            verdict=verdict(
                (f for f in report.findings if f.container_id == replica.id), strict=True
            ),
        )
        for replica in report.containers
    )
    return replace(report, verdict=verdict(report.findings, strict=True), containers=containers)


def links(
    findings: Sequence[Finding], *, checked: Collection[LinkName]
) -> Mapping[LinkName, LinkState]:
    """The state of every link; one without a finding is fresh only where it was ``checked``."""
    return {link: _state(findings, link, checked=link in checked) for link in LinkName}


def _state(findings: Sequence[Finding], link: LinkName, *, checked: bool) -> LinkState:
    ours = [finding for finding in findings if _concerns(finding, link)]
    if any(f.level is Level.STALE or get_cause(f.cause).keeps_link_stale for f in ours):
        return LinkState.STALE
    if any(f.level is Level.UNVERIFIABLE for f in ours):
        return LinkState.UNVERIFIABLE
    return LinkState.FRESH if checked else LinkState.UNCHECKED


def _concerns(finding: Finding, link: LinkName) -> bool:
    """What is not known of a source in the tree leaves both links in doubt."""
    doubt = finding.level is Level.UNVERIFIABLE
    in_tree = doubt and finding.container_id is None and bool(finding.path)
    return finding.link is link or (in_tree and link in (LinkName.IMAGE, LinkName.CONTAINER))
