"""``freshd status``: what the database says; no engine is asked."""

import sys
from typing import TYPE_CHECKING, Any, cast

import click

from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshd.render.daemon.status import SavedReport, Status
    from freshd.render.words import Line
    from freshd.store import Store

_REFRESH_SECONDS = 1.0


@click.command(
    short_help="The chain of each service as last seen; the daemon",
    epilog=examples("freshd status", "freshd status --watch", "freshd status --json"),
)
@click.option("--watch", is_flag=True, help="Stay and show every change; leave with Ctrl-C.")
@json_option
@project_options
def status(app: App, *, watch: bool, as_json: bool) -> int:
    """Show the chain of each service as it was last seen, and how the daemon is.

    Reads the state database only. Exit status: 0 fresh, 1 stale, 3 when something cannot be proved
    or nothing was seen yet.
    """
    from freshd.model.report import Verdict
    from freshd.render import documents, verdicts
    from freshd.render.daemon.status import status_document

    if watch and as_json:
        raise click.UsageError("--watch and --json exclude each other")
    if watch:
        return _watch(app)
    status = read_status(app)
    if not as_json:
        app.screen.lines(_lines(app, status))
    elif status is None:
        app.screen.json(
            {"schema": documents.SCHEMA, "project": None, "verdict": None, "services": []}
        )
    else:
        app.screen.json(status_document(status))
    return verdicts.EXIT_CODES[status.verdict if status else Verdict.UNVERIFIABLE]


def read_status(app: App) -> "Status | None":
    """The status of the project that is meant; None when nothing was saved of it."""
    from freshd.cli.saved import open_readable

    with open_readable(app.invocation.environ) as store:
        return _read_from(app, store) if store else None


def _read_from(app: App, store: "Store") -> "Status | None":
    from freshd.cli.saved import (
        is_alive,
        load_projects_state,
        load_status,
        project_in,
        resolve_directory,
    )
    from freshd.model.daemon_state import DaemonState
    from freshd.render.daemon.status import Status

    saved = load_status(app.invocation, store)
    together = load_projects_state(store)
    directory = saved.directory if saved else resolve_directory(app.invocation)
    waiting = project_in(directory, together) if together else None
    problem = waiting.problem if waiting else ""
    if saved is None:
        return Status("", waiting.directory, not_watched=problem) if waiting and problem else None
    daemon = DaemonState.from_json(saved.extra)
    return Status(
        project=saved.project,
        directory=saved.directory,
        services=tuple(
            _saved_report(name, service.report, service.checked_at)
            for name, service in saved.services.items()
        ),
        daemon=daemon,
        running=is_alive(daemon),
        halts=store.halts.active(saved.project),
        incidents=store.incidents.active(saved.project),
        validation=store.validations.last(saved.project),
        not_watched=problem,
        silent_for=app.now() - saved.saved_at,
    )


def _saved_report(name: str, report: object, checked_at: float) -> "SavedReport":
    """What cannot be read proves nothing; the next look at the service writes it anew."""
    from freshd.model.report import ServiceReport, Verdict
    from freshd.render.daemon.status import SavedReport
    from freshd.render.documents import service_report_from
    from freshd.render.undone import read_undone

    try:
        document = cast("Mapping[str, Any]", report)
        return SavedReport(service_report_from(document), checked_at, read_undone(document))
    except (LookupError, TypeError, ValueError, AttributeError):
        lost = ServiceReport(
            name, Verdict.UNVERIFIABLE, patched=False, links={}, containers=(), findings=()
        )
        return SavedReport(lost, checked_at)


def _nothing(app: App) -> "Line":
    from freshd.cli.saved import resolve_directory
    from freshd.render.words import shown

    where = app.invocation.project_name or resolve_directory(app.invocation)
    return (
        (f"nothing is known of {shown(where)} yet   ", ""),
        ("look once: ", "dim"),
        ("freshd check", "code"),
        ("   keep looking: ", "dim"),
        ("freshd run", "code"),
    )


def _watch(app: App) -> int:
    """Show the status again and again on a terminal, piped whenever it changed, until Ctrl-C."""
    if app.screen.terminal:
        with app.screen.whole() as redraw:
            while True:
                redraw(_lines(app, read_status(app)))
                app.sleep(_REFRESH_SECONDS)
    last: object = app  # equal to no status
    while True:
        status = read_status(app)
        if status != last:
            app.screen.lines((*_lines(app, status), ()))
            sys.stdout.flush()
            last = status
        app.sleep(_REFRESH_SECONDS)


def _lines(app: App, status: "Status | None") -> "tuple[Line, ...]":
    from freshd.render.daemon.status import status_lines

    return tuple(status_lines(status, now=app.now())) if status else (_nothing(app),)
