"""Incidents become notices: one when a service parts from its tree, one when it is back.

The store remembers open incidents, so a restart of freshd repeats nothing. ``unverifiable``
neither opens nor closes: it says nothing is known.
"""

from collections.abc import Callable

from freshd.model.report import ServiceReport, Verdict
from freshd.notify.outbox import Notice
from freshd.store.markers import Incidents

_LINES: int = 3


class IncidentNotices:
    """``notify`` takes a notice and returns at once."""

    def __init__(self, incidents: Incidents, notify: Callable[[Notice], None]) -> None:
        self._incidents = incidents
        self._notify = notify

    def report(self, project: str, report: ServiceReport, *, at: float, todo: str = "") -> None:
        """After a pass. ``todo`` says what is left for a person, such as a remedy not allowed."""
        if report.verdict is Verdict.STALE:
            lines = [finding.message for finding in report.findings if finding.level == "stale"]
            self.opened(project, report.name, text=_few(lines, todo), at=at)
        elif report.verdict is Verdict.FRESH:
            self.closed(project, report.name, at=at)

    def opened(self, project: str, service: str, *, text: str, at: float) -> bool:
        """True when this opened an incident and a notice went out."""
        if not self._incidents.open(project, service, text=text, at=at):
            return False
        self._notify(Notice(_key(project, service), f"{project}: {service} runs old code", text))
        return True

    def closed(self, project: str, service: str, *, at: float) -> bool:
        """True when this closed an incident and a notice went out."""
        incident = self._incidents.close(project, service)
        if incident is None:
            return False
        lasted = _duration(at - incident.opened_at)
        self._notify(
            Notice(
                _key(project, service), f"{project}: {service} is fresh again", f"after {lasted}"
            )
        )
        return True

    def validated(self, project: str, verdict: Verdict, text: str) -> None:
        """The weekly validation has an end; reported whatever it came to."""
        words = {Verdict.UNVERIFIABLE: "cannot be proved fresh"}.get(verdict, verdict.value)
        self._notify(Notice(f"validation:{project}", f"{project}: weekly check: {words}", text))

    def stopped(self, project: str, service: str, reason: str, *, at: float) -> None:
        """A remedy went round in circles and will not be done any more; it is the incident too."""
        title = f"{project}: freshd has stopped repairing {service}"
        self._incidents.open(project, service, text=reason, at=at)
        self._notify(Notice(_key(project, service), title, reason))

    def halted(self, project: str, service: str | None, reason: str) -> None:
        """A suspected accident: nothing is done until a person has looked."""
        title = f"{project}: freshd has stopped" + (f" for {service}" if service else "")
        body = f"{reason}\nlook, then: freshd resume"
        self._notify(Notice(f"halt:{_key(project, service or '')}", title, body, urgent=True))


def _key(project: str, service: str) -> str:
    return f"{project}/{service}"


def _few(lines: list[str], todo: str) -> str:
    shown = lines[:_LINES]
    if len(lines) > _LINES:
        shown.append(f"and {len(lines) - _LINES} more findings")
    if todo:
        shown.append(todo)
    return "\n".join(shown)


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min"
    return f"{whole // 3600} h"
