"""The last report of each service, as ``freshd status`` has it: what a pass found comes in.

A pass over a few files brings the last whole report up to date, until the next whole one. What
changed is logged: the verdict, and what the policy leaves as it is.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from freshd.compare.verdict import links, verdict
from freshd.config.project import Project
from freshd.daemon.log import Log
from freshd.model.plan import Plan
from freshd.model.report import LinkState, ServiceReport, Verdict
from freshd.render.documents import service_report
from freshd.render.undone import Undone, list_undone, undone_document
from freshd.store.store import Store


class StatusBoard:
    """One project's. Safe to use from several threads, as one service has one pass at a time."""

    def __init__(
        self, project: Project, store: Store, log: Log, clock: Callable[[], float] = time.time
    ) -> None:
        self._project = project
        self._store = store
        self._log = log
        self._clock = clock
        self._reports: dict[str, ServiceReport] = {}
        self._undone: dict[str, tuple[Undone, ...]] = {}

    def keep(self, report: ServiceReport, plans: Sequence[Plan], *, narrow: bool) -> None:
        """What a pass came to. A ``narrow`` one before any whole one says too little to be kept."""
        service = report.name
        before, known = self._reports.get(service), self._undone.get(service, ())
        left = list_undone(plans[-1]) if plans else ()
        if narrow:
            if before is None:
                return
            report, now = merged(before, report), tuple(dict.fromkeys((*known, *left)))
        else:
            now = left
        self._reports[service], self._undone[service] = report, now
        document = {**service_report(report), "undone": undone_document(now)}
        self._store.status.save(
            self._project.name,
            directory=self._project.dir,
            services={service: document},
            at=self._clock(),
        )
        if before is None or before.verdict is not report.verdict:
            self._log.info("verdict", service=service, verdict=report.verdict.value)
        for undone in now:
            if undone not in known:
                self._log.info("not done", service=service, **undone._asdict())


def merged(last: ServiceReport, narrow: ServiceReport) -> ServiceReport:
    """The last whole report, brought up to date by one over a few paths until the next whole one.

    Findings of the containers are replaced where the narrow report speaks of the same service and
    has none; what it says of the image is left to the next whole pass.
    """
    if narrow.verdict is Verdict.FRESH:
        return last
    known = {(f.cause, f.container_id, f.target) for f in last.findings}
    new = tuple(f for f in narrow.findings if (f.cause, f.container_id, f.target) not in known)
    findings = last.findings + new
    checked = {link for link, state in last.links.items() if state is not LinkState.UNCHECKED}
    states = links(findings, checked=checked)
    return replace(last, verdict=verdict(findings), links=states, findings=findings)
