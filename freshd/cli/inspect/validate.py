"""``freshd validate``: the weekly check of the whole stack, now."""

import click

from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options


@click.command(
    short_help="Read the whole stack again, and remember the result",
    epilog=examples("freshd validate", "freshd validate --json"),
)
@json_option
@project_options
def validate(app: App, *, as_json: bool) -> int:
    """Compare every file of every service, believing nothing that is remembered.

    It is what the daemon does once a week where [schedule] validate says when, but it changes
    nothing. `freshd status` and `freshd history` show the result. Exit status: as of check.
    """
    from freshd.render import documents, verdicts
    from freshd.render.report import report_lines

    with app.open() as session, app.screen.progress() as progress:
        report = session.validate(progress=progress)
    if as_json:
        app.screen.json(documents.project_report(report))
    else:
        app.screen.lines(report_lines(report))
    return verdicts.EXIT_CODES[report.verdict]
