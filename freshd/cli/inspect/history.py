"""``freshd history``: the journal."""

from typing import TYPE_CHECKING

import click

from freshd.cli import completing
from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freshd.store.journal import JournalEntry
    from freshd.store.validations import Validation


@click.command(
    short_help="What was done: step, outcome, time, cause",
    epilog=examples("freshd history", "freshd history web --limit 5", "freshd history --json"),
)
@click.argument("service", required=False, shell_complete=completing.services)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="How many steps.",
)
@json_option
@project_options
def history(app: App, *, service: str | None, limit: int, as_json: bool) -> int:
    """Show what was done, newest first: step, outcome, duration and cause; and validations.

    With SERVICE only the steps of that service.
    """
    from freshd.cli.saved import load_status, open_readable
    from freshd.render.daemon.history import history_document, history_lines

    entries: Sequence[JournalEntry] = ()
    validations: Sequence[Validation] = ()
    with open_readable(app.invocation.environ) as store:
        saved = load_status(app.invocation, store) if store else None
        if store and saved:
            entries = store.journal.history(saved.project, service, limit=limit)
            if service is None:
                validations = store.validations.history(saved.project, limit=limit)
    if as_json:
        app.screen.json(history_document(entries, validations))
    elif entries or validations:
        app.screen.lines(history_lines(entries, validations, limit=limit))
    else:
        app.screen.lines([(("nothing has been done yet", "dim"),)])
    return 0
