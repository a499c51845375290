"""``freshd history``: the journal."""

import click

from freshd.cli import completing
from freshd.cli.app import App, examples, json_option, project_options


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
    """Show what was done, newest first: step, outcome, duration and cause."""
    from freshd.cli.saved import project_of, readable
    from freshd.report import past

    with readable(app) as store:
        saved = project_of(app, store) if store else None
        entries = (
            store.journal.history(saved.project, service, limit=limit) if store and saved else ()
        )
    if as_json:
        app.screen.json(past.history(entries))
    elif entries:
        app.screen.lines(past.history_lines(entries))
    else:
        app.screen.lines([(("nothing has been done yet", "dim"),)])
    return 0
