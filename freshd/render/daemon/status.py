"""What ``freshd status`` shows: the chain per service, the daemon, halts, incidents.

In: values of the store. Out: ``Line`` tuples or one document.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freshd.model.daemon_state import DaemonState
from freshd.model.report import LinkState, ServiceReport, Verdict
from freshd.model.text import printable
from freshd.render.daemon.validations import status_line, validation_document
from freshd.render.documents import SCHEMA, Document, service_report
from freshd.render.report import STYLES, finding_lines, headline, service_row, unchecked_everywhere
from freshd.render.undone import Undone, undone_document
from freshd.render.words import Line, ago, columns, count, iso, shown

if TYPE_CHECKING:
    from freshd.store.markers import Halt, Incident
    from freshd.store.validations import Validation

_LONGEST_SILENCE = 60.0
"""Seconds; a daemon writes every 5 that it is there."""


@dataclass(frozen=True, slots=True)
class SavedReport:
    """One service's last report, when (seconds) it was made, and what was not done about it."""

    report: ServiceReport
    checked_at: float
    undone: tuple[Undone, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """Everything ``freshd status`` shows; ``running`` is whether the daemon is alive now.

    ``project`` is "" while nobody could read it. ``not_watched`` is why the process that watches
    all configured projects does not watch this one, "" where it does or there is none.
    ``silent_for`` is since when, in seconds, the daemon has written nothing.
    """

    project: str
    directory: str
    services: "tuple[SavedReport, ...]" = ()
    daemon: DaemonState | None = None
    running: bool = False
    halts: "tuple[Halt, ...]" = ()
    incidents: "tuple[Incident, ...]" = ()
    validation: "Validation | None" = None
    not_watched: str = ""
    silent_for: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """The worst of the services' verdicts; without any, nothing is proved.

        Nor is anything fresh while a daemon runs that does not look at it.
        """
        every = {service.report.verdict for service in self.as_proved}
        if Verdict.STALE in every:
            return Verdict.STALE
        return Verdict.FRESH if every == {Verdict.FRESH} else Verdict.UNVERIFIABLE

    @property
    def as_proved(self) -> "tuple[SavedReport, ...]":
        """The services, none of them fresh by what was seen before it was lost sight of."""
        return tuple(
            service
            if self._is_proved(service)
            else replace(service, report=doubted(service.report))
            for service in self.services
        )

    @property
    def is_silent(self) -> bool:
        """Whether the daemon has not written for far longer than it does between two times."""
        return self.running and self.silent_for > _LONGEST_SILENCE

    def _is_proved(self, service: SavedReport) -> bool:
        """Not while its engine is away, before its first pass, nor where its passes fail."""
        daemon = self.daemon
        if not self.running or daemon is None:
            return True
        is_seen = service.report.name not in daemon.unseen and service.checked_at >= daemon.since
        return is_seen and not daemon.engine and not self.is_silent


def doubted(report: ServiceReport) -> ServiceReport:
    """The same, with nothing of it proved."""
    if report.verdict is not Verdict.FRESH:
        return report
    links = {
        link: LinkState.UNVERIFIABLE if state is LinkState.FRESH else state
        for link, state in report.links.items()
    }
    return replace(report, verdict=Verdict.UNVERIFIABLE, links=links)


def status_lines(status: Status, *, now: float) -> Iterator[Line]:
    """The whole of ``freshd status``."""
    yield headline(status.project or status.directory, status.verdict)
    if status.not_watched and not status.running:
        yield (("the service cannot watch it: ", "bad"), (printable(status.not_watched), ""))
    yield from _daemon(status, now=now)
    if status.validation is not None:
        yield status_line(status.validation, now=now)
    for halt in status.halts:
        whom = f"{shown(halt.service)}: " if halt.service else ""
        yield (
            (f"halted {ago(now - halt.at)}  ", "bad"),
            (f"{whom}{printable(halt.reason)}", ""),
            ("   look, then: ", "dim"),
            ("freshd resume", "code"),
        )
    if not status.services:
        yield (("no service has been looked at yet", "dim"),)
        return
    yield ()
    services = status.as_proved
    reports = [service.report for service in services]
    quiet = unchecked_everywhere(reports)
    yield from columns(
        (*service_row(service.report, quiet=quiet), (ago(now - service.checked_at), "dim"))
        for service in services
    )
    for service in services:
        yield from finding_lines(service.report, service.undone)
    if quiet:
        yield ()
        yield ((f"not checked: {', '.join(quiet)}", "dim"),)


def _daemon(status: Status, *, now: float) -> Iterator[Line]:
    daemon = status.daemon
    if daemon is None or not status.running:
        words = (
            "no daemon is running" if daemon is None else f"the daemon (pid {daemon.pid}) is gone"
        )
        yield ((f"{words}; this is what was last seen", STYLES[Verdict.UNVERIFIABLE]),)
        return
    since = ago(now - daemon.started_at)
    yield ((f"daemon running, pid {daemon.pid}, started {since}", "dim"),)
    if daemon.watching:
        yield ((f"watching {printable(daemon.watching)}", "dim"),)
    if daemon.engine:
        yield (("engine: ", "bad"), (printable(daemon.engine), ""))
    if daemon.notifier:
        yield ((f"notices: {printable(daemon.notifier)}", "dim"),)
    if daemon.verifying:
        yield (("only verifying: ", "doubt"), (printable(daemon.verifying), ""))
    if status.is_silent:
        words = f"it has written nothing down for {ago(status.silent_for).removesuffix(' ago')}"
        yield (("degraded: ", "doubt"), (words, ""))
    for problem in daemon.problems:
        yield (("degraded: ", "doubt"), (printable(problem), ""))
    if status.incidents:
        yield ((f"{count(len(status.incidents), 'open incident')}", "doubt"),)


def status_document(status: Status) -> Document:
    """What ``status --json`` prints; each service as in ``check --json``, and when it was seen."""
    return {
        "schema": SCHEMA,
        "project": status.project or None,
        "directory": status.directory,
        "not_watched": status.not_watched,
        "verdict": status.verdict.value,
        "daemon": _daemon_document(status),
        "halts": [
            {"service": halt.service, "reason": halt.reason, "at": iso(halt.at)}
            for halt in status.halts
        ],
        "incidents": [
            {
                "service": incident.service,
                "text": incident.text,
                "opened_at": iso(incident.opened_at),
            }
            for incident in status.incidents
        ],
        "validation": (
            None if status.validation is None else validation_document(status.validation)
        ),
        "services": [
            {
                **service_report(service.report),
                "undone": undone_document(service.undone),
                "checked_at": iso(service.checked_at),
            }
            for service in status.as_proved
        ],
    }


def _daemon_document(status: Status) -> Document:
    daemon = status.daemon
    if daemon is None:
        return {"running": False}
    return {
        "running": status.running,
        "pid": daemon.pid,
        "started_at": iso(daemon.started_at),
        "watching": daemon.watching,
        "engine": daemon.engine,
        "notifier": daemon.notifier,
        "problems": list(daemon.problems),
        "unseen": list(daemon.unseen),
        "silent": status.is_silent,
        "verifying": daemon.verifying,
    }
