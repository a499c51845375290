"""Exit codes of verdicts, and what ``--strict`` makes of a report. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from freshd.model.plan import Plan
from freshd.model.report import Level, ProjectReport, ServiceReport, Verdict

EXIT_CODES = {Verdict.FRESH: 0, Verdict.STALE: 1, Verdict.UNVERIFIABLE: 3}


def strict(report: ProjectReport) -> ProjectReport:
    """The same report with notes counted as stale: a ``patched`` service is then not fresh.

    Findings keep their level; only the verdicts change.
    """
    services = tuple(_strict(service) for service in report.services)
    stale = any(service.verdict is Verdict.STALE for service in services)
    return replace(report, services=services, verdict=Verdict.STALE if stale else report.verdict)


def _strict(report: ServiceReport) -> ServiceReport:
    notes = [finding for finding in report.findings if finding.level is Level.NOTE]
    if not notes:
        return report
    named = {note.container for note in notes}
    return replace(
        report,
        verdict=Verdict.STALE,
        containers=tuple(
            replace(container, verdict=Verdict.STALE) if container.name in named else container
            for container in report.containers
        ),
    )


def plans_exit_code(plans: Iterable[Plan]) -> int:
    """0: nothing differs; 1: something is stale; 3: nothing is stale, something is unverifiable."""
    every = list(plans)
    levels = {finding.level for plan in every for finding, _ in plan.notices}
    if any(plan.steps for plan in every) or Level.STALE in levels:
        return EXIT_CODES[Verdict.STALE]
    return EXIT_CODES[Verdict.UNVERIFIABLE if Level.UNVERIFIABLE in levels else Verdict.FRESH]
