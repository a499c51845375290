"""``freshd status``: what the database says; no engine is asked."""

import sys
from typing import TYPE_CHECKING, Any, cast

import click

from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freshd.render.daemon.status import Seen, Status
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
    found = read(app)
    if not as_json:
        app.screen.lines(_lines(app, found))
    elif found is None:
        app.screen.json(
            {"schema": documents.SCHEMA, "project": None, "verdict": None, "services": []}
        )
    else:
        app.screen.json(status_document(found))
    return verdicts.EXIT_CODES[found.verdict if found else Verdict.UNVERIFIABLE]


def read(app: App) -> "Status | None":
    """The status of the project that is meant; None when nothing was saved of it."""
    from freshd.cli.saved import readable

    with readable(app.invocation.environ) as store:
        return _read(app, store) if store else None


def _read(app: App, store: "Store") -> "Status | None":
    from freshd.cli.saved import alive, directory_of, project_in, project_of, several
    from freshd.model.daemon_state import DaemonState
    from freshd.render.daemon.status import Status

    saved = project_of(app.invocation, store)
    together = several(store)
    directory = saved.directory if saved else directory_of(app.invocation)
    waiting = project_in(directory, together) if together else None
    problem = waiting.problem if waiting else ""
    if saved is None:
        return Status("", waiting.directory, not_watched=problem) if waiting and problem else None
    daemon = DaemonState.from_json(saved.extra)
    return Status(
        project=saved.project,
        directory=saved.directory,
        services=tuple(
            _seen(name, each.report, each.checked_at) for name, each in saved.services.items()
        ),
        daemon=daemon,
        running=alive(daemon),
        halts=store.halts.active(saved.project),
        incidents=store.incidents.active(saved.project),
        validation=store.validations.last(saved.project),
        not_watched=problem,
    )


def _seen(name: str, report: object, checked_at: float) -> "Seen":
    from freshd.model.errors import StateError
    from freshd.render.daemon.status import Seen
    from freshd.render.documents import service_report_from
    from freshd.render.undone import undone_from

    try:
        document = cast("Mapping[str, Any]", report)
        return Seen(service_report_from(document), checked_at, undone_from(document))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateError(
            f"the saved report of {name} cannot be read: {error}",
            hint="run freshd check; it is then saved again",
        ) from error


def _nothing(app: App) -> "Line":
    from freshd.cli.saved import directory_of
    from freshd.render.words import shown

    where = app.invocation.project_name or directory_of(app.invocation)
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
                redraw(_lines(app, read(app)))
                app.sleep(_REFRESH_SECONDS)
    last: object = app  # equal to no status
    while True:
        found = read(app)
        if found != last:
            app.screen.lines((*_lines(app, found), ()))
            sys.stdout.flush()
            last = found
        app.sleep(_REFRESH_SECONDS)


def _lines(app: App, found: "Status | None") -> "tuple[Line, ...]":
    from freshd.render.daemon.status import status_lines

    return tuple(status_lines(found, now=app.now())) if found else (_nothing(app),)
